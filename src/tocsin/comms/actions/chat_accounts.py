"""Whose account in a chat tool it is."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from tocsin.audit import actions as audit
from tocsin.audit.actions import Fact
from tocsin.comms.models import ChatAccount
from tocsin.core.access import Actor, Right
from tocsin.core.errors import Invalid, NotFound, Refused
from tocsin.core.facts import Kind
from tocsin.people import queries as people
from tocsin.platform.text import one_line

ADAPTERS = ("matrix", "slack", "mattermost")
"""The tools that tell us who says something."""


def link_chat_account(actor: Actor, *, adapter: str, account: str, username: str, now: datetime) -> ChatAccount:
    """Let what an account commands be done as a person, with that person's rights.

    One's own account, or anybody's with the right to change people. Raises Invalid, NotFound, and Refused for an
    account that is another person's.
    """
    name = one_line(account, limit=255)
    faults = {}
    if adapter not in ADAPTERS:
        faults["adapter"] = f"It is one of {', '.join(ADAPTERS)}."
    if not name or " " in name:
        faults["account"] = "Give the account as the tool names it, for example @mara:example.org or U012AB3CD."
    if faults:
        raise Invalid(faults)
    with transaction.atomic():
        person = people.person(username)
        people.require_self_or(actor, Right.PEOPLE_WRITE, person)
        row, made = ChatAccount.objects.get_or_create(
            adapter=adapter, account=name, defaults={"person": person, "linked_at": now}
        )
        if row.person_id != person.pk:
            raise Refused(
                f"{name} is linked to somebody else already.",
                reason="linked_already",
                remedy="Whoever it is linked to, or an administrator, can end that link first.",
            )
        if made:
            data = {"person": person.username, "adapter": adapter, "account": name, "change": "linked"}
            audit.record(actor, [Fact(kind=Kind.CHAT_ACCOUNT_LINKED, data=data)], now=now)
    return row


def unlink_chat_account(actor: Actor, *, adapter: str, account: str, now: datetime) -> None:
    """The account commands nothing any more. Raises NotFound."""
    with transaction.atomic():
        row = ChatAccount.objects.select_related("person").filter(adapter=adapter, account=account).first()
        if row is None:
            raise NotFound(f"There is no account {account} of {adapter} here.")
        people.require_self_or(actor, Right.PEOPLE_WRITE, row.person)
        row.delete()
        data = {"person": row.person.username, "adapter": adapter, "account": account, "change": "unlinked"}
        audit.record(actor, [Fact(kind=Kind.CHAT_ACCOUNT_LINKED, data=data)], now=now)
