"""What a breach means: the decisions of the teams."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from tocsin.process.models import StakeholderGroup
from tocsin.slo.models.objectives import Objective
from tocsin.slo.models.resource_alerts import ResourceAlert


class Decision(models.TextChoices):
    """What a priority assignment says. The absence of an assignment is `unset`."""

    SET = "set"
    NONE = "none"


class TargetKind(models.TextChoices):
    """What a decision is about."""

    SLO = "slo"
    RESOURCE_ALERT = "resource_alert"


class PriorityAssignment(models.Model):
    """The meaning of a breach of this SLO (or of this resource alert), from a moment on; replacing it closes the former. Exactly one is open.

    `priority` is a rank of the catalogue; `raise_rule` holds {"more_than": 3, "within_seconds": 3600, "to": 2,
    "count": "episodes"} for a conditional priority. `severity` is the one an incident of it starts with and
    `escalation_policy` the name of the policy that wakes people for it; empty leaves both to process and service.
    """

    target_kind = models.CharField(max_length=16, choices=TargetKind.choices, default=TargetKind.SLO)
    objective = models.ForeignKey(
        Objective, on_delete=models.PROTECT, null=True, blank=True, related_name="assignments"
    )
    resource_alert = models.ForeignKey(
        ResourceAlert, on_delete=models.PROTECT, null=True, blank=True, related_name="assignments"
    )
    decision = models.CharField(max_length=8, choices=Decision.choices)
    priority = models.PositiveSmallIntegerField(null=True, blank=True)
    raise_rule = models.JSONField(null=True, blank=True)
    groups = models.ManyToManyField(StakeholderGroup, blank=True, related_name="assignments")
    assign_mode = models.CharField(max_length=16, default="automatic")
    severity = models.CharField(max_length=63, blank=True, default="")
    escalation_policy = models.CharField(max_length=63, blank=True, default="")
    reason = models.TextField(blank=True, default="")
    assigned_by = models.CharField(max_length=150)
    valid_from = models.DateTimeField()
    valid_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["objective"], condition=Q(valid_until__isnull=True), name="one_assignment_at_a_time"
            ),
            models.UniqueConstraint(
                fields=["resource_alert"], condition=Q(valid_until__isnull=True), name="one_alert_assignment_at_a_time"
            ),
            models.CheckConstraint(
                condition=Q(target_kind="slo", objective__isnull=False, resource_alert__isnull=True)
                | Q(target_kind="resource_alert", objective__isnull=True, resource_alert__isnull=False),
                name="assignment_has_one_target",
            ),
            models.CheckConstraint(
                condition=Q(decision="set", priority__isnull=False) | Q(decision="none", priority__isnull=True),
                name="assignment_says_one_thing",
            ),
        ]
