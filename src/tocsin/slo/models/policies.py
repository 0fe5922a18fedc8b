"""What a team agreed to do when its error budget goes, what followed from it, and what each incident took."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from tocsin.people.models import Team
from tocsin.slo.models.objectives import Objective


class ErrorBudgetPolicy(models.Model):
    """One policy a team, as `core.budget_policy_document` reads it. Former texts stand in the event log.

    `findings` is what the last look found, clause by clause and SLO by SLO; `next_at` is when it is looked at again.
    A policy that was ended is kept with its reason and is not looked at until it is saved again.
    """

    team = models.OneToOneField(Team, on_delete=models.PROTECT, related_name="error_budget_policy")
    document = models.JSONField()
    revision = models.PositiveIntegerField(default=1)
    saved_by = models.CharField(max_length=150)
    saved_at = models.DateTimeField()
    findings = models.JSONField(default=list, blank=True)
    judged_at = models.DateTimeField(null=True, blank=True)
    review_told_for = models.DateField(null=True, blank=True)
    next_at = models.DateTimeField(null=True, blank=True, db_index=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.CharField(max_length=150, blank=True, default="")
    ended_because = models.TextField(blank=True, default="")


class PolicyConsequence(models.Model):
    """A clause began to hold: what was agreed, why, who was told, and what came of it.

    `condition` and `consequence` are the words of that moment. `subject` is an incident or a class of incidents where
    a clause may hold several times at once. It is open until its condition no longer holds or somebody has dealt with it.
    `began_by` names the person who said that it holds, where people judge; it is empty where Tocsin does.
    """

    policy = models.ForeignKey(ErrorBudgetPolicy, on_delete=models.CASCADE, related_name="consequences")
    objective = models.ForeignKey(Objective, on_delete=models.PROTECT, related_name="policy_consequences")
    clause = models.CharField(max_length=63)
    subject = models.CharField(max_length=200, blank=True, default="")
    condition = models.TextField()
    consequence = models.TextField()
    why = models.TextField()
    refs = models.JSONField(default=list, blank=True)
    revision = models.PositiveIntegerField()
    told = models.JSONField(default=list, blank=True)  # [{"name", "address"}]
    began_at = models.DateTimeField()
    began_by = models.CharField(max_length=150, blank=True, default="")
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_because = models.TextField(blank=True, default="")
    done_at = models.DateTimeField(null=True, blank=True)
    done_by = models.CharField(max_length=150, blank=True, default="")
    note = models.TextField(blank=True, default="")
    url = models.URLField(max_length=500, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["policy", "objective", "clause", "subject"],
                condition=Q(ended_at__isnull=True),
                name="consequence_open_once",
            ),
        ]
        indexes = [models.Index(fields=["policy", "-began_at"], name="consequence_latest")]

    @property
    def number(self) -> str:
        """Its number as text, for the names of things on a page."""
        return str(self.pk)


class IncidentSpend(models.Model):
    """What an incident that is over took from an SLO; counted while its minutes were kept, and never again."""

    objective = models.ForeignKey(Objective, on_delete=models.CASCADE, related_name="incident_spends")
    incident = models.CharField(max_length=32)
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    bad = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["objective", "incident", "ended_at"], name="spend_settled_once")]
