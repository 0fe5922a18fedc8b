"""An account of a chat tool says the code of a link that was begun for it, and is its person's from then on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.crypto import constant_time_compare

from tocsin.audit import actions as audit
from tocsin.audit.actions import Fact
from tocsin.comms.actions.chat_accounts import code_digest, tie
from tocsin.comms.models import ChatLink
from tocsin.core import chat_linking
from tocsin.core.access import Actor, ActorKind, Role
from tocsin.core.chat_linking import Begun, Proof
from tocsin.core.errors import Refused
from tocsin.core.facts import Kind
from tocsin.people import queries as people
from tocsin.platform import db
from tocsin.platform.addresses import public_url
from tocsin.platform.text import one_line

_NAMED_UNIQUELY = frozenset({"mattermost"})
"""Where a name is one person's on the whole server, a link may be begun for the name and proved by the account."""


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who says something in a chat tool: the account by which the tool knows them, and the name it shows."""

    adapter: str
    account: str
    name: str = ""

    @property
    def label(self) -> str:
        return f"{self.name} ({self.account})" if self.name and self.name != self.account else self.account


def how_to_link(speaker: Speaker) -> str:
    """What somebody without a link does to get one."""
    return (
        f"Link it at {public_url()}/me, or with: tocsin chat link --adapter {speaker.adapter} "
        f"--account {speaker.account} --user YOU. You get a code to write here."
    )


def prove_chat_account(speaker: Speaker, code: str, *, now: datetime) -> str:
    """Link the account when the code is that of a link begun for it; says what became of it.

    A wrong code costs every link that was begun for the account a try, and changes nothing else.
    """
    said = chat_linking.read(one_line(code, limit=64))
    if not said:
        return "Write the code behind it: link CODE. Nothing was changed."
    with transaction.atomic():
        begun = ChatLink.objects.filter(adapter=speaker.adapter, account__in=_names(speaker)).select_related("person")
        rows = list(db.lock(begun))
        judged = chat_linking.judge([_begun(row, said) for row in rows], now=now)
        if judged.proof is Proof.GOOD:
            return _prove(speaker, next(row for row in rows if row.pk == judged.ident), now=now)
        if judged.proof is Proof.WRONG:
            _note_wrong(speaker, rows, judged.tries_left, now=now)
            return f"That is not the code. Nothing was changed; {_tries(judged.tries_left)} left."
    if judged.proof is Proof.OVER:
        return f"That code is over. Nothing was changed. Begin again. {how_to_link(speaker)}"
    return f"Nobody asked to link {speaker.label}. Nothing was changed. {how_to_link(speaker)}"


def _names(speaker: Speaker) -> list[str]:
    return [speaker.account, speaker.name] if speaker.adapter in _NAMED_UNIQUELY and speaker.name else [speaker.account]


def _begun(row: ChatLink, said: str) -> Begun:
    fits = constant_time_compare(row.digest, code_digest(row.adapter, row.account, said)) and row.person.is_active
    return Begun(row.pk, fits, row.expires_at, row.tries_left)


def _prove(speaker: Speaker, row: ChatLink, *, now: datetime) -> str:
    person = row.person
    row.delete()
    try:
        with transaction.atomic():
            tie(people.actor_of(person), speaker.adapter, speaker.account, person, by="code", now=now)
    except Refused as refusal:
        return f"{refusal.message} {refusal.remedy} Nothing was changed."
    return f"Linked: {speaker.label} is {person.label}. What it commands is done with their rights, under their name."


def _note_wrong(speaker: Speaker, rows: list[ChatLink], left: int, *, now: datetime) -> None:
    for row in rows:
        row.tries_left = max(row.tries_left - 1, 0)
        row.save(update_fields=["tries_left"])
    ident = one_line(f"{speaker.adapter}:{speaker.account}", limit=150)
    stranger = Actor(kind=ActorKind.INTEGRATION, ident=ident, display_name=speaker.name, role=Role.RESPONDER)
    data = {"adapter": speaker.adapter, "account": speaker.account, "tries_left": left}
    audit.record(stranger, [Fact(kind=Kind.CHAT_LINK_REFUSED, data=data)], now=now)


def _tries(left: int) -> str:
    return "1 try is" if left == 1 else f"{left} tries are" if left else "no try is"
