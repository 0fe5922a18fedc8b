"""Who is woken, when, and who after them."""

from __future__ import annotations

from django.db import models

from tocsin.catalog.models import Service
from tocsin.people.models import Team


class Rotation(models.Model):
    """A schedule for a role. `layers` is the list the schedule file calls by that name; users are user names."""

    name = models.SlugField(max_length=63, unique=True)
    display_name = models.CharField(max_length=150, blank=True, default="")
    team = models.ForeignKey(Team, on_delete=models.PROTECT, null=True, blank=True, related_name="rotations")
    role = models.CharField(max_length=63, blank=True, default="")
    time_zone = models.CharField(max_length=64, default="UTC")
    layers = models.JSONField(default=list)
    feed_secret = models.CharField(max_length=64, blank=True, default="")
    created_at = models.DateTimeField()

    @property
    def label(self) -> str:
        return self.display_name or self.name


class Override(models.Model):
    """Somebody else stands in, exactly in [start, end). Higher priority wins, among equals the one created last."""

    rotation = models.ForeignKey(Rotation, on_delete=models.CASCADE, related_name="overrides")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    users = models.JSONField(default=list)
    priority = models.IntegerField(default=0)
    created_by = models.CharField(max_length=150)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(ends_at__gt=models.F("starts_at")), name="override_has_a_length"),
        ]


class EscalationPolicy(models.Model):
    """Steps in order: [{"wait_minutes": 5, "targets": ["user:NAME", "rotation:NAME", "team:NAME"]}]."""

    name = models.SlugField(max_length=63, unique=True)
    display_name = models.CharField(max_length=150, blank=True, default="")
    team = models.ForeignKey(Team, on_delete=models.PROTECT, null=True, blank=True, related_name="escalation_policies")
    repeat = models.PositiveSmallIntegerField(default=0)
    steps = models.JSONField(default=list)
    created_at = models.DateTimeField()


class ServiceEscalation(models.Model):
    """Which policy wakes people for a service."""

    service = models.OneToOneField(Service, on_delete=models.CASCADE, related_name="escalation")
    policy = models.ForeignKey(EscalationPolicy, on_delete=models.PROTECT, related_name="services")
