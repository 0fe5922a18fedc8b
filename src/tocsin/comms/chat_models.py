"""Who is who in the chat tools, and up to where each tool was read."""

from __future__ import annotations

from django.db import models

from tocsin.incidents.models import ResponseChannel
from tocsin.people.models import Person
from tocsin.platform.models import Claimable


class ChatAccount(models.Model):
    """An account of a chat tool that belongs to a person; what it commands is done with that person's rights."""

    adapter = models.CharField(max_length=32)
    account = models.CharField(max_length=255)
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="chat_accounts")
    linked_at = models.DateTimeField()

    class Meta:
        ordering = ["adapter", "account"]
        constraints = [models.UniqueConstraint(fields=["adapter", "account"], name="chat_account_of_one_person")]


class ChatLink(models.Model):
    """A link that a person began: the account has to say the code before `expires_at`. Only what the code hashes to is kept.

    Several may begin one for the same account, so that nobody keeps its owner from proving it.
    """

    adapter = models.CharField(max_length=32)
    account = models.CharField(max_length=255)
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="chat_links")
    digest = models.CharField(max_length=64)
    tries_left = models.PositiveSmallIntegerField()
    begun_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        ordering = ["adapter", "account", "id"]
        constraints = [models.UniqueConstraint(fields=["adapter", "account", "person"], name="chat_link_begun_once")]


class GuestState(models.TextChoices):
    ASKED = "asked"
    INVITED = "invited"
    FAILING = "failing"  # tried again with growing waits
    GIVEN_UP = "given_up"


class RoomGuest(models.Model):
    """An account that is to be in the room of an incident, because its person responds to it; asked for since `asked_at`.

    `times` counts how often: whoever takes on something anew is invited anew, for they may have left the room.
    """

    channel = models.ForeignKey(ResponseChannel, on_delete=models.CASCADE, related_name="guests")
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+")
    account = models.CharField(max_length=255)
    state = models.CharField(max_length=16, choices=GuestState.choices, default=GuestState.ASKED)
    detail = models.CharField(max_length=300, blank=True, default="")
    asked_at = models.DateTimeField()
    times = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["channel", "account"], name="room_guest_once"),
            models.CheckConstraint(condition=models.Q(state__in=GuestState.values), name="room_guest_state_known"),
        ]


class ChatPlace(Claimable):
    """Up to where what people write in a chat tool was read. The row is the timer: at `next_at` the tool is asked."""

    adapter = models.CharField(max_length=32, unique=True)
    place = models.TextField(blank=True, default="")
    next_at = models.DateTimeField()
    heard_at = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveIntegerField(default=0)
    last_error = models.CharField(max_length=300, blank=True, default="")
