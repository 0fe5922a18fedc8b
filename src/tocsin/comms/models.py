"""What was said to whom, and who asked to hear."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from tocsin.catalog.models import Service
from tocsin.comms.chat_models import ChatAccount, ChatLink, ChatPlace, GuestState, RoomGuest
from tocsin.incidents.models import Incident
from tocsin.process.models import StakeholderGroup
from tocsin.slo.models import BreachSubscription

__all__ = [
    "ChatAccount",
    "ChatLink",
    "ChatPlace",
    "ConsumerNotice",
    "GuestState",
    "RoomGuest",
    "StatusClock",
    "Subscriber",
    "Update",
    "UpdateDraft",
    "UpdateKind",
    "WebhookEndpoint",
]


class UpdateKind(models.TextChoices):
    OPENING = "opening"
    PROGRESS = "progress"
    CLOSING = "closing"


class Update(models.Model):
    """A message to stakeholder groups about an incident. All but a closing one promise when the next will come."""

    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="updates")
    kind = models.CharField(max_length=16, choices=UpdateKind.choices)
    no_change = models.BooleanField(default=False)
    groups = models.ManyToManyField(StakeholderGroup, related_name="updates")
    subject = models.CharField(max_length=300)
    text = models.TextField()
    next_update_at = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField()
    sent_by = models.CharField(max_length=150)
    priority = models.PositiveSmallIntegerField(null=True, blank=True)
    priority_changed_from = models.PositiveSmallIntegerField(null=True, blank=True)
    recipients = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="closing") | Q(next_update_at__isnull=False), name="update_promises_the_next"
            ),
        ]


class UpdateDraft(models.Model):
    """Words for an update that somebody proposes. Nobody hears of them until the rightful role sends them.

    `approved_by` holds for the words as they stand. It is over once it was sent (`update`) or dropped (`ended_at`).
    """

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="update_drafts")
    subject = models.CharField(max_length=300, blank=True, default="")
    text = models.TextField()
    written_by = models.CharField(max_length=150)
    written_at = models.DateTimeField()
    approved_by = models.CharField(max_length=150, blank=True, default="")
    approved_at = models.DateTimeField(null=True, blank=True)
    update = models.OneToOneField(Update, on_delete=models.PROTECT, null=True, blank=True, related_name="draft")
    ended_at = models.DateTimeField(null=True, blank=True)


class Subscriber(models.Model):
    """An address that hears of every incident of a service by itself; confirmed by whoever added it."""

    email = models.EmailField()
    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="subscribers")
    unsubscribe_digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["email", "service"], name="subscriber_once")]


class StatusClock(models.Model):
    """When the subscribers of an incident's service hear next; the row is the timer.

    `service` is the one whose subscribers heard of the beginning. `told_rank` is the priority they know, 0 where it is
    none (it compares without nulls); `told_count` is how often they were told.
    """

    incident = models.OneToOneField(Incident, on_delete=models.CASCADE, related_name="status_clock")
    service = models.ForeignKey(Service, on_delete=models.CASCADE, null=True, related_name="+")
    told_rank = models.PositiveSmallIntegerField(default=0)
    told_count = models.PositiveIntegerField(default=0)
    last_at = models.DateTimeField(null=True, blank=True)
    next_at = models.DateTimeField(null=True, blank=True)
    ended = models.BooleanField(default=False)

    class Meta:
        indexes = [
            # Every turn looks through the clocks that still run, and they are few beside those that have stopped.
            models.Index(fields=["next_at"], condition=Q(ended=False), name="status_clock_running"),
        ]


class ConsumerNotice(models.Model):
    """A consumer's own group was told that an SLO it uses breaches; open until it was told that this is over.

    `incident` is the provider's, where the breach opened one by then.
    """

    subscription = models.ForeignKey(BreachSubscription, on_delete=models.CASCADE, related_name="notices")
    incident = models.ForeignKey(Incident, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    told_at = models.DateTimeField()
    recipients = models.PositiveIntegerField(default=0)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["subscription"], condition=Q(ended_at__isnull=True), name="one_notice_at_a_time"
            ),
        ]


class WebhookEndpoint(models.Model):
    """Where outgoing events are posted, signed. A second secret stays valid during a rotation."""

    url = models.URLField(max_length=500)
    events = models.CharField(max_length=200, default="incident.*")
    secret = models.CharField(max_length=200)
    former_secret = models.CharField(max_length=200, blank=True, default="")
    former_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()
    disabled_at = models.DateTimeField(null=True, blank=True)
    disabled_reason = models.CharField(max_length=200, blank=True, default="")
