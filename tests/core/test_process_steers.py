"""The process as data steers: each cell changed alone changes the behaviour named beside it, and no other.

`BEHAVIOURS` is what the software does, decided by the functions that the product itself calls. A row of `CELLS` is one
cell of the shipped document, another value for it, and what has to differ then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from tests.core.process_samples import (
    ALL_HELD,
    COMMUNICATOR,
    COORDINATOR,
    CRITICAL,
    ERROR,
    EXPERT,
    P1,
    P2,
    P3,
    PROCESS,
    WARNING,
    asked,
    at,
    decided,
    due,
    facts,
    process_with,
    told,
)
from tocsin.core.access import Right
from tocsin.core.cadence import is_late
from tocsin.core.decision_duties import About, due_times, may_decide
from tocsin.core.errors import Invalid
from tocsin.core.matrix import pair_decision
from tocsin.core.obligation_facts import Audience
from tocsin.core.process_answers import (
    announcing,
    may_start,
    objections_round,
    opens_channel,
    starts_coordination,
    taking_in,
)
from tocsin.core.process_definition import ProcessDefinition
from tocsin.core.rank import rights_in
from tocsin.core.roles import Duty, duty_holder, hold_decision, is_coordinated, required_roles, role_codes

SEVERITIES = (CRITICAL, ERROR, WARNING)
ROLES = (COORDINATOR, COMMUNICATOR, EXPERT)
QUESTIONS = "questions.process_questions"
Behaviour = Callable[[ProcessDefinition], Any]


def _duty(duty: Duty, severity: str) -> Behaviour:
    return lambda process: duty_holder(process, duty, severity, held=ALL_HELD).role


def _sends(severity: str) -> Behaviour:
    return lambda process: tuple(
        role for role in ROLES if Right.UPDATE_SEND in rights_in(process, severity, own_roles=[role], held=ALL_HELD)
    )


def _alone(severity: str) -> Behaviour:
    """Which two roles of one person go together, and what is said where they do not."""
    return lambda process: tuple(
        (found.allowed, found.reason)
        for role in ROLES
        for other in ROLES
        if role != other
        for found in [hold_decision(process, severity, role, own_roles=[other])]
    )


def _pair(rank: int, severity: str) -> Behaviour:
    return lambda process: tuple(
        pair_decision(process, rank, severity, explanation=given).accepted for given in ("", "because")
    )


def _pace(rank: int) -> Behaviour:
    heard = {"audiences": (told(Audience.GROUPS, count=1, last="10:00"),)}
    return lambda process: due(facts(decided("10:00", rank), **heard), "update_progress:groups:1", process=process)


def _owed(rank: int) -> Behaviour:
    """What a priority asks for beside the pace of its updates."""
    return lambda process: frozenset(asked(facts(decided("10:00", rank)), process=process))


def _filled(role: str) -> Behaviour:
    return lambda process: next(
        (one.fill_within for one in required_roles(process, CRITICAL) if one.role == role), None
    )


def _late(process: ProcessDefinition) -> tuple[bool, ...]:
    grace = process.catalogue.notification.overdue_grace
    return tuple(is_late(at("10:00"), grace, now=at("10:00") + timedelta(minutes=m)) for m in range(60))


BEHAVIOURS: dict[str, Behaviour] = {
    **{f"coordinated at {one}": lambda p, one=one: is_coordinated(p, one) for one in SEVERITIES},  # type: ignore[misc]
    "who starts coordination": lambda p: tuple(role for role in ROLES if may_start(p, {role})),
    "what starts coordination": lambda p: tuple(
        starts_coordination(p, before, after) for before in SEVERITIES for after in SEVERITIES
    ),
    **{f"who decides at {one}": _duty(Duty.DECISIONS, one) for one in SEVERITIES},
    "whether objections are asked for": objections_round,
    "where decisions are made known": lambda p: announcing(p).medium,
    "whether the channel opens by itself": lambda p: any(opens_channel(p, one) for one in (CRITICAL, ERROR)),
    "who takes decisions in": lambda p: taking_in(p).receivers,
    "who acts on decisions": lambda p: taking_in(p).actors,
    "what is owed on a decision": lambda p: frozenset(due_times(p, at=at("10:00"))),
    "what needs no consent": lambda p: tuple(
        may_decide(p, CRITICAL, one, own_roles=[EXPERT], held=ALL_HELD).allowed for one in About
    ),
    **{f"who sends at {one}": _sends(one) for one in SEVERITIES},
    **{f"who documents at {one}": _duty(Duty.DOCUMENTATION, one) for one in SEVERITIES},
    **{f"who runs the postmortem at {one}": _duty(Duty.POSTMORTEM, one) for one in SEVERITIES},
    **{f"who is called at {one}": lambda p, one=one: role_codes(p, one) for one in SEVERITIES},  # type: ignore[misc]
    **{f"who stands alone at {one}": _alone(one) for one in SEVERITIES},
    **{f"how soon {role} is there": _filled(role) for role in ROLES},
    **{f"pace of {rank}": _pace(rank) for rank in (P1, P2, P3)},
    **{f"what {rank} asks for": _owed(rank) for rank in range(1, 5)},
    "when the opening is due": lambda p: due(facts(decided("10:00", P1)), "update_opening:groups:0", process=p),
    "from when on it is late": _late,
    **{f"pair {rank} {one}": _pair(rank, one) for rank in range(1, 5) for one in SEVERITIES},
}

ONLY_PAIR_OF_ITS_PRIORITY = 11
Row = tuple[str, Any, set[str]]
EVERYWHERE = {f"who decides at {one}" for one in (CRITICAL, ERROR)}
ANSWERS: list[Row] = [
    (f"{QUESTIONS}.0.machine.severities", [CRITICAL, ERROR, WARNING], {f"coordinated at {WARNING}"}),
    (f"{QUESTIONS}.1.machine.who", [EXPERT, COORDINATOR], {"who starts coordination"}),
    (f"{QUESTIONS}.1.machine.to", [CRITICAL], {"what starts coordination"}),
    (f"{QUESTIONS}.2.machine.role", EXPERT, EVERYWHERE | {f"who decides at {WARNING}", "what needs no consent"}),
    (f"{QUESTIONS}.2.machine.objections_round", False, {"whether objections are asked for"}),
    (
        f"{QUESTIONS}.3.machine.medium",
        "timeline",
        {"where decisions are made known", "whether the channel opens by itself"},
    ),
    (f"{QUESTIONS}.3.machine.create", "by_hand", {"whether the channel opens by itself"}),
    (f"{QUESTIONS}.4.machine.addressees", "role_holders", {"who takes decisions in"}),
    (f"{QUESTIONS}.4.machine.acknowledge", False, {"what is owed on a decision"}),
    (f"{QUESTIONS}.5.machine.addressees", "role_holders", {"who acts on decisions"}),
    (f"{QUESTIONS}.6.machine.duties", ["receive", "execute"], {"what is owed on a decision"}),
    (f"{QUESTIONS}.6.machine.free", [], {"what needs no consent"}),
    (f"{QUESTIONS}.7.machine.{CRITICAL}", COORDINATOR, {f"who sends at {CRITICAL}"}),
    (f"{QUESTIONS}.7.machine.{ERROR}", EXPERT, {f"who sends at {ERROR}"}),
    (f"{QUESTIONS}.7.machine.{WARNING}", COORDINATOR, {f"who sends at {WARNING}"}),
    (f"{QUESTIONS}.8.machine.{CRITICAL}", EXPERT, {f"who documents at {CRITICAL}"}),
    (f"{QUESTIONS}.8.machine.{ERROR}", EXPERT, {f"who documents at {ERROR}"}),
    (f"{QUESTIONS}.8.machine.{WARNING}", COORDINATOR, {f"who documents at {WARNING}"}),
    (f"{QUESTIONS}.9.machine.{CRITICAL}", EXPERT, {f"who runs the postmortem at {CRITICAL}"}),
    (f"{QUESTIONS}.9.machine.{ERROR}", EXPERT, {f"who runs the postmortem at {ERROR}"}),
    (f"{QUESTIONS}.9.machine.{WARNING}", EXPERT, {f"who runs the postmortem at {WARNING}"}),
]


def role_cells() -> Iterator[Row]:
    """Each cell of the table of roles by severity: called or not, and alone or beside another one."""
    for severity in SEVERITIES:
        for role in ROLES:
            need = PROCESS.roles.by_severity[severity][role]
            path = f"roles.roles_by_severity.{severity}.{role}"
            if need == "none":
                yield path, "shared", {f"who is called at {severity}"}
            else:
                yield path, "shared", {f"who stands alone at {severity}"}


def matrix_cells() -> Iterator[Row]:
    """Each verdict of the matrix, made another one."""
    for place, rule in enumerate(PROCESS.matrix.rules):
        if place == ONLY_PAIR_OF_ITS_PRIORITY:
            continue
        other = "allowed" if rule.verdict == "conditional" else "conditional"
        yield f"matrix.permutations.{place}.verdict", other, {f"pair {rule.priority} {rule.severity}"}


PACES: list[Row] = [
    *((f"priorities.priorities.{n}.criteria.update_every_minutes", 75, {f"pace of {n + 1}"}) for n in range(3)),
    ("priorities.notification.opening_within_minutes", 25, {"when the opening is due"}),
    ("priorities.notification.overdue_grace_minutes", 20, {"from when on it is late"}),
    *(
        (f"roles.fill_role_within_minutes.{role}", 42, {f"how soon {role} is there"})
        for role in (COORDINATOR, COMMUNICATOR, EXPERT)
    ),
    ("priorities.priorities.0.criteria.hotfix_immediately", False, {"what 1 asks for"}),
    ("priorities.priorities.2.criteria.notify_management", True, {"what 3 asks for"}),
]
CELLS = [*ANSWERS, *role_cells(), *PACES, *matrix_cells()]


def ids(row: Row) -> str:
    return row[0]


@pytest.mark.req("R-9.3.10-1")
@pytest.mark.parametrize("row", CELLS, ids=ids)
def test_a_cell_changed_alone_changes_the_named_behaviour_and_no_other(row: Row) -> None:
    path, value, expected = row
    changed = process_with(path, value)
    differs = {name for name, does in BEHAVIOURS.items() if does(changed) != does(PROCESS)}
    assert differs == expected


def test_every_answer_every_role_cell_and_every_verdict_is_in_the_table() -> None:
    paths = [path for path, _, _ in CELLS]
    assert len(set(paths)) == len(paths)
    assert {path.split(".")[2] for path in paths if path.startswith(QUESTIONS)} == {str(n) for n in range(10)}
    assert sum(path.startswith("roles.roles_by_severity") for path in paths) == 9
    assert sum(path.startswith("matrix") for path in paths) == len(PROCESS.matrix.rules) - 1 == 11


def test_the_one_pair_a_priority_may_stand_in_cannot_be_taken_away_alone() -> None:
    with pytest.raises(Invalid, match="no severity it may be paired with"):
        process_with(f"matrix.permutations.{ONLY_PAIR_OF_ITS_PRIORITY}.verdict", "conditional")


def test_every_behaviour_is_steered_by_some_cell() -> None:
    steered = set().union(*(names for _, _, names in CELLS))
    left = set(BEHAVIOURS) - steered
    # What is coordinated in the shipped process stays so in this table, the gravest severity has to call every role, and
    # P2 and P4 ask for what they asked.
    kept = {f"coordinated at {CRITICAL}", f"coordinated at {ERROR}", f"who is called at {CRITICAL}"}
    assert left == kept | {
        "what 2 asks for",
        "what 4 asks for",
        f"pair {PROCESS.catalogue.priorities[3].rank} {WARNING}",
    }
