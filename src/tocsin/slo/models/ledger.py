"""What became of each period's budget, kept after the counts it was reckoned from are gone."""

from __future__ import annotations

from django.db import models

from tocsin.slo.models.objectives import Objective


class BudgetPeriod(models.Model):
    """A closed budget period of an SLO, as reckoned when it closed.

    `valid` and `bad` are its events, `granted` how many might have failed, `spent` the share of that which did (null
    where nothing was granted), `coverage` the share of its minutes of which anything is known. `eaten_by` has what each
    run of breaches ate, most first: {"episode", "from", "until", "breaches", "bad", "share", "priority",
    "priority_state"}.
    """

    objective = models.ForeignKey(Objective, on_delete=models.PROTECT, related_name="budget_periods")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    target = models.DecimalField(max_digits=12, decimal_places=10)
    valid = models.BigIntegerField()
    bad = models.BigIntegerField()
    granted = models.FloatField()
    spent = models.FloatField(null=True, blank=True)
    breaches = models.PositiveIntegerField(default=0)
    coverage = models.FloatField()
    eaten_by = models.JSONField(default=list, blank=True)
    closed_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["objective", "starts_at"], name="budget_period_once")]
        indexes = [models.Index(fields=["objective", "-ends_at"], name="budget_period_latest")]
