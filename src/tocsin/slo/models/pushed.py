"""Where pushed counters stand, so that the next sample tells how much they grew."""

from __future__ import annotations

from django.db import models

from tocsin.slo.models.objectives import Objective


class PushedSeries(models.Model):
    """The last sample of a series that counts for an SLO as `role` (good, bad, total). Times in ms since the epoch.

    `start` is since when the sender counts, 0 when it did not say; a `stale` series was said to have ended; `gap` is
    how long before its last sample the one before was, 0 while there was none.
    """

    objective = models.ForeignKey(Objective, on_delete=models.CASCADE, related_name="pushed_series")
    role = models.CharField(max_length=8)
    key = models.CharField(max_length=32)
    at = models.BigIntegerField()
    value = models.FloatField()
    start = models.BigIntegerField(default=0)
    stale = models.BooleanField(default=False)
    gap = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["objective", "role", "key"], name="pushed_series_once")]


class PushedGrowth(models.Model):
    """Growth of an SLO's counters that waits for slower ones of the same moment: [[ms, role, events], ...]."""

    objective = models.OneToOneField(Objective, on_delete=models.CASCADE, primary_key=True, related_name="growth")
    waiting = models.JSONField(default=list, blank=True)
