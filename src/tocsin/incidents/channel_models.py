"""Where the people of a coordinated incident talk, and how far that has come."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class ChannelState(models.TextChoices):
    ASKED = "asked"
    OPEN = "open"
    FAILING = "failing"  # tried again with growing waits; the page stands in
    GIVEN_UP = "given_up"  # the page is the channel for good


class ResponseChannel(models.Model):
    """The channel of a coordinated incident: one for as long as the incident lives, also where it is reopened.

    `adapter` is the tool that was asked for; "tocsin" is the incident's own page. `reference` is the tool's name of
    the room, `told_state` the state of the incident that the room knows. `followed` rooms are told and listened to.
    """

    incident = models.OneToOneField("incidents.Incident", on_delete=models.CASCADE, related_name="channel")
    adapter = models.CharField(max_length=32)
    state = models.CharField(max_length=16, choices=ChannelState.choices, default=ChannelState.ASKED)
    reference = models.CharField(max_length=255, blank=True, default="")
    url = models.CharField(max_length=500, blank=True, default="")
    bridge_url = models.CharField(max_length=500, blank=True, default="")
    asked_at = models.DateTimeField()
    opened_at = models.DateTimeField(null=True, blank=True)
    failing_since = models.DateTimeField(null=True, blank=True)
    note = models.TextField(blank=True, default="")
    told_state = models.CharField(max_length=16, blank=True, default="")
    followed = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(state__in=ChannelState.values), name="channel_state_known"),
            models.UniqueConstraint(
                fields=["adapter", "reference"], condition=~Q(reference=""), name="channel_has_one_incident"
            ),
        ]
        indexes = [models.Index(fields=["id"], condition=Q(followed=True), name="channel_followed")]
