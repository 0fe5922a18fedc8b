"""The course of one incident as lanes: who held which role when, what happened where, how priority and severity moved.

A lane belongs to whoever acts in it: the system, the people on call, each role of the process, a sub-team, the
stakeholders who are told. Nothing else than entries of the log goes in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise

from tocsin.core.adherence_record import Event, Holding, Record
from tocsin.core.facts import Kind, sentence
from tocsin.core.process_definition import ProcessDefinition

SYSTEM, ON_CALL, STAKEHOLDERS, OTHERS = "system", "on_call", "stakeholders", "others"
FOLD_FROM = timedelta(minutes=30)
"""A time in which nothing happens for longer than this is drawn as a fold."""
FOLDED = timedelta(minutes=6)
"""What a fold takes on the axis, as if so much time had passed."""


class Sign(StrEnum):
    BREACH = "breach"
    ACTION = "action"
    DECISION = "decision"
    TOLD = "told"
    MISSED = "missed"


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened at a moment."""

    seq: int
    at: datetime
    sign: Sign
    text: str


@dataclass(frozen=True, slots=True)
class Stay:
    """Somebody was there from a moment on; `end` is None while the person is. `relief` took over from somebody else."""

    label: str
    start: datetime
    end: datetime | None
    relief: bool = False


@dataclass(frozen=True, slots=True)
class Lane:
    key: str
    title: str
    stays: tuple[Stay, ...] = ()
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """From `start` on it stood at this; `rank` orders and colours it, None where it has none."""

    label: str
    rank: int | None
    start: datetime
    end: datetime
    reason: str = ""
    state: str = "set"


@dataclass(frozen=True, slots=True)
class SwimLanes:
    """What is drawn. `end` is now while the incident is open."""

    start: datetime
    end: datetime
    ended: bool
    priorities: tuple[Step, ...]
    severities: tuple[Step, ...]
    lanes: tuple[Lane, ...]


READ_STEPS = (
    Kind.INCIDENT_OPENED,
    Kind.INCIDENT_DECLARED,
    Kind.PRIORITY_CHANGED,
    Kind.SEVERITY_CHANGED,
    Kind.SEVERITY_CONFIRMED,
    Kind.ROLE_TAKEN,
    Kind.ROLE_RELEASED,
    Kind.SUB_TEAM_FORMED,
    Kind.SUB_TEAM_ENDED,
    Kind.INCIDENT_ACKNOWLEDGED,
    Kind.INCIDENT_UNACKNOWLEDGED,
    Kind.INCIDENT_RESOLVED,
    Kind.INCIDENT_REOPENED,
    Kind.INCIDENT_MERGED,
    Kind.INCIDENT_CANCELLED,
)
"""What lanes and steps are made of; few of them in any incident."""
UNMARKED = frozenset(
    {
        Kind.PAGE_ACCEPTED,
        Kind.ALERT_REPEATED,
        Kind.ALERT_SUPPRESSED,
        Kind.PRIORITY_CHANGED,
        Kind.SEVERITY_CHANGED,
        Kind.SEVERITY_CONFIRMED,
        Kind.WELLBEING_ANSWERED,
        Kind.ROLE_TAKEN,
        Kind.ROLE_RELEASED,
        Kind.SUB_TEAM_FORMED,
        Kind.SUB_TEAM_ENDED,
    }
)
"""What repeats, is drawn as a step or a span already, or is nobody's business."""

_BREACHES = {Kind.INCIDENT_OPENED, Kind.BREACH_ATTACHED, Kind.ALERT_ATTACHED, Kind.SLO_DATA_LOST}
_DECISIONS = {Kind.DECISION_RECORDED}
_MISSED = {
    Kind.OBLIGATION_LATE,
    Kind.REGULATORY_LATE,
    Kind.ESCALATION_EXHAUSTED,
    Kind.DECISION_REMINDED,
    Kind.PAGE_FAILED,
}
_TOLD = {Kind.UPDATE_SENT, Kind.STATUS_MAIL_QUEUED, Kind.CONSUMER_TOLD, Kind.CUSTOMER_REPORTED}
_ON_CALL = (
    Kind.INCIDENT_ACKNOWLEDGED,
    Kind.INCIDENT_UNACKNOWLEDGED,
    Kind.INCIDENT_PASSED_ON,
    Kind.INCIDENT_ESCALATED,
    Kind.INCIDENT_ESCALATED_UP,
    Kind.ESCALATION_ACKNOWLEDGED,
    Kind.ESCALATION_EXHAUSTED,
    Kind.ESCALATION_STEP_SKIPPED,
    Kind.FALLBACK_TOLD,
)


def swim_lanes(record: Record, marked: Iterable[Event], *, names: Mapping[str, str]) -> SwimLanes | None:
    """The lanes of an incident. `record` holds the entries of `READ_STEPS`, `marked` those that are drawn as marks.

    `names` says what people are called. None for an incident whose log does not tell how it began.
    """
    began = record.began
    if began is None:
        return None
    spoken = sorted(marked, key=lambda event: event.seq)
    start = min([began.at, *(event.at for event in spoken)])
    ended = record.ended
    end = max([start + timedelta(minutes=1), *([ended.at, *(one.at for one in spoken)] if ended else [record.as_of])])
    return SwimLanes(
        start=start,
        end=end,
        ended=ended is not None,
        priorities=_priorities(record, end),
        severities=_severities(record, end),
        lanes=_lanes(record, spoken, names, end),
    )


def _priorities(record: Record, end: datetime) -> tuple[Step, ...]:
    found: list[Step] = []
    for one in record.priorities:
        known = record.process.catalogue.by_rank(one.rank) if one.rank is not None else None
        label = known.code if known else ("undecided" if one.state.value == "unset" else "none")
        found.append(Step(label, one.rank, one.at, end, _reason(one.event), one.state.value))
    return _closed(found)


def _severities(record: Record, end: datetime) -> tuple[Step, ...]:
    found: list[Step] = []
    for one in record.severities:
        known = record.process.severities.by_code(one.severity)
        found.append(Step(one.severity, known.rank if known else None, one.at, end, _reason(one.event)))
    return _closed(found)


def _reason(event: Event) -> str:
    return event.text("reason") if event.kind in {Kind.PRIORITY_CHANGED, Kind.SEVERITY_CHANGED} else ""


def _closed(steps: Sequence[Step]) -> tuple[Step, ...]:
    """Each step ends where the next one begins; what says the same again is no step."""
    kept: list[Step] = []
    for step in steps:
        if kept and (kept[-1].label, kept[-1].rank) == (step.label, step.rank):
            continue
        if kept:
            kept[-1] = replace(kept[-1], end=step.start)
        kept.append(step)
    return tuple(kept)


def _lanes(record: Record, spoken: Sequence[Event], names: Mapping[str, str], end: datetime) -> tuple[Lane, ...]:
    marks: dict[str, list[Mark]] = {}
    for event in spoken:
        marks.setdefault(lane_of(record, event), []).append(
            Mark(event.seq, event.at, _sign(event), sentence(event.kind, event.data))
        )
    stays = {ON_CALL: _on_call(record, end), **_roles(record, names)}
    titles = {SYSTEM: "System", ON_CALL: "On call", **_role_titles(record.process)}
    titles |= {key: title for key, title, _ in _sub_teams(record)}
    stays |= {key: (stay,) for key, _, stay in _sub_teams(record)}
    titles |= {OTHERS: "Others", STAKEHOLDERS: "Stakeholders"}
    return tuple(
        Lane(key, title, tuple(stays.get(key, ())), tuple(marks.get(key, ())))
        for key, title in titles.items()
        if stays.get(key) or marks.get(key)
    )


def _role_titles(process: ProcessDefinition) -> dict[str, str]:
    return {role.code: role.display_name for role in process.roles.roles}


def _sign(event: Event) -> Sign:
    if event.kind == Kind.INCIDENT_NOTED and event.get("kind") == "decision":
        return Sign.DECISION
    for kinds, sign in (
        (_BREACHES, Sign.BREACH),
        (_DECISIONS, Sign.DECISION),
        (_MISSED, Sign.MISSED),
        (_TOLD, Sign.TOLD),
    ):
        if event.kind in kinds:
            return sign
    return Sign.ACTION


def lane_of(record: Record, event: Event) -> str:
    """Where an entry belongs: what was told to the stakeholders, what the chain does to whoever is on call, the rest to
    the role of whoever wrote it, and what nobody wrote to the system.
    """
    late_update = event.kind == Kind.OBLIGATION_LATE and event.text("obligation_kind").startswith("update")
    if event.kind in _TOLD or late_update:
        return STAKEHOLDERS
    if event.kind in _ON_CALL or event.kind.startswith("page."):
        return ON_CALL
    held = [one for one in record.holdings if one.who == event.actor and one.overlaps(event.at, event.at)]
    if held:
        order = [role.code for role in record.process.roles.roles]
        roles = sorted((one.role for one in held), key=lambda role: order.index(role) if role in order else len(order))
        return roles[0] if roles[0] in order else OTHERS
    if event.actor == SYSTEM or event.kind in _BREACHES or event.kind.startswith(("alert.", "slo.", "change.")):
        return SYSTEM
    return OTHERS


def _on_call(record: Record, end: datetime) -> tuple[Stay, ...]:
    """Who had it, from taking it to giving it back or to the end."""
    found: list[Stay] = []
    for event in record.of(*READ_STEPS):
        open_one = found[-1] if found and found[-1].end is None else None
        if event.kind == Kind.INCIDENT_ACKNOWLEDGED:
            label = event.text("person") or event.actor
            if open_one is not None and open_one.label == label:
                continue
            if open_one is not None:
                found[-1] = replace(open_one, end=event.at)
            found.append(Stay(label, event.at, None, relief=open_one is not None))
        elif open_one is not None and _lets_go(record, event):
            found[-1] = replace(open_one, end=event.at)
    return tuple(replace(one, end=min(one.end, end)) if one.end else one for one in found)


def _lets_go(record: Record, event: Event) -> bool:
    over = {Kind.INCIDENT_UNACKNOWLEDGED, Kind.INCIDENT_RESOLVED, Kind.INCIDENT_CANCELLED}
    return event.kind in over or (event.kind == Kind.INCIDENT_MERGED and event.get("merged") == record.ref)


def _roles(record: Record, names: Mapping[str, str]) -> dict[str, tuple[Stay, ...]]:
    by_role: dict[str, list[Holding]] = {}
    for one in record.holdings:
        by_role.setdefault(one.role, []).append(one)
    over = record.ended.at if record.ended else None
    return {
        role: tuple(
            Stay(
                one.taken.text("person") or names.get(one.who, one.who),
                one.taken.at,
                one.released.at if one.released else over,
                relief=any(_follows(one, other) for other in own),
            )
            for one in own
        )
        for role, own in by_role.items()
    }


def _follows(one: Holding, other: Holding) -> bool:
    """Whether somebody took the role when somebody else gave it up."""
    return other.who != one.who and other.released is not None and other.released.at <= one.taken.at


def _sub_teams(record: Record) -> list[tuple[str, str, Stay]]:
    ends = [(one.text("name"), one) for one in record.of(Kind.SUB_TEAM_ENDED)]
    over = record.ended.at if record.ended else None
    found: list[tuple[str, str, Stay]] = []
    for event in record.of(Kind.SUB_TEAM_FORMED):
        name = event.text("name")
        ended = next((one.at for called, one in ends if called == name and one.seq > event.seq), over)
        found.append((f"team:{event.seq}", name, Stay(event.text("leader"), event.at, ended)))
    return found


@dataclass(frozen=True, slots=True)
class Stretch:
    """Part of the time axis: `wide` is how much of the axis it takes, as if that time had passed."""

    start: datetime
    end: datetime
    wide: timedelta
    folded: bool


@dataclass(frozen=True, slots=True)
class Axis:
    """A time axis on which times without anything are folded."""

    stretches: tuple[Stretch, ...]

    @property
    def whole(self) -> timedelta:
        return sum((one.wide for one in self.stretches), timedelta(0))

    def share(self, at: datetime) -> float:
        """Where `at` lies, from 0 to 1; what is outside lies at the edge."""
        before = timedelta(0)
        for one in self.stretches:
            if at < one.end:
                inside = max(at - one.start, timedelta(0)) / (one.end - one.start)
                return (before + one.wide * inside) / self.whole
            before += one.wide
        return 1.0


def axis(moments: Iterable[datetime], *, start: datetime, end: datetime) -> Axis:
    """An axis from `start` to `end` on which gaps between `moments` longer than `FOLD_FROM` are folded."""
    stops = sorted({start, end, *(one for one in moments if start < one < end)})
    found: list[Stretch] = []
    for begin, finish in pairwise(stops):
        folded = finish - begin > FOLD_FROM
        if not folded and found and not found[-1].folded:
            found[-1] = replace(found[-1], end=finish, wide=found[-1].wide + (finish - begin))
        else:
            found.append(Stretch(begin, finish, FOLDED if folded else finish - begin, folded))
    return Axis(tuple(found) or (Stretch(start, end, end - start, folded=False),))
