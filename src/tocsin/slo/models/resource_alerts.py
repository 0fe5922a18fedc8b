"""Alerts on a technical cause (CPU, memory, a queue): registered, so that they have a meaning and can be replaced."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from tocsin.catalog.models import Service
from tocsin.core.alert_replacement import Replacement
from tocsin.slo.models.objectives import Objective

STATES = [(state.value, state.value) for state in Replacement]


class ResourceAlert(models.Model):
    """An alert on a resource, as its sender calls it (`alert_name`), of a service.

    `metric` says in a word what is measured. An `interim` one stands in until the SLI for a proper SLO exists.
    `replaced_by` is set exactly while `state` is `replaced`.
    """

    name = models.SlugField(max_length=63, unique=True)
    alert_name = models.CharField(max_length=300)
    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="resource_alerts")
    metric = models.CharField(max_length=100, blank=True, default="")
    use_case = models.CharField(max_length=300, blank=True, default="")
    runbook_url = models.URLField(max_length=500, blank=True, default="")
    interim = models.BooleanField(default=False)
    state = models.CharField(max_length=16, choices=STATES, default=Replacement.ACTIVE)
    replaced_by = models.ForeignKey(
        Objective, on_delete=models.PROTECT, null=True, blank=True, related_name="replaced_alerts"
    )
    created_by = models.CharField(max_length=150)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["service", "alert_name"], name="resource_alert_once_a_service"),
            models.CheckConstraint(
                condition=Q(state="replaced", replaced_by__isnull=False)
                | (~Q(state="replaced") & Q(replaced_by__isnull=True)),
                name="replaced_names_its_slo",
            ),
        ]

    @property
    def label(self) -> str:
        return self.alert_name


class ResourceAlertStep(models.Model):
    """One change of a resource alert's state; the first is its registration."""

    alert = models.ForeignKey(ResourceAlert, on_delete=models.CASCADE, related_name="steps")
    state = models.CharField(max_length=16, choices=STATES)
    replaced_by = models.ForeignKey(Objective, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    reason = models.TextField(blank=True, default="")
    at = models.DateTimeField()
    by = models.CharField(max_length=150)

    class Meta:
        indexes = [models.Index(fields=["alert", "at"], name="resource_alert_steps")]
