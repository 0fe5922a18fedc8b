"""What an SLO said, from when to when."""

from __future__ import annotations

from typing import Any

from django.db import models

from tocsin.slo.models.objectives import Objective


class VersionChange(models.TextChoices):
    ADDED = "added"
    CHANGED = "changed"
    RETIRED = "retired"
    RETURNED = "returned"


class ObjectiveVersion(models.Model):
    """One version of an SLO, in force from `effective_at` until the next one. Append only; the database refuses changes.

    `number` is the revision that breaches carry; `settings` are its fields as people read them, `document` the OpenSLO
    object with everything it referred to; `sha256` names both.
    """

    objective = models.ForeignKey(Objective, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    change = models.CharField(max_length=8, choices=VersionChange.choices)
    settings = models.JSONField(default=dict)
    document = models.JSONField(default=dict, blank=True)
    sha256 = models.CharField(max_length=64)
    effective_at = models.DateTimeField()
    author = models.CharField(max_length=150)
    reason = models.TextField(blank=True, default="")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["objective", "number"], name="objective_version_once")]

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise TypeError("a version of an SLO is never changed")
        super().save(*args, **kwargs)

    def delete(self, *_args: Any, **_kwargs: Any) -> tuple[int, dict[str, int]]:
        raise TypeError("a version of an SLO is never deleted")
