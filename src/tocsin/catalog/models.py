"""What teams own and operate."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from tocsin.people.models import Team


class Service(models.Model):
    """Something with an owner, SLOs and incidents. Exactly one service is the catch-all: no alert is ever homeless."""

    name = models.SlugField(max_length=63, unique=True)
    display_name = models.CharField(max_length=150, blank=True, default="")
    description = models.TextField(blank=True, default="")
    team = models.ForeignKey(Team, on_delete=models.PROTECT, null=True, blank=True, related_name="services")
    runbook_url = models.URLField(max_length=500, blank=True, default="")
    labels = models.JSONField(default=dict, blank=True)
    is_catch_all = models.BooleanField(default=False)
    maintenance_since = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["is_catch_all"], condition=Q(is_catch_all=True), name="one_catch_all_service"
            ),
        ]

    @property
    def label(self) -> str:
        return self.display_name or self.name


class Alias(models.Model):
    """A name that a service answers to, in lower case; its own is one of them. No two services share one."""

    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="aliases")
    name = models.CharField(max_length=200, unique=True)


class Dependency(models.Model):
    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="dependencies")
    depends_on = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="consumers")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["service", "depends_on"], name="dependency_once")]
