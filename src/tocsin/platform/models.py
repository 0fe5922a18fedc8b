"""Rows that belong to no part of the work: sequences, the journal of what arrived, the outbox of what must leave."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class Counter(models.Model):
    """A gapless sequence; taken inside the transaction that uses the number."""

    name = models.CharField(primary_key=True, max_length=64)
    value = models.BigIntegerField(default=0)


class Claimable(models.Model):
    """Columns of a row that one worker at a time may hold: a lease and the number of the attempt that fences it."""

    claimed_by = models.CharField(max_length=64, blank=True, default="")
    lease_until = models.DateTimeField(null=True, blank=True)
    attempt = models.PositiveIntegerField(default=0)

    class Meta:
        abstract = True


class JournalState(models.TextChoices):
    NEW = "new"
    FOLDED = "folded"
    POISONED = "poisoned"


class Journal(models.Model):
    """What arrived, as it arrived. Committed before the sender hears 2xx; folded in order of id.

    `kind` names the wire format ("alertmanager", "sli", ...), `source` who sent it ("integration:3", "person:mara"),
    `taken` how many of its parts have been folded. What cannot be folded is put aside with its error and never blocks
    what stands behind it; the row is then called poisoned.
    """

    kind = models.CharField(max_length=32)
    source = models.CharField(max_length=64)
    body = models.BinaryField()
    sha256 = models.CharField(max_length=64)
    received_at = models.DateTimeField()
    state = models.CharField(max_length=16, choices=JournalState.choices, default=JournalState.NEW)
    folded_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True, default="")
    attempt = models.PositiveIntegerField(default=0)
    taken = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(state__in=JournalState.values), name="journal_state_known"),
        ]
        indexes = [
            # Only unfolded rows are ever searched for; the index stays as small as the lag.
            models.Index(fields=["id"], condition=Q(state="new"), name="journal_new"),
        ]


class OutboxState(models.TextChoices):
    QUEUED = "queued"
    CLAIMED = "claimed"
    SENT = "sent"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


class OutboxMessage(Claimable):
    """Something that must leave the house; written in the transaction of its cause, delivered afterwards.

    `key` is the idempotency key the receiver sees; `lane` orders the queue (0 first); `destination` names the far
    side so that a slow one holds up nobody else; `subject_kind` and `subject_id` let the engine tell the domain that
    wrote the row what became of it (e.g. "page", "17").
    """

    key = models.CharField(max_length=200, unique=True)
    lane = models.SmallIntegerField(default=5)
    kind = models.CharField(max_length=32)
    channel = models.CharField(max_length=32)
    address = models.CharField(max_length=500)
    destination = models.CharField(max_length=200, blank=True, default="")
    payload = models.JSONField(default=dict)
    incident = models.CharField(max_length=32, blank=True, default="")
    subject_kind = models.CharField(max_length=32, blank=True, default="")
    subject_id = models.CharField(max_length=64, blank=True, default="")
    created_at = models.DateTimeField()
    not_before = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    state = models.CharField(max_length=16, choices=OutboxState.choices, default=OutboxState.QUEUED)
    sent_at = models.DateTimeField(null=True, blank=True)
    last_error = models.TextField(blank=True, default="")
    repeat = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(state__in=OutboxState.values), name="outbox_state_known"),
        ]
        indexes = [
            models.Index(
                fields=["lane", "not_before", "id"], condition=Q(state__in=["queued", "claimed"]), name="outbox_pending"
            ),
            models.Index(fields=["incident"], name="outbox_incident"),
            models.Index(fields=["subject_kind", "subject_id"], name="outbox_subject"),
        ]


class Delivery(models.Model):
    """One try to deliver an outbox message and what came of it; the delivery ladder people see."""

    message = models.ForeignKey(OutboxMessage, on_delete=models.CASCADE, related_name="deliveries")
    attempt = models.PositiveIntegerField()
    at = models.DateTimeField()
    outcome = models.CharField(max_length=16)  # accepted | temporary | permanent | unknown
    detail = models.TextField(blank=True, default="")


class Setting(models.Model):
    """A setting of the installation that people change at run time (fallback contact, organisation's name...)."""

    name = models.CharField(primary_key=True, max_length=64)
    value = models.JSONField(default=dict)
