"""Whose account in a chat tool it is: said by an administrator, or proved by the account itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.crypto import salted_hmac

from tocsin.audit import actions as audit
from tocsin.audit.actions import Fact
from tocsin.comms import chat_queries
from tocsin.comms.models import ChatAccount, ChatLink
from tocsin.core import chat_linking
from tocsin.core.access import Actor, Right, require
from tocsin.core.errors import Invalid, NotFound, Refused
from tocsin.core.facts import Kind
from tocsin.people import queries as people
from tocsin.people.models import Person
from tocsin.platform import ids
from tocsin.platform.text import one_line

_SALT = "tocsin.chat-link"
_KEPT = timedelta(days=1)
"""For so long a link that came to nothing is remembered, to say so to whoever is late."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What asking for a link came to: it is there (`code` is ""), or the account has to say the code until then."""

    adapter: str
    account: str
    username: str
    code: str = ""
    expires_at: datetime | None = None


def ask_for_chat_account(actor: Actor, *, adapter: str, account: str, username: str, now: datetime) -> Asked:
    """Link at once with the right to change people; else begin a link of one's own that the account has to prove.

    Raises Invalid, NotFound, and Refused for an account that is another person's.
    """
    if actor.may(Right.PEOPLE_WRITE):  # the action asks for it
        row = link_chat_account(actor, adapter=adapter, account=account, username=username, now=now)
        return Asked(row.adapter, row.account, row.person.username)
    with transaction.atomic():
        person = people.person(username)
        people.require_self_or(actor, Right.PEOPLE_WRITE, person)
        name = _read(adapter, account)
        linked = ChatAccount.objects.filter(adapter=adapter, account=name).first()
        if linked is not None and linked.person_id != person.pk:
            raise _is_another_s(name)
        if linked is not None:
            return Asked(adapter, name, person.username)
        return _begin(actor, adapter, name, person, now=now)


def _begin(actor: Actor, adapter: str, account: str, person: Person, *, now: datetime) -> Asked:
    """A new code; the one before it is worth nothing any more."""
    code = ids.new_code(chat_linking.SIGNS, chat_linking.LENGTH)
    ends = now + chat_linking.LASTS
    ChatLink.objects.filter(expires_at__lt=now - _KEPT).delete()
    ChatLink.objects.update_or_create(
        adapter=adapter,
        account=account,
        person=person,
        defaults={
            "digest": code_digest(adapter, account, code),
            "tries_left": chat_linking.TRIES,
            "begun_at": now,
            "expires_at": ends,
        },
    )
    data = {"person": person.username, "adapter": adapter, "account": account}
    audit.record(actor, [Fact(kind=Kind.CHAT_LINK_BEGUN, data=data)], now=now)
    return Asked(adapter, account, person.username, code, ends)


def code_digest(adapter: str, account: str, code: str) -> str:
    """What is kept of a code: worth nothing without this installation's secret key."""
    return salted_hmac(_SALT, f"{adapter}\n{account}\n{code}", algorithm="sha256").hexdigest()


def link_chat_account(actor: Actor, *, adapter: str, account: str, username: str, now: datetime) -> ChatAccount:
    """Let what an account commands be done as a person, without proof: for whoever may change people.

    Raises Invalid, NotFound, and Refused for an account that is another person's.
    """
    require(actor, Right.PEOPLE_WRITE)
    name = _read(adapter, account)
    with transaction.atomic():
        return tie(actor, adapter, name, people.person(username), by="administrator", now=now)


def _read(adapter: str, account: str) -> str:
    name = one_line(account, limit=255)
    faults = {}
    if adapter not in chat_linking.TOOLS:
        faults["adapter"] = f"It is one of {', '.join(chat_linking.TOOLS)}."
    if not name or " " in name:
        faults["account"] = "Give the account as the tool names it, for example @mara:example.org or U012AB3CD."
    if faults:
        raise Invalid(faults)
    return name


def tie(actor: Actor, adapter: str, account: str, person: Person, *, by: str, now: datetime) -> ChatAccount:
    """Write down that an account is a person's. Raises Refused when it is another's. Part of the caller's change."""
    row, made = ChatAccount.objects.get_or_create(
        adapter=adapter, account=account, defaults={"person": person, "linked_at": now}
    )
    if row.person_id != person.pk:
        raise _is_another_s(account)
    ChatLink.objects.filter(adapter=adapter, account=account).delete()
    if made:
        data = {"person": person.username, "adapter": adapter, "account": account, "change": "linked", "by": by}
        audit.record(actor, [Fact(kind=Kind.CHAT_ACCOUNT_LINKED, data=data)], now=now)
    return row


def _is_another_s(account: str) -> Refused:
    return Refused(
        f"{account} is linked to somebody else already.",
        reason="linked_already",
        remedy="Whoever it is linked to, or an administrator, can end that link first.",
    )


def unlink_chat_account(actor: Actor, *, adapter: str, account: str, now: datetime) -> None:
    """The account commands nothing any more; a link of one's own that waits for its code is taken back. Raises NotFound."""
    with transaction.atomic():
        row = ChatAccount.objects.select_related("person").filter(adapter=adapter, account=account).first()
        if row is None:
            _take_back(actor, adapter, account, now=now)
            return
        people.require_self_or(actor, Right.PEOPLE_WRITE, row.person)
        row.delete()
        _note_end(actor, adapter, account, row.person, "unlinked", now=now)


def _take_back(actor: Actor, adapter: str, account: str, *, now: datetime) -> None:
    waiting = chat_queries.begun_links(actor, now=now)
    mine = [row for row in waiting if (row.adapter, row.account) == (adapter, account)]
    if not mine:
        raise NotFound(f"There is no account {account} of {adapter} here.")
    for row in mine:
        row.delete()
        _note_end(actor, adapter, account, row.person, "no longer asked for", now=now)


def _note_end(actor: Actor, adapter: str, account: str, person: Person, change: str, *, now: datetime) -> None:
    data = {"person": person.username, "adapter": adapter, "account": account, "change": change}
    audit.record(actor, [Fact(kind=Kind.CHAT_ACCOUNT_LINKED, data=data)], now=now)
