"""What an incident is classified by: what is known of its size, the teams it needs, and what was suggested from that."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from tocsin.people.models import Team


class Scope(models.Model):
    """What people said of the size of an incident. `signs` maps the code of a sign of complexity to yes or no."""

    incident = models.OneToOneField("incidents.Incident", on_delete=models.CASCADE, related_name="scope")
    users_share = models.DecimalField(max_digits=7, decimal_places=6, null=True, blank=True)
    teams_said = models.PositiveSmallIntegerField(null=True, blank=True)
    signs = models.JSONField(default=dict, blank=True)
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(users_share__isnull=True) | Q(users_share__gte=0, users_share__lte=1),
                name="scope_share_is_a_share",
            )
        ]


class NamedTeam(models.Model):
    """A team the response needs beside the incident's own; the experts of all of them are asked when it gets graver."""

    incident = models.ForeignKey("incidents.Incident", on_delete=models.CASCADE, related_name="named_teams")
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="+")
    named_by = models.CharField(max_length=150)
    named_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["incident", "team"], name="team_named_once")]


class SuggestionState(models.TextChoices):
    OPEN = "open"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    OVERTAKEN = "overtaken"  # the facts changed before anybody answered


class Suggestion(models.Model):
    """The facts of an incident suggest a value; people accept or decline it, and both stay in the record.

    `subject` is severity (the value its code), priority (its rank) or complex ("yes"); `basis` the criteria in words.
    """

    incident = models.ForeignKey("incidents.Incident", on_delete=models.CASCADE, related_name="suggestions")
    subject = models.CharField(max_length=16)
    value = models.CharField(max_length=63)
    basis = models.JSONField(default=list)
    state = models.CharField(max_length=16, choices=SuggestionState.choices, default=SuggestionState.OPEN)
    made_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True, blank=True)
    answered_by = models.CharField(max_length=150, blank=True, default="")
    reason = models.CharField(max_length=300, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["incident", "subject"], condition=Q(state="open"), name="one_open_suggestion_per_subject"
            )
        ]
