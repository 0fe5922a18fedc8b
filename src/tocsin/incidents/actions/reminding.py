"""Whoever owes something to a decision is reminded when its time is up, once. A reminder stands in nobody's way."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from django.db import transaction
from django.db.models import Q, QuerySet

from tocsin.audit import actions as audit
from tocsin.audit.actions import stamp
from tocsin.core.access import SYSTEM
from tocsin.core.decision_duties import DecisionDuty
from tocsin.core.facts import Kind
from tocsin.core.process_answers import Addressees, taking_in
from tocsin.incidents import page_text, snapshots
from tocsin.incidents.actions import paging
from tocsin.incidents.actions.incident_row import fact, held, save
from tocsin.incidents.models import Decision, DecisionDutyRow, Incident, RoleHeld, State
from tocsin.oncall import queries as oncall
from tocsin.people.models import Person
from tocsin.platform.guarding import guarded
from tocsin.platform.questions import Question

_OVER = (State.CLOSED, State.MERGED, State.CANCELLED)
WORDS = {
    DecisionDuty.RECEIVE: "say that it was taken in",
    DecisionDuty.EXECUTE: "carry it out",
    DecisionDuty.REPORT: "report what came of it",
}


def remind_of_decisions(*, now: datetime, limit: int = 100) -> int:
    """Remind of every duty of a decision whose time is up. Each in its own transaction; returns how many.

    Goes on until `limit` were looked at beyond those that fail: one that cannot be told does not hold up the others.
    """
    if not _anything_due(now=now):
        return 0
    open_ones = _due(now).order_by("due_at", "pk")
    reminded = 0
    after: tuple[datetime, int] | None = None
    while reminded < limit:
        rows = (
            open_ones
            if after is None
            else open_ones.filter(Q(due_at__gt=after[0]) | Q(due_at=after[0], pk__gt=after[1]))
        )
        found = list(rows.values_list("pk", "due_at", "decision__incident__number")[: limit - reminded])
        if not found:
            break
        for pk, due_at, number in found:
            remind = partial(_remind, pk, number, now=now)
            reminded += guarded(remind, trouble=f"could not remind of duty {pk} of a decision")
            after = (due_at, pk) if due_at is not None else after
    return reminded


def _due(now: datetime) -> QuerySet[DecisionDutyRow]:
    due = DecisionDutyRow.objects.filter(done_at=None, reminded_at=None, due_at__lte=now)
    return due.exclude(decision__incident__state__in=_OVER)


_anything_due = Question(_due)


def _remind(pk: int, number: int, *, now: datetime) -> int:
    with transaction.atomic():
        incident = held(number)
        row = DecisionDutyRow.objects.select_related("decision").get(pk=pk)
        if row.done_at is not None or row.reminded_at is not None or row.due_at is None:
            return 0
        row.reminded_at = now
        row.save(update_fields=["reminded_at"])
        duty, decision = DecisionDuty(row.duty), row.decision
        who = _owing(decision, incident, duty, now=now)
        told = fact(
            incident,
            Kind.DECISION_REMINDED,
            decision=decision.entry,
            number=decision.number,
            duty=WORDS[duty],
            due=stamp(row.due_at),
            persons=[one.label for one in who],
        )
        audit.record(SYSTEM, [told], now=now)
        save(incident, now=now)
        _mail(row, decision, incident, who, now=now)
    return 1


def _owing(decision: Decision, incident: Incident, duty: DecisionDuty, *, now: datetime) -> list[Person]:
    """Whom it is addressed to and who has not done it; where that names nobody, whom the process means by it.

    Where that is nobody either, who decided and who responds.
    """
    addressees = decision.addressees.select_related("person", "team")
    rows = addressees.filter(received_at=None) if duty is DecisionDuty.RECEIVE else addressees
    found: dict[int, Person] = {}
    for row in rows:
        holders = RoleHeld.objects.filter(incident=incident, role=row.role, until_at=None) if row.role else []
        persons = [one.person for one in holders] or ([row.person] if row.person else [])
        found |= {one.pk: one for one in persons if one.is_active}
    found = found or {one.pk: one for one in _meant_by_the_process(incident, duty, now=now)}
    if not found:
        decider = Person.objects.filter(username=decision.by, is_active=True).first()
        responding = [incident.acknowledged_by] if incident.acknowledged_by else []
        found = {one.pk: one for one in [decider, *responding] if one is not None}
    return list(found.values())


def _meant_by_the_process(incident: Incident, duty: DecisionDuty, *, now: datetime) -> list[Person]:
    """Whom answers 5 (to take in) and 6 (to act) name: whoever is on call for the teams involved, or holds a role."""
    said = taking_in(snapshots.process_of(incident))
    whom = said.receivers if duty is DecisionDuty.RECEIVE else said.actors
    rows = RoleHeld.objects.filter(incident=incident, until_at=None).select_related("person", "team")
    if whom is Addressees.ROLE_HOLDERS:
        return [one.person for one in rows if one.person.is_active]
    teams = {one.pk: one for one in [incident.team, *(row.team for row in rows)] if one is not None}
    return [person for team in teams.values() for person in oncall.on_call_of_team(team, now=now)]


def _mail(row: DecisionDutyRow, decision: Decision, incident: Incident, who: list[Person], *, now: datetime) -> None:
    url = f"{paging.incident_url(incident)}/desk#decision-{decision.number}"
    texts = {
        one.pk: page_text.decision_due(
            incident.ref,
            decision.text,
            what=WORDS[DecisionDuty(row.duty)],
            due=page_text.wall(row.due_at or now, time_zone=one.time_zone, now=now),
            url=url,
        )
        for one in who
    }
    definition = snapshots.process_of(incident)
    paging.tell(incident, who, texts, kind="reminder", key=f"decision-{row.pk}", definition=definition, now=now)
