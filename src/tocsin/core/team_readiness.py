"""How far a team has come: what its incident policy needs to be in force, and whether it is time to prioritise breaches.

Both are told from what is on record. What no record can show (that the team wants it) the team says itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from tocsin.core.reasons import Reason

SEVERAL = 3
"""Rounds of defining SLOs, each on a day of its own, that count as several."""
ANSWERED_WITHIN = timedelta(days=90)


class Stage(StrEnum):
    """`initial`: defining SLOs comes first, priorities wait. `mature`: an SLO without a priority is not finished."""

    INITIAL = "initial"
    MATURE = "mature"


class Prerequisite(Reason):
    """What must be on record before an incident policy of a team can be in force."""

    OWNING_TEAM = "owning_team", "an owning team"
    SLO = "slo", "an SLO"
    ROTATION = "rotation", "a rotation"
    STAKEHOLDER_GROUP = "stakeholder_group", "a stakeholder group"


_WHY = {
    Prerequisite.OWNING_TEAM: "no service with people behind it belongs to the team",
    Prerequisite.SLO: "none of its services has one",
    Prerequisite.ROTATION: "nobody of the team stands in one",
    Prerequisite.STAKEHOLDER_GROUP: "nobody would hear of an incident",
}


class Point(Reason):
    """The four points of the readiness test, as questions."""

    ITERATIONS = "slo_iterations", "Have the SLOs been through several rounds?"
    ROTATION = "rotation", "Is somebody on call in a rotation of the team?"
    ON_CALL_TOOL = "on_call_tool", "Does the team answer its alerts here?"
    WANTS_PRIORITIES = "wants_priorities", "Does the team want to tell its breaches apart by priority?"


_NOT_YET = {
    Point.ITERATIONS: "its SLOs have not been through several rounds",
    Point.ROTATION: "nobody is on call in a rotation of the team",
    Point.ON_CALL_TOOL: "it does not answer its alerts here",
    Point.WANTS_PRIORITIES: "nobody has said that it wants priorities",
}

SAID_BY_THE_TEAM = frozenset({Point.ITERATIONS, Point.WANTS_PRIORITIES})
"""Points the team may answer itself: rounds from before Tocsin, and what it wants, are on no record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamFacts:
    """What is on record of a team now. `rounds` are the days on which its SLOs were written or changed."""

    services: int = 0
    members: int = 0
    slos: int = 0
    rounds: int = 0
    rotations: int = 0
    staffed_rotations: int = 0
    groups: int = 0
    answered: int = 0


@dataclass(frozen=True, slots=True)
class Said:
    """The team's own answer to a point, with its reason and who gave it."""

    holds: bool
    reason: str
    by: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """One point of the test: whether it holds, what shows it, and who says so when no record does."""

    point: Point
    holds: bool
    because: str
    said_by: str = ""


def missing(facts: TeamFacts) -> tuple[Prerequisite, ...]:
    """What an incident policy still lacks; empty when it can be in force."""
    there = {
        Prerequisite.OWNING_TEAM: facts.services > 0 and facts.members > 0,
        Prerequisite.SLO: facts.slos > 0,
        Prerequisite.ROTATION: facts.staffed_rotations > 0,
        Prerequisite.STAKEHOLDER_GROUP: facts.groups > 0,
    }
    return tuple(one for one in Prerequisite if not there[one])


def missing_words(lacks: Iterable[Prerequisite]) -> str:
    """ "an SLO (none of its services has one), a rotation (...)": what is missing, for one sentence."""
    return ", ".join(f"{one.text} ({_WHY[one]})" for one in lacks)


def readiness(facts: TeamFacts, said: Mapping[Point, Said]) -> tuple[Verdict, ...]:
    """The four verdicts, in the order of the test. A record that shows a point wins over what was said of it."""
    return tuple(_verdict(point, facts, said.get(point)) for point in Point)


def is_ready(verdicts: Iterable[Verdict]) -> bool:
    return all(one.holds for one in verdicts)


def _verdict(point: Point, facts: TeamFacts, said: Said | None) -> Verdict:
    shown, because = _shown(point, facts)
    if shown or said is None or point not in SAID_BY_THE_TEAM:
        return Verdict(point, shown, because)
    if point is Point.ITERATIONS and said.holds and facts.slos == 0:
        return Verdict(point, False, because)
    return Verdict(point, said.holds, said.reason, said.by)


def _shown(point: Point, facts: TeamFacts) -> tuple[bool, str]:
    """What the records show of a point, in words."""
    if point is Point.ITERATIONS:
        if not facts.slos:
            return False, "The team has no SLO yet."
        rounds = f"{_count(facts.slos, 'SLO')}, written or changed on {_count(facts.rounds, 'day')}"
        return facts.rounds >= SEVERAL, f"{rounds}; several means {SEVERAL} or more."
    if point is Point.ROTATION:
        if not facts.rotations:
            return False, "The team has no rotation."
        staffed = f"{facts.staffed_rotations} of {_count(facts.rotations, 'rotation')}"
        return facts.staffed_rotations > 0, f"Somebody is on call now in {staffed}."
    if point is Point.ON_CALL_TOOL:
        days = ANSWERED_WITHIN.days
        return facts.answered > 0, f"{_count(facts.answered, 'answer')} of its members in the last {days} days."
    return False, "Nobody of the team has said so yet."


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


def stage_warning(team: str, stage: str, verdicts: Iterable[Verdict]) -> str:
    """What to say when somebody gives an SLO of the team a priority; empty when nothing speaks against it."""
    reasons = "; ".join(_NOT_YET[one.point] for one in verdicts if not one.holds)
    if stage == Stage.INITIAL:
        first = f"{team} is at the initial stage: SLOs come first, priorities later."
        return f"{first} What is missing: {reasons}." if reasons else first
    return f"{team} is not ready to prioritise yet: {reasons}." if reasons else ""
