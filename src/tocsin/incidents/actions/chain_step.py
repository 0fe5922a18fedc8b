"""One tick of a wake-up chain: ask who is on call, let core decide, write pages and the next due time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from django.db.models import Q

from tocsin.alerts import queries as alerts
from tocsin.audit import actions as audit
from tocsin.audit.actions import Fact
from tocsin.audit.models import Entry
from tocsin.core import escalation as core
from tocsin.core import silences
from tocsin.core.access import SYSTEM
from tocsin.core.escalation import Cause, EscalationReason, Phase
from tocsin.core.facts import Kind
from tocsin.core.incident_lifecycle import Event, transition
from tocsin.core.incident_lifecycle import State as CoreState
from tocsin.core.process_definition import ProcessDefinition
from tocsin.incidents import page_text, snapshots
from tocsin.incidents.actions import paging
from tocsin.incidents.actions.incident_row import fact, save
from tocsin.incidents.actions.paging import FALLBACK, NewPage, TextOf
from tocsin.incidents.models import Escalation, EscalationState, Incident, State
from tocsin.oncall import queries as oncall
from tocsin.people import queries as people
from tocsin.people.models import Person
from tocsin.platform import outbox
from tocsin.platform.outbox import Outgoing

QUIET_LOOK = timedelta(seconds=30)
"""How often an incident that is kept quiet looks whether its silence or maintenance has ended."""
_ADDRESS = "address:"
_MACHINES = "integration:"
_STORED = {
    Phase.WAITING: EscalationState.RUNNING,
    Phase.ACKNOWLEDGED: EscalationState.STOPPED,
    Phase.SNOOZED: EscalationState.WAITING,
    Phase.QUIET: EscalationState.WAITING,
    Phase.EXHAUSTED: EscalationState.EXHAUSTED,
    Phase.ENDED: EscalationState.STOPPED,
}


def in_maintenance(incident: Incident) -> bool:
    """Whether the service's maintenance keeps this incident quiet: only what began after it did."""
    service = incident.service
    since = service.maintenance_since if service else None
    began_at = snapshots.reopened_at(incident) or incident.created_at
    return since is not None and began_at >= since


def store(row: Escalation, state: core.Escalation, *, now: datetime) -> None:
    row.position = snapshots.position_document(state)
    row.state = _STORED[state.phase]
    # Quiet has no end of its own in core; the row looks again, so that a due action always exists.
    row.next_at = now + QUIET_LOOK if state.phase is Phase.QUIET else state.next_at
    row.save(update_fields=["position", "state", "next_at"] if row.pk else None)


@dataclass(frozen=True, slots=True)
class _Reach:
    """The people behind each target of a policy, apart by whether anything leads to them."""

    persons: Mapping[str, Person]
    reachable: Mapping[str, list[str]]
    unreachable: Mapping[str, list[str]]


def advance(incident: Incident, row: Escalation, *, now: datetime) -> bool:
    """Do what is due for one incident; True when something was. Who is on call is asked anew at each step."""
    state = snapshots.position_of(row)
    policy = snapshots.policy_of(row)
    definition = snapshots.process_of(incident)
    if state.phase is Phase.ACKNOWLEDGED and state.next_at is not None and state.next_at <= now:
        state = _still_held_or_not(incident, state, policy, now=now)
    state = _quiet_or_not(incident, state, policy, now=now)
    if state.next_at is None or state.next_at > now:
        changed = row.position != snapshots.position_document(state) or (row.next_at is not None and row.next_at <= now)
        if changed:
            store(row, state, now=now)
        return changed
    if state.phase is Phase.SNOOZED:
        _end_snooze(incident, now=now)
    reach = _reach(incident, policy, now=now)
    hold = snapshots.hold_of(incident, definition)
    decide = partial(core.decide, state, policy, reach.reachable, now=now, unreachable=reach.unreachable, hold=hold)
    decision = decide()
    if decision.reason is EscalationReason.NOBODY_TO_TELL:
        # Only then, because most steps page somebody: who is left when the policy leads to nobody.
        others = _last_resort(now=now)
        reach = replace(reach, persons={**reach.persons, **others.persons})
        decision = decide(last_resort=others.names)
    store(row, decision.state, now=now)
    if decision.reason is EscalationReason.HELD:
        row.state = EscalationState.WAITING
        row.save(update_fields=["state"])
    if decision.reason is EscalationReason.EXHAUSTED:
        row.fallback_told_at = now
        row.save(update_fields=["fallback_told_at"])
    _write_down(incident, decision, reach, definition, first_end=state.phase is not Phase.EXHAUSTED, now=now)
    return True


def _quiet_or_not(incident: Incident, state: core.Escalation, policy: core.Policy, *, now: datetime) -> core.Escalation:
    """Silences and maintenance are looked at again at every step; a hand on the button goes through."""
    if state.phase is Phase.QUIET:
        return state if _kept_quiet(incident, now=now) else core.end_quiet(state, policy, now=now)
    due = state.phase is Phase.WAITING and state.next_at is not None and state.next_at <= now
    if due and state.cause is not Cause.BY_HAND and _silenced(incident, now=now):
        return replace(state, phase=Phase.QUIET, next_at=None)
    return state


def _silenced(incident: Incident, *, now: datetime) -> bool:
    held = silences.decide(alerts.active_silences(now), incident.labels, now=now)
    return bool(held.silenced_by)


def _kept_quiet(incident: Incident, *, now: datetime) -> bool:
    return in_maintenance(incident) or _silenced(incident, now=now)


def _still_held_or_not(
    incident: Incident, state: core.Escalation, policy: core.Policy, *, now: datetime
) -> core.Escalation:
    """Whoever took it may write nothing for so long; whatever people did since then gives it that time anew."""
    timeout = snapshots.acknowledged_quiet_of(incident)
    if timeout is None or incident.state != State.ACKNOWLEDGED:
        return replace(state, next_at=None)
    until = _last_word_at(incident, now=now) + timeout
    if until > now:
        return replace(state, next_at=until)
    take_back(incident)
    save(incident, "state", "acknowledged_at", "acknowledged_by", now=now)
    minutes = timeout // timedelta(minutes=1)
    why = f"Nothing was written down for {minutes} minute{'' if minutes == 1 else 's'}."
    audit.record(SYSTEM, [fact(incident, Kind.INCIDENT_UNACKNOWLEDGED, reason=why)], now=now)
    return core.acknowledgement_ran_out(state, policy, now=now)


def _last_word_at(incident: Incident, *, now: datetime) -> datetime:
    """When people last did anything about it; what machines write is no sign that somebody is on it."""
    taken_at = incident.acknowledged_at or now
    by_people = Entry.objects.filter(incident=incident.ref, at__gt=taken_at).exclude(
        Q(actor=SYSTEM.ident) | Q(actor__startswith=_MACHINES)
    )
    return by_people.order_by("-seq").values_list("at", flat=True).first() or taken_at


def _end_snooze(incident: Incident, *, now: datetime) -> None:
    incident.snoozed_until = None
    take_back(incident)
    save(incident, "snoozed_until", "state", "acknowledged_at", "acknowledged_by", now=now)
    audit.record(SYSTEM, [fact(incident, Kind.INCIDENT_SNOOZE_ENDED)], now=now)


def take_back(incident: Incident) -> bool:
    """An acknowledgement does not count any more; later steps of the response are not undone by it."""
    found = transition(CoreState(incident.state), Event.TAKE_BACK)
    if not found.changes or found.to is None:
        return False
    incident.state = found.to.value
    incident.acknowledged_at = incident.acknowledged_by = None
    return True


def _reach(incident: Incident, policy: core.Policy, *, now: datetime) -> _Reach:
    targets = [target for step in policy.steps for target in step.targets]
    found = oncall.people_for([*targets, *policy.fallback], now=now, team=incident.team)
    persons = {person.username: person for group in found.values() for person in group}
    can_be = {name: paging.is_reachable(person, now=now) for name, person in persons.items()}
    return _Reach(
        persons,
        {target: [one.username for one in group if can_be[one.username]] for target, group in found.items()},
        {target: [one.username for one in group if not can_be[one.username]] for target, group in found.items()},
    )


@dataclass(frozen=True, slots=True)
class _LastResort:
    names: list[str]
    persons: Mapping[str, Person]


def _last_resort(*, now: datetime) -> _LastResort:
    """The fallback contact if there is one, else every administrator with an address."""
    address = people.fallback_contact()
    if address:
        return _LastResort([f"{_ADDRESS}{address}"], {})
    admins = {person.username: person for person in people.administrators() if paging.is_reachable(person, now=now)}
    return _LastResort(list(admins), admins)


def _write_down(
    incident: Incident,
    decision: core.Decision,
    reach: _Reach,
    definition: ProcessDefinition,
    *,
    first_end: bool,
    now: datetime,
) -> None:
    facts: list[Fact] = [
        fact(incident, Kind.ESCALATION_STEP_SKIPPED, step=one.step + 1, loop=one.loop, reason=one.reason.text)
        for one in decision.passed_over
    ]
    ended_unanswered = decision.reason in {EscalationReason.EXHAUSTED, EscalationReason.NOBODY_TO_TELL}
    if ended_unanswered and first_end:  # while there is nobody to tell, the chain looks again every minute
        facts.append(fact(incident, Kind.ESCALATION_EXHAUSTED, reason=decision.reason.text))
    messages: list[Outgoing] = []
    text = _text_of(decision, now=now)
    for page in decision.pages:
        person = reach.persons.get(page.person)
        address = page.person.removeprefix(_ADDRESS) if person is None else ""
        new = NewPage(
            person=person,
            kind=page.kind.value,
            reason=decision.cause.value,
            loop=page.loop,
            step=page.step,
            address=address,
        )
        _, carried = paging.create(incident, new, definition=definition, text=text, now=now)
        messages += carried
        facts.append(_page_fact(incident, page, decision, person, address))
    audit.record(SYSTEM, facts, now=now)
    if messages:
        outbox.enqueue(messages, now=now)


def _page_fact(
    incident: Incident, page: core.Page, decision: core.Decision, person: Person | None, address: str
) -> Fact:
    if page.kind.value == FALLBACK:
        who = person.label if person else address
        return fact(incident, Kind.FALLBACK_TOLD, address=who, username=person.username if person else "")
    return fact(
        incident,
        Kind.PAGE_CREATED,
        person=person.label if person else address,
        username=person.username if person else "",
        target=page.target,
        loop=page.loop,
        step=(page.step or 0) + 1,
        reason=decision.cause.value,
        late_seconds=int(decision.late_by.total_seconds()),
    )


def _text_of(decision: core.Decision, *, now: datetime) -> TextOf:
    """First pages say what is wrong; later ones also why they come to this person."""
    kinds: Sequence[str] = [page.kind.value for page in decision.pages]
    if FALLBACK in kinds:
        return lambda facts: page_text.fallback(facts, now=now)
    if decision.cause in {Cause.STARTED, Cause.QUIET_ENDED, Cause.SNOOZE_ENDED}:
        return lambda facts: page_text.page(facts, now=now)
    return lambda facts: page_text.escalated(facts, after=decision.cause.text, now=now)
