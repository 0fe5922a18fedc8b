"""The event log: timeline of every incident, audit trail of every change, evidence; one hash chain."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class Entry(models.Model):
    """One fact, appended once. `data` may be redacted later: the chain holds its hash, not its content.

    `at` is when it was written (UTC); `occurred_at` when it happened, if told later. `incident` is "INC-n" or empty.
    """

    seq = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    occurred_at = models.DateTimeField()
    actor = models.CharField(max_length=150)
    kind = models.CharField(max_length=64)
    incident = models.CharField(max_length=32, blank=True, default="")
    source_id = models.CharField(max_length=200, blank=True, default="")
    data = models.JSONField(null=True)
    data_sha256 = models.CharField(max_length=64)
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["incident", "source_id"], condition=~Q(source_id=""), name="audit_source_told_once"
            ),
        ]
        indexes = [
            models.Index(fields=["incident", "seq"], name="audit_timeline"),
            models.Index(fields=["incident", "kind", "seq"], name="audit_incident_kind"),
            models.Index(fields=["kind", "seq"], name="audit_kind"),
            models.Index(fields=["at"], name="audit_at"),
        ]
