"""The report that an authority waits for: a row with a time, so that the engine finds what is late."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from tocsin.people.models import Person


class OwedReport(models.Model):
    """The next report that an incident owes to an authority, one row for each; gone when nothing is owed.

    What is owed stands in the log, this follows it. `owner` last spoke about it, `told_late_at` is when somebody was
    told that it is late.
    """

    incident = models.ForeignKey("incidents.Incident", on_delete=models.CASCADE, related_name="owed_reports")
    regime = models.CharField(max_length=63)
    report = models.CharField(max_length=16)
    due_at = models.DateTimeField()
    owner = models.ForeignKey(Person, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    told_late_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["incident", "regime"], name="one_owed_report_per_authority")]
        indexes = [models.Index(fields=["due_at"], condition=Q(told_late_at__isnull=True), name="owed_report_due")]
