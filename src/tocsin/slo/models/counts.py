"""What was measured."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from tocsin.slo.models.objectives import Objective


class Bucket(models.Model):
    """Events counted in [start, start + width). `width` and `start` in seconds; UTC epoch; widths 60, 900 and 3600."""

    objective = models.ForeignKey(Objective, on_delete=models.CASCADE, related_name="buckets")
    width = models.PositiveIntegerField()
    start = models.BigIntegerField()
    good = models.BigIntegerField(default=0)
    bad = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["objective", "width", "start"], name="bucket_once"),
            models.CheckConstraint(condition=Q(good__gte=0, bad__gte=0), name="bucket_counts_are_counts"),
        ]


class DayOfMinutes(models.Model):
    """The minutes of one UTC day, packed by `slo.minutes`; `day` counts days since the epoch."""

    objective = models.ForeignKey(Objective, on_delete=models.CASCADE, related_name="days_of_minutes")
    day = models.PositiveIntegerField()
    counts = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["objective", "day"], name="day_of_minutes_once")]
