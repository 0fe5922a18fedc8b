"""Everything the page of one incident shows, gathered once: the facts, the people, what is owed, what was said."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tocsin.alerts.models import Alert
from tocsin.audit.models import Entry
from tocsin.audit.queries import Excerpt, excerpt
from tocsin.catalog import queries as catalog
from tocsin.catalog.models import Service
from tocsin.core.access import Actor, Right
from tocsin.core.adherence_record import CLASSIFYING
from tocsin.core.escalation import Phase
from tocsin.core.facts import Kind
from tocsin.core.incident_escalations import Direction
from tocsin.core.process_answers import channel_by_hand
from tocsin.core.roles import RequiredRole, required_roles
from tocsin.incidents import desk_queries, people_queries, queries, snapshots, timeline
from tocsin.incidents.actions import rank
from tocsin.incidents.actions.undoing import UNDO_WITHIN
from tocsin.incidents.course import READ_KINDS as COURSE_KINDS
from tocsin.incidents.course import REGULATORY, authorities, course
from tocsin.incidents.earlier import before
from tocsin.incidents.kin import kin_of
from tocsin.incidents.links import links_of
from tocsin.incidents.models import (
    OPEN_STATES,
    Incident,
    Obligation,
    ObligationState,
    Page,
    ResponseChannel,
    RoleHeld,
    State,
)
from tocsin.incidents.queries import Rung, TimelineLine
from tocsin.insights.response_rows import READ_KINDS as RESPONSE_KINDS
from tocsin.oncall import queries as oncall
from tocsin.people import queries as people
from tocsin.postmortems.models import Postmortem
from tocsin.web import classification, effects, wellbeing
from tocsin.web.incident_chart import error_share
from tocsin.web.incident_proposal import proposed_rank

UNDOABLE = {
    Kind.PRIORITY_CHANGED: "the change of priority",
    Kind.SEVERITY_CHANGED: "the change of severity",
    Kind.INCIDENT_RESOLVED: "resolving",
}
_UNDONE_OR_NOT = (*UNDOABLE, Kind.INCIDENT_REOPENED)
LOOKED_AT = frozenset(
    (*CLASSIFYING, *_UNDONE_OR_NOT, *COURSE_KINDS, *REGULATORY, *RESPONSE_KINDS, Kind.CHANGE_REPORTED)
)
"""The kinds of entries that some card of the page looks at; read once for all of them."""
TAIL = 40
BESIDES = {Kind.PAGE_ACCEPTED, Kind.ALERT_REPEATED}
"""Entries that the page tells elsewhere or that repeat; the whole timeline has them."""


@dataclass(frozen=True, slots=True)
class UndoOffer:
    """The last thing that can still be taken back, and until when."""

    seq: int
    what: str
    until: datetime


@dataclass(frozen=True, slots=True)
class RoleRow:
    """A role of this incident: who holds it; empty and called means somebody is missing."""

    code: str
    name: str
    people: list[RoleHeld]
    called: bool
    asked: list[Page] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class PageRow:
    """One page to one person, with every message that carried it."""

    page: Page
    rungs: list[Rung]

    @property
    def whom(self) -> str:
        if self.page.person:
            return self.page.person.label
        return "Management" if self.page.kind == Direction.HIERARCHIC else "Fallback contact"


@dataclass(frozen=True, slots=True)
class NextStep:
    """Who is asked next and when. `if_quiet`: somebody has it, and they are asked only if nothing is written down."""

    at: datetime
    names: list[str]
    if_quiet: bool = False


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A service this one depends on; `incident` when something is open there."""

    service: Service
    incident: Incident | None


def rights(actor: Actor, incident: Incident, *, held: Iterable[RoleHeld], now: datetime) -> dict[str, bool]:
    """What this person may do here, by short name, for showing buttons; the actions check again."""
    asked = {
        "take": Right.INCIDENT_ACKNOWLEDGE,
        "classify": Right.INCIDENT_CLASSIFY,
        "resolve": Right.INCIDENT_RESOLVE,
        "escalate": Right.INCIDENT_ESCALATE,
        "annotate": Right.INCIDENT_ANNOTATE,
        "assign": Right.INCIDENT_ASSIGN,
        "fulfil": Right.OBLIGATION_FULFIL,
        "waive": Right.OBLIGATION_WAIVE,
        "update": Right.UPDATE_SEND,
    }
    allowed = rank.allowed(actor, incident, [*asked.values(), Right.PAGE_OFF_CALL], held=held, now=now)
    found = {name: right in allowed for name, right in asked.items()}
    standing = actor.may(Right.INCIDENT_ASSIGN, team=incident.team.name if incident.team else None)
    return {**found, "join": actor.may(Right.INCIDENT_JOIN), "ask": standing, "pull": Right.PAGE_OFF_CALL in allowed}


def context(actor: Actor, incident: Incident, *, now: datetime) -> dict[str, Any]:
    """The template's context."""
    definition = snapshots.process_of(incident)
    shown = timeline.part(actor, incident, limit=TAIL, without=BESIDES)
    held = people_queries.roles_of(incident)
    own = people_queries.own_roles(incident, actor.ident, held=held)
    log = excerpt(incident.ref, LOOKED_AT)
    paged = sorted(incident.pages.select_related("person"), key=lambda page: (page.created_at, page.pk))
    owed = queries.obligations_of(incident)
    links = links_of(actor, incident, owed=owed, log=log)
    kin = kin_of(incident)
    priority = definition.catalogue.by_rank(incident.priority) if incident.priority else None
    may = rights(actor, incident, held=held, now=now)
    open_owed = [one for one in owed if one.state == ObligationState.OPEN]
    return {
        "incident": incident,
        "definition": definition,
        "course": course(actor, incident, log),
        "classification": classification.card(incident, definition, _classified(incident, log)),
        "channel": next(iter(ResponseChannel.objects.filter(incident=incident)), None),
        "channel_by_hand": incident.is_open and channel_by_hand(definition, incident.severity),
        "asks_priority": incident.is_open or incident.state == State.RESOLVED,
        "proposed": proposed_rank(incident),
        "priority": priority,
        "asks_for": effects.of_priority(priority) if priority else [],
        "may": may,
        "undo": undo_offer(_lately(log, now=now), now=now) if may["classify"] else None,
        "lines": shown.lines,
        "earlier": shown.earlier,
        "names": names_in(actor, [*shown.lines, *log.entries], incident.source, *(one.waived_by for one in owed)),
        "owed": open_owed,
        "settled": [one for one in owed if one.state != ObligationState.OPEN],
        "next_update": _next_update(open_owed),
        "pages": _pages(incident, paged),
        "next_step": next_step(incident, now=now),
        "roles": role_rows(incident, paged, held),
        "own_roles": [one.role for one in own],
        "looks_on": people_queries.looks_on(incident, own),
        "actor": actor,
        "asks": people_queries.asked_for(actor, incident),
        "last_decision": desk_queries.last_decision(incident),
        "open_questions": desk_queries.open_questions(incident),
        "before": before(incident),
        "neighbours": neighbours(incident, links.depends_on),
        "continues": kin.continues,
        "continued_by": kin.continued_by,
        "causes": kin.causes,
        "dependents": kin.dependents,
        "silent_since": queries.silent_since(incident),
        "chart": error_share(incident, now=now),
        "runbook": links.runbook,
        "links": links,
        "explanation": _explanation(incident, links.alerts),
        "can_reopen": _can_reopen(incident, definition.lifecycle.reopen_within, now=now),
        "steps": [State.INVESTIGATING, State.IDENTIFIED, State.MITIGATED],
        "authorities": (told := authorities(actor, incident, log)),
        "authority_late": any(part.is_late(now=now) for one in told for part in one.reports if part.sent_at is None),
        "has_review": Postmortem.objects.filter(incident=incident).exists(),
        "care": wellbeing.card(actor, incident, held=held, log=log, now=now),
    }


def names(actor: Actor) -> dict[str, str]:
    """What to call the people whom the log names by their plain ids."""
    return {person.username: person.label for person in people.persons(actor, include_disabled=True)}


def names_in(actor: Actor, lines: Iterable[TimelineLine | Entry], *others: str) -> dict[str, str]:
    """What to call the people whom these lines name, and these others; who is no person keeps their name."""
    idents = {*(line.actor for line in lines), *others}
    return {one: one for one in idents} | people.labels(actor, idents)


def _classified(incident: Incident, log: Excerpt) -> list[TimelineLine]:
    """Every entry that set or changed the priority or the severity; few in any incident."""
    return timeline.since(log, incident.created_at, kinds=CLASSIFYING)


def _lately(log: Excerpt, *, now: datetime) -> list[TimelineLine]:
    return timeline.since(log, now - UNDO_WITHIN, kinds=_UNDONE_OR_NOT)


def undo_offer(lines: Sequence[TimelineLine], *, now: datetime) -> UndoOffer | None:
    """The newest entry that may still be taken back, unless it was taken back or is itself a taking back."""
    undone = {line.data.get("undo_of") for line in lines if line.data}
    for line in reversed(lines):
        until = line.at + UNDO_WITHIN
        if until <= now:
            return None
        taken_back = line.seq in undone or (line.data or {}).get("undo_of")
        if line.kind in UNDOABLE and not taken_back:
            return UndoOffer(line.seq, UNDOABLE[Kind(line.kind)], until)
    return None


def _next_update(owed: Sequence[Obligation]) -> Obligation | None:
    updates = [one for one in owed if one.kind in snapshots.UPDATE_KINDS and one.due_at]
    return min(updates, key=lambda one: one.due_at, default=None)  # type: ignore[arg-type, return-value]


def _pages(incident: Incident, pages: Sequence[Page]) -> list[PageRow]:
    by_page: dict[int, list[Rung]] = {}
    for rung in queries.ladder_of(incident, pages):
        by_page.setdefault(rung.page.pk, []).append(rung)
    return [PageRow(page, by_page.get(page.pk, [])) for page in pages]


def next_step(incident: Incident, *, now: datetime) -> NextStep | None:
    """Whom the chain asks next, as far as can be said now: who is on call is read anew when it is due."""
    row = getattr(incident, "escalation", None)
    if row is None or row.next_at is None or not incident.is_open:
        return None
    steps = snapshots.policy_of(row).steps
    position = snapshots.position_of(row)
    begins_anew = position.phase in {Phase.ACKNOWLEDGED, Phase.SNOOZED}
    coming = 0 if begins_anew or position.step is None else position.step + 1
    if coming >= len(steps):
        return NextStep(row.next_at, [])
    found = oncall.people_for(steps[coming].targets, now=now, team=incident.team)
    names = [person.label for group in found.values() for person in group]
    return NextStep(row.next_at, names, if_quiet=position.phase is Phase.ACKNOWLEDGED)


def role_rows(
    incident: Incident, paged: Iterable[Page] | None = None, roles: Iterable[RoleHeld] | None = None
) -> list[RoleRow]:
    """The roles called or held, called ones first, in the order of the process; `paged` and `roles` if at hand."""
    definition = snapshots.process_of(incident)
    called: dict[str, RequiredRole] = {one.role: one for one in required_roles(definition, incident.severity)}
    held: dict[str, list[RoleHeld]] = {}
    for row in people_queries.roles_of(incident) if roles is None else roles:
        if row.until_at is None:
            held.setdefault(row.role, []).append(row)
    asked: dict[str, list[Page]] = {}
    if paged is None:
        paged = incident.pages.filter(kind="role", answer="").select_related("person")
    for page in paged:
        if page.kind != "role" or page.answer:
            continue
        asked.setdefault(page.reason, []).append(page)
    return [
        RoleRow(
            one.code,
            one.display_name,
            held.get(one.code, []),
            one.code in called and incident.is_open,
            asked.get(one.code, []) if incident.is_open else [],
        )
        for one in definition.roles.roles
        if one.code in held or (one.code in called and incident.is_open)
    ]


def next_update(incident: Incident) -> Obligation | None:
    """The update that is owed next."""
    kinds = [kind.value for kind in snapshots.UPDATE_KINDS]
    rows = Obligation.objects.filter(
        incident=incident, state=ObligationState.OPEN, kind__in=kinds, due_at__isnull=False
    )
    found = next(iter(rows.select_related("owner").order_by("due_at", "pk")[:1]), None)
    if found is not None:
        found.incident = incident
    return found


def neighbours(incident: Incident, needed: Iterable[Service] | None = None) -> list[Neighbour]:
    """The services it needs, and what is open there; `needed` if they are at hand."""
    if incident.service is None:
        return []
    services = list(catalog.depends_on(incident.service) if needed is None else needed)
    if not services:
        return []
    open_there = Incident.objects.filter(service__in=services, state__in=OPEN_STATES).exclude(pk=incident.pk)
    open_there = open_there.only("number", "title", "service_id")
    by_service = {row.service_id: row for row in open_there}
    return [Neighbour(service, by_service.get(service.pk)) for service in services]


def _explanation(incident: Incident, alerts: Sequence[Alert]) -> dict[str, Any] | None:
    """Why it began: the newest alert attached to it, with its own words and numbers."""
    if not alerts:
        return None
    [alert] = alerts
    row = getattr(incident, "escalation", None)
    return {
        "alert": alert,
        "text": str(alert.annotations.get("explanation") or alert.annotations.get("description") or ""),
        "policy": str(row.policy.get("name") or "") if row else "",
    }


def _can_reopen(incident: Incident, window: timedelta, *, now: datetime) -> bool:
    ended = incident.resolved_at
    return incident.state == State.RESOLVED and ended is not None and now - ended <= window
