"""Reads of the desk: decisions with their duties, open questions, tasks, sub-teams, how things stand, who reports to whom."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F, QuerySet

from tocsin.core.access import Actor, Right, require
from tocsin.core.decision_duties import DecisionDuty, DutyCheck, DutyState, Execution, check
from tocsin.core.errors import NotFound
from tocsin.core.span_of_control import Group, Holder, Span, span_of_control
from tocsin.incidents import snapshots
from tocsin.incidents.models import (
    ConditionReport,
    Decision,
    DecisionAddressee,
    DecisionDutyRow,
    Incident,
    Question,
    RoleHeld,
    SubTeam,
    Task,
)
from tocsin.incidents.queries import incident as one_incident
from tocsin.people.models import Person

_Duties = dict[str, tuple[datetime | None, datetime | None]]
MOST = 100
"""So many of each are read at most, newest first; an incident with more shows how many there are."""


@dataclass(frozen=True, slots=True)
class DecisionLine:
    """A decision with its addressees and the three checks."""

    row: Decision
    addressees: tuple[DecisionAddressee, ...]
    checks: tuple[DutyCheck, ...]

    @property
    def is_open(self) -> bool:
        """Whether something of it is still owed."""
        return any(one.state in {DutyState.OPEN, DutyState.LATE} for one in self.checks)

    @property
    def late(self) -> tuple[DutyCheck, ...]:
        return tuple(one for one in self.checks if one.state is DutyState.LATE)

    @property
    def execution(self) -> Execution:
        return Execution(self.row.execution)


@dataclass(frozen=True, slots=True)
class Boxed:
    """A question, a task or a sub-team with its time box. `late_by` is None while it is in time, or ended."""

    row: Question | Task | SubTeam
    late_by: timedelta | None


@dataclass(frozen=True, slots=True)
class TeamLine:
    row: SubTeam
    members: tuple[Person, ...]
    late_by: timedelta | None


@dataclass(frozen=True, slots=True)
class Desk:
    """What the desk shows, open things first."""

    incident: Incident
    decisions: tuple[DecisionLine, ...]
    questions: tuple[Boxed, ...]
    tasks: tuple[Boxed, ...]
    teams: tuple[TeamLine, ...]
    conditions: tuple[ConditionReport, ...]
    span: Span
    names: Mapping[str, str]

    @property
    def open_decisions(self) -> list[DecisionLine]:
        return [one for one in self.decisions if one.is_open]

    @property
    def open_questions(self) -> list[Boxed]:
        return [one for one in self.questions if isinstance(one.row, Question) and one.row.answered_at is None]

    @property
    def open_tasks(self) -> list[Boxed]:
        return [one for one in self.tasks if isinstance(one.row, Task) and one.row.ended_at is None]

    @property
    def reports(self) -> list[str]:
        """Whoever reports directly to the coordinator, as people call them."""
        return [self.names.get(one, one) for one in self.span.reports]


def desk(actor: Actor, incident: Incident, *, held: Iterable[RoleHeld] | None = None, now: datetime) -> Desk:
    """Everything on the desk of an incident; `held` if its roles are at hand.

    The number of queries does not grow with what is on it.
    """
    require(actor, Right.INCIDENT_READ)
    rows = list(_open_teams(incident))
    span, names = _span(incident, rows, held)
    return Desk(
        incident=incident,
        decisions=tuple(decisions(incident, now=now)),
        questions=tuple(_boxed(one, one.answered_at, now=now) for one in _questions(incident)),
        tasks=tuple(_boxed(one, one.ended_at, now=now) for one in _tasks(incident)),
        teams=tuple(_team(one, now=now) for one in rows),
        conditions=tuple(_conditions(incident)),
        span=span,
        names=names,
    )


def desk_of(actor: Actor, ref: str | int, *, now: datetime) -> Desk:
    """The desk of the incident of that name. Raises NotFound."""
    return desk(actor, one_incident(actor, ref), now=now)


def decisions(incident: Incident, *, now: datetime, limit: int = MOST) -> list[DecisionLine]:
    """The latest decisions, newest first."""
    rows = list(_decisions(incident).order_by("-number")[:limit])
    duties = _duties(rows)
    return [_decision(row, duties.get(row.pk, {}), now=now) for row in rows]


def decision(actor: Actor, ref: str | int, number: int, *, now: datetime) -> DecisionLine:
    """One decision of an incident. Raises NotFound."""
    row = one_incident(actor, ref)
    found = _decisions(row).filter(number=number).first()
    if found is None:
        raise NotFound(f"{row.ref} has no decision {number}.")
    return _decision(found, _duties([found]).get(found.pk, {}), now=now)


def _decisions(incident: Incident) -> QuerySet[Decision]:
    return Decision.objects.filter(incident=incident).prefetch_related("addressees")


def _duties(rows: Iterable[Decision]) -> dict[int, _Duties]:
    """When each duty of each decision is due and was done; there are three for each decision, so only the times are read."""
    duties = DecisionDutyRow.objects.filter(decision__in=[row.pk for row in rows])
    found: dict[int, _Duties] = {}
    for decision, duty, due_at, done_at in duties.values_list("decision_id", "duty", "due_at", "done_at"):
        found.setdefault(decision, {})[duty] = due_at, done_at
    return found


def last_decision(incident: Incident) -> Decision | None:
    return Decision.objects.filter(incident=incident).order_by("-number").first()


def open_questions(incident: Incident, *, limit: int = MOST) -> list[Question]:
    """Questions nobody has answered, oldest first."""
    rows = Question.objects.filter(incident=incident, answered_at=None)
    return list(rows.order_by("number")[:limit])


def _decision(row: Decision, duties: _Duties, *, now: datetime) -> DecisionLine:
    checks = tuple(
        check(duty, due_at=duties[duty.value][0], done_at=duties[duty.value][1], now=now)
        for duty in DecisionDuty
        if duty.value in duties
    )
    addressees = tuple(sorted(row.addressees.all(), key=lambda one: one.pk))
    return DecisionLine(row, addressees, checks)


def _questions(incident: Incident) -> QuerySet[Question]:
    rows = Question.objects.filter(incident=incident).select_related("owner")
    return rows.order_by(F("answered_at").desc(nulls_first=True), "number")[:MOST]


def _tasks(incident: Incident) -> QuerySet[Task]:
    rows = Task.objects.filter(incident=incident).select_related("owner", "sub_team")
    return rows.order_by(F("ended_at").desc(nulls_first=True), "number")[:MOST]


def _boxed(row: Question | Task, ended_at: datetime | None, *, now: datetime) -> Boxed:
    return Boxed(row, _late_by(row.due_at, now=now) if ended_at is None else None)


def _late_by(due_at: datetime | None, *, now: datetime) -> timedelta | None:
    return now - due_at if due_at is not None and now > due_at else None


def _open_teams(incident: Incident) -> QuerySet[SubTeam]:
    rows = SubTeam.objects.filter(incident=incident, ended_at=None).select_related("leader")
    return rows.prefetch_related("members").order_by("formed_at", "pk")


def _team(row: SubTeam, *, now: datetime) -> TeamLine:
    members = tuple(sorted(row.members.all(), key=lambda one: one.label))
    return TeamLine(row, members, _late_by(row.due_at, now=now))


def _conditions(incident: Incident) -> list[ConditionReport]:
    """The latest report from each place, newest first."""
    rows = ConditionReport.objects.filter(incident=incident).order_by("-at", "-pk")[:MOST]
    latest: dict[str, ConditionReport] = {}
    for row in rows:
        latest.setdefault(row.about.lower(), row)
    return list(latest.values())


def _span(
    incident: Incident, teams: Sequence[SubTeam], held: Iterable[RoleHeld] | None = None
) -> tuple[Span, dict[str, str]]:
    if held is None:
        held = RoleHeld.objects.filter(incident=incident, until_at=None).select_related("person")
    here = [(Holder(row.person.username, row.role), row.person.label) for row in held if row.until_at is None]
    names = {holder.username: label for holder, label in here}
    names |= {one.leader.username: one.leader.label for one in teams}
    groups = [Group(one.leader.username, frozenset(member.username for member in one.members.all())) for one in teams]
    found = span_of_control(snapshots.process_of(incident), [holder for holder, _ in here], groups)
    return found, names


def span(incident: Incident) -> Span:
    """Who reports to the coordinator of an incident, and how many may."""
    return _span(incident, list(_open_teams(incident)))[0]


def led_by_others(incident: Incident) -> frozenset[int]:
    """The people who report to the leader of a sub-team."""
    rows = list(SubTeam.objects.filter(incident=incident, ended_at=None).values_list("leader_id", "members"))
    return frozenset(member for _, member in rows if member) - frozenset(leader for leader, _ in rows)
