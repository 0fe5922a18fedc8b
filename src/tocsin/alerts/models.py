"""Alerts: what an algorithm let through, ours or somebody else's; who may send them; what is silenced."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from tocsin.catalog.models import Service
from tocsin.slo.models import Objective, ResourceAlert


class Integration(models.Model):
    """A sender with a key. The key can post and read nothing; it is stored as a digest and shown once."""

    name = models.CharField(max_length=150)
    kind = models.CharField(max_length=32)  # alertmanager | events-v2 | sli | ...
    service = models.ForeignKey(Service, on_delete=models.PROTECT, null=True, blank=True, related_name="integrations")
    key_digest = models.CharField(max_length=64, unique=True)
    key_hint = models.CharField(max_length=16)
    default_priority = models.PositiveSmallIntegerField(null=True, blank=True)
    created_at = models.DateTimeField()
    last_seen_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)


class AlertState(models.TextChoices):
    FIRING = "firing"
    RESOLVED = "resolved"


class Alert(models.Model):
    """One episode of one alert: from its start to its end. Repeats are counted, not stored.

    `dedup_key` is scoped to the sender, so that one sender cannot take over another's alert.
    `priority_state` is set | none | unset. `suppressed_by` names the rule that kept it from opening an incident.
    `start_said` and `end_said` are False where the time is our own reckoning for want of the sender's word; no
    occurrences at all means that only its end was ever heard of.
    """

    integration = models.ForeignKey(Integration, on_delete=models.PROTECT, null=True, blank=True, related_name="alerts")
    objective = models.ForeignKey(Objective, on_delete=models.PROTECT, null=True, blank=True, related_name="alerts")
    service = models.ForeignKey(Service, on_delete=models.PROTECT, null=True, blank=True, related_name="alerts")
    resource_alert = models.ForeignKey(
        ResourceAlert, on_delete=models.PROTECT, null=True, blank=True, related_name="alerts"
    )
    fingerprint = models.CharField(max_length=64)
    dedup_key = models.CharField(max_length=300)
    name = models.CharField(max_length=300)
    summary = models.TextField(blank=True, default="")
    labels = models.JSONField(default=dict)
    annotations = models.JSONField(default=dict)
    generator_url = models.CharField(max_length=2000, blank=True, default="")
    urgency = models.CharField(max_length=16, default="page")
    signal_severity = models.CharField(max_length=63, blank=True, default="")
    priority = models.PositiveSmallIntegerField(null=True, blank=True)
    priority_state = models.CharField(max_length=8, default="unset")
    state = models.CharField(max_length=16, choices=AlertState.choices, default=AlertState.FIRING)
    occurrences = models.PositiveIntegerField(default=1)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)  # announced end; past means ended
    resolved_at = models.DateTimeField(null=True, blank=True)
    received_at = models.DateTimeField()
    last_received_at = models.DateTimeField()
    suppressed_by = models.CharField(max_length=100, blank=True, default="")
    start_said = models.BooleanField(default=True)
    end_said = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["dedup_key"], condition=Q(state="firing"), name="one_firing_alert_per_key"),
        ]
        indexes = [
            models.Index(fields=["dedup_key", "-id"], name="alert_key_latest"),
            models.Index(fields=["ends_at"], condition=Q(state="firing"), name="alert_ending"),
            models.Index(fields=["-received_at"], name="alert_received"),
            models.Index(
                fields=["suppressed_by"], condition=Q(state="firing") & ~Q(suppressed_by=""), name="alert_kept_quiet"
            ),
        ]


class Silence(models.Model):
    """Keeps matching alerts from opening or paging, for a stated time and reason."""

    uuid = models.UUIDField(unique=True)
    matchers = models.JSONField()  # [{"name", "value", "isRegex", "isEqual"}]
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    created_by = models.CharField(max_length=150)
    comment = models.TextField(blank=True, default="")
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
