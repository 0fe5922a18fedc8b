"""How teams come to SLOs: whether their policy is in force, what they say of themselves, and what they still wish for."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from tocsin.people.models import Team


class TeamPolicy(models.Model):
    """A time in which the incident policy of a team is in force. At most one is open; ended ones are kept."""

    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="policies")
    activated_at = models.DateTimeField()
    activated_by = models.CharField(max_length=150)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.CharField(max_length=150, blank=True, default="")
    end_reason = models.TextField(blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["team"], condition=Q(ended_at__isnull=True), name="one_policy_in_force"),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True) | Q(ended_at__gte=F("activated_at")), name="policy_ends_after_start"
            ),
        ]


class Statement(models.Model):
    """What a team says of itself on a point of the readiness test; the latest of each point counts."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="statements")
    point = models.CharField(max_length=32)
    holds = models.BooleanField()
    reason = models.CharField(max_length=300)
    said_by = models.CharField(max_length=150)
    said_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["team", "point", "-said_at"], name="statement_latest")]
