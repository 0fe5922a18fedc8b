"""What was violated, with the priority of its moment."""

from __future__ import annotations

from django.db import models

from tocsin.slo.models.objectives import Objective


class Breach(models.Model):
    """An evaluation that found the SLO violated. Immutable; stamped with the priority of its moment.

    `valid` and `bad` are the events of `window`; `episode` numbers runs of neighbouring breaches; `priority_state` is
    set | none | unset; `priority_rule` names what gave the priority (assignment, frequency, remaining, velocity).
    """

    objective = models.ForeignKey(Objective, on_delete=models.PROTECT, related_name="breaches")
    at = models.DateTimeField()
    window = models.DurationField()
    valid = models.BigIntegerField()
    bad = models.BigIntegerField()
    episode = models.PositiveIntegerField(default=0)
    priority = models.PositiveSmallIntegerField(null=True, blank=True)
    priority_state = models.CharField(max_length=8)
    priority_rule = models.CharField(max_length=32, blank=True, default="")
    revision = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["objective", "at"], name="breach_once_a_tick")]
        indexes = [models.Index(fields=["objective", "-at"], name="breach_latest")]
