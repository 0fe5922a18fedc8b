"""Write pages and the messages that carry them. A page is a row; whether it was read, only its answer says."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tocsin.audit.actions import stamp
from tocsin.core.delivery_plan import Attempt, Traffic, delivery_plan, lane
from tocsin.core.incident_escalations import Direction
from tocsin.core.process_definition import ProcessDefinition
from tocsin.incidents import page_text
from tocsin.incidents.models import CHAIN_KINDS, Incident, Page
from tocsin.incidents.page_text import PageFacts, PageText
from tocsin.incidents.priority_words import priority_code
from tocsin.incidents.runbooks import runbook_of
from tocsin.people.models import ContactMethod, Person
from tocsin.people.snapshots import contact
from tocsin.platform import ids, outbox
from tocsin.platform.addresses import public_url
from tocsin.platform.models import OutboxMessage, OutboxState
from tocsin.platform.outbox import Outgoing

PAGE, FALLBACK, ROLE, STAND_DOWN, FOLLOW_UP = "page", "fallback", "role", "stand_down", "follow_up"
CHAIN = frozenset(CHAIN_KINDS)
ESCALATIONS = frozenset(direction.value for direction in Direction)
"""Pages of an escalation; their `reason` is the number of the log entry that made it."""
PAGE_LIFE = timedelta(hours=4)
"""A page that could not be handed over for so long wakes nobody any more; the chain has gone on long since."""
_NO_STEP = -1

TextOf = Callable[[PageFacts], PageText]
"""A text that is filled in once the link and the reader's time zone are known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPage:
    """One person (or, without one, an address) to page, and why."""

    person: Person | None
    kind: str
    reason: str
    loop: int = 0
    step: int | None = None
    repeat: int = 0
    address: str = ""


def plan_for(person: Person, *, now: datetime) -> list[tuple[Attempt, ContactMethod]]:
    """By which ways and when a person is tried. Ways that nobody has tried out are used when no other is left."""
    methods = {contact(method): method for method in person.contact_methods.all()}
    return [(attempt, methods[attempt.contact]) for attempt in delivery_plan(list(methods), now=now, last_resort=True)]


def is_reachable(person: Person, *, now: datetime) -> bool:
    return bool(plan_for(person, now=now))


def facts_of(incident: Incident, definition: ProcessDefinition, *, url: str, time_zone: str) -> PageFacts:
    """What a message to somebody with that time zone tells of an incident."""
    service = incident.service
    code = priority_code(definition, incident.priority, incident.priority_state)
    if incident.priority is None and incident.priority_state == "unset":
        # Not decided yet, so it is treated as the process says, and the mark says that it is a guess.
        code = f"{priority_code(definition, definition.catalogue.unset_rank, 'set')}?"
    runbook = runbook_of(incident, definition)
    return PageFacts(
        code=code,
        ref=incident.ref,
        service=service.label if service else incident.source or incident.ref,
        what=incident.title,
        since_at=incident.created_at,
        time_zone=time_zone,
        url=url,
        runbook_url=runbook.url,
        priority=runbook.priority,
        priority_url=runbook.priority_url,
    )


def page_url(token: str) -> str:
    return f"{public_url()}/p/{token}"


def incident_url(incident: Incident) -> str:
    return f"{public_url()}/i/{incident.number}"


def create(
    incident: Incident, new: NewPage, *, definition: ProcessDefinition, text: TextOf, now: datetime
) -> tuple[Page, list[Outgoing]]:
    """The row of one page and its messages, not yet enqueued. The token is in the link and nowhere else."""
    token = ids.new_secret()
    row = Page.objects.create(
        incident=incident,
        generation=incident.generation,
        loop=new.loop,
        step=_NO_STEP if new.step is None else new.step,
        repeat=new.repeat,
        person=new.person,
        kind=new.kind,
        reason=new.reason,
        token_digest=ids.digest(token),
        created_at=now,
    )
    zone_name = new.person.time_zone if new.person else _zone_of(incident)
    said = text(facts_of(incident, definition, url=page_url(token), time_zone=zone_name))
    rank_lane = message_lane(incident, definition, Traffic.PAGE)
    ways = plan_for(new.person, now=now) if new.person else []
    messages = [_by(incident, row, attempt, method, said, rank_lane, now=now) for attempt, method in ways]
    if new.address:
        messages.append(_to_address(incident, row, new.address, said, rank_lane, now=now))
    return row, messages


def _zone_of(incident: Incident) -> str:
    return incident.team.time_zone if incident.team else "UTC"


def message_lane(incident: Incident, definition: ProcessDefinition, traffic: Traffic) -> int:
    """The lane of the send queue for a message about that incident."""
    return lane(traffic, priority=incident.priority, unset_as=definition.catalogue.unset_rank)


def _by(
    incident: Incident,
    row: Page,
    attempt: Attempt,
    method: ContactMethod,
    said: PageText,
    rank_lane: int,
    *,
    now: datetime,
) -> Outgoing:
    person = method.person
    return Outgoing(
        key=f"page-{_place(row)}-{person.pk}-{method.pk}",
        kind=row.kind,
        channel=method.channel,
        address=method.address,
        payload=payload(
            incident, said, kind=header_kind(row.kind), to_name=person.label, channel=method.channel, now=now
        ),
        lane=rank_lane,
        incident=incident.ref,
        subject_kind="page",
        subject_id=str(row.pk),
        not_before=attempt.at,
        expires_at=now + PAGE_LIFE,
    )


def _to_address(
    incident: Incident, row: Page, address: str, said: PageText, rank_lane: int, *, now: datetime
) -> Outgoing:
    return Outgoing(
        key=f"page-{_place(row)}-{row.pk}",
        kind=row.kind,
        channel="email",
        address=address,
        payload=payload(incident, said, kind=header_kind(row.kind), to_name="", channel="email", now=now),
        lane=rank_lane,
        incident=incident.ref,
        subject_kind="page",
        subject_id=str(row.pk),
        expires_at=now + PAGE_LIFE,
    )


def _place(row: Page) -> str:
    return f"{row.incident.number}-{row.generation}-{row.loop}-{row.step}-{row.repeat}-{row.kind}"


def header_kind(kind: str) -> str:
    """What X-Update-Kind says: to be asked to join in a role, or for another team, is a page as well."""
    return PAGE if kind == ROLE or kind in ESCALATIONS else kind


def payload(
    incident: Incident, said: PageText, *, kind: str, to_name: str, channel: str, now: datetime
) -> dict[str, Any]:
    """The message as its channel takes it."""
    if channel == "webhook":
        data = {"incident": incident.ref, "kind": kind, "subject": said.subject, "text": said.text, "person": to_name}
        return {"type": f"incident.{kind}", "timestamp": stamp(now), "data": data}
    return {"subject": said.subject, "text": said.text, "to_name": to_name, "headers": headers(incident, kind=kind)}


def headers(incident: Incident, *, kind: str) -> dict[str, str]:
    """One thread an incident, and what a filter or a test may go by."""
    thread = f"<{incident.ref}@tocsin>"
    return {"X-Incident-Id": incident.ref, "X-Update-Kind": kind, "References": thread, "In-Reply-To": thread}


def tell(
    incident: Incident,
    people: Sequence[Person],
    text: Mapping[int, PageText],
    *,
    kind: str,
    key: str,
    definition: ProcessDefinition,
    now: datetime,
    not_before: datetime | None = None,
) -> None:
    """A mail that is no page to each of `people` with an address; `text` by the person's primary key."""
    messages = [
        Outgoing(
            key=f"{key}-{person.pk}",
            kind=kind,
            channel="email",
            address=address,
            payload=payload(incident, text[person.pk], kind=kind, to_name=person.label, channel="email", now=now),
            lane=message_lane(incident, definition, Traffic.FOLLOW_UP),
            incident=incident.ref,
            not_before=not_before,
        )
        for person in people
        if (address := mail_address(person))
    ]
    if messages:
        outbox.enqueue(messages, now=now)


def mail_address(person: Person) -> str:
    """Where mail that is no page goes: the enabled mail contact, else the account's own address."""
    methods = [method for method in person.contact_methods.all() if method.channel == "email" and method.enabled]
    return methods[0].address if methods else person.email


def stand_down(
    incident: Incident, *, taken_by: Person | None, definition: ProcessDefinition, by: str = "", now: datetime
) -> None:
    """Take back what has not left; what is leaving is marked; who was told already hears that nothing is to be done.

    `by` names whoever has it where that is no person known here; nobody at all means that it is over.
    """
    open_pages = list(
        Page.objects.filter(incident=incident, generation=incident.generation, answer="", kind__in=[PAGE, FALLBACK])
        .select_related("person")
        .prefetch_related("person__contact_methods")
    )
    states = _message_states(open_pages)
    raced = [page.pk for page in open_pages if OutboxState.CLAIMED in states.get(page.pk, set())]
    Page.objects.filter(pk__in=raced).update(raced=True)
    take_back_unsent(incident)
    reached = {OutboxState.SENT, OutboxState.CLAIMED}
    told = {page.person for page in open_pages if page.person and states.get(page.pk, set()) & reached}
    others = sorted((person for person in told if person != taken_by), key=lambda person: person.pk)
    who = taken_by.label if taken_by else by
    _send_stand_down(incident, others, who=who, definition=definition, now=now)


def take_back_unsent(incident: Incident) -> None:
    """Pages of the chain that have not left do not leave any more; requests to join in a role stay."""
    for kind in (PAGE, FALLBACK):
        outbox.cancel_unsent(kind=kind, incident=incident.ref)


def take_back_requests(incident: Incident) -> None:
    """What else waits to be said to responders is pointless once it is over."""
    for kind in (ROLE, FOLLOW_UP, *sorted(ESCALATIONS)):
        outbox.cancel_unsent(kind=kind, incident=incident.ref)


def _message_states(pages: Sequence[Page]) -> dict[int, set[str]]:
    states: dict[int, set[str]] = {}
    ids_of = [str(page.pk) for page in pages]
    rows = OutboxMessage.objects.filter(subject_kind="page", subject_id__in=ids_of)
    for subject_id, state in rows.values_list("subject_id", "state"):
        states.setdefault(int(subject_id), set()).add(state)
    return states


def _send_stand_down(
    incident: Incident,
    people: Sequence[Person],
    *,
    who: str,
    definition: ProcessDefinition,
    now: datetime,
) -> None:
    texts = {
        person.pk: page_text.stand_down(
            facts_of(incident, definition, url=incident_url(incident), time_zone=person.time_zone), who=who
        )
        for person in people
    }
    key = f"stand-down-{incident.number}-{incident.generation}-{incident.version}"
    tell(incident, people, texts, kind=STAND_DOWN, key=key, definition=definition, now=now)
