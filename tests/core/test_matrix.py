"""The matrix accepts, asks for a reason, or refuses and names the way out."""

from __future__ import annotations

import pytest

from tests.core.process_samples import CRITICAL, ERROR, P1, P2, P3, P4, PROCESS, WARNING, process_with
from tocsin.core.classification import judge, require_judged
from tocsin.core.errors import Invalid, Refused
from tocsin.core.matrix import Pair, PairReason, machine_pair, nearest_allowed, pair_decision


def require_pair(priority: int, severity: str, *, explanation: str) -> None:
    found = judge(PROCESS, priority=priority, severity=severity, explanation=explanation)
    require_judged(PROCESS, found, exception=False, explanation=explanation)


@pytest.mark.req("R-9.3.6-1")
def test_a_forbidden_pair_is_refused_and_names_the_nearest_allowed_ones() -> None:
    found = pair_decision(PROCESS, P3, CRITICAL, explanation="we want it")
    assert not found.accepted
    assert found.reason is PairReason.NOT_ALLOWED
    assert found.nearest == (Pair(P2, CRITICAL), Pair(P3, ERROR))
    with pytest.raises(Refused, match="P2 and critical, P3 and error") as refusal:
        require_pair(P3, CRITICAL, explanation="we want it")
    assert refusal.value.reason == "not_allowed"


@pytest.mark.req("R-9.3.6-1")
def test_a_conditional_pair_needs_a_reason() -> None:
    assert pair_decision(PROCESS, P1, WARNING, explanation=" ").reason is PairReason.REASON_MISSING
    assert pair_decision(PROCESS, P1, WARNING, explanation="Ana runs the postmortem").accepted
    with pytest.raises(Refused, match="Give the reason"):
        require_pair(P4, ERROR, explanation="")
    require_pair(P4, ERROR, explanation="a drill for the new coordinator")


def test_an_allowed_pair_needs_no_reason_and_no_priority_fits_every_severity() -> None:
    require_pair(P1, CRITICAL, explanation="")
    assert pair_decision(PROCESS, None, CRITICAL, explanation="").reason is PairReason.NO_PRIORITY_YET


def test_the_nearest_pairs_of_the_far_corner_lie_two_steps_away() -> None:
    assert nearest_allowed(PROCESS, P4, CRITICAL) == (Pair(P2, CRITICAL), Pair(P3, ERROR), Pair(P4, WARNING))


def test_a_machine_keeps_its_priority_and_moves_the_severity() -> None:
    assert machine_pair(PROCESS, P3, CRITICAL) == Pair(P3, ERROR)
    assert machine_pair(PROCESS, P4, CRITICAL) == Pair(P4, WARNING)
    assert machine_pair(PROCESS, P1, WARNING) == Pair(P1, WARNING)
    assert machine_pair(PROCESS, None, CRITICAL) is None


@pytest.mark.parametrize("priority", [P1, P2, P3, P4])
@pytest.mark.parametrize("severity", [CRITICAL, ERROR, WARNING])
def test_no_machine_made_pair_ever_fails(priority: int, severity: str) -> None:
    pair = machine_pair(PROCESS, priority, severity)
    assert pair is not None
    assert pair_decision(PROCESS, pair.priority, pair.severity, explanation="made by a machine").accepted


def test_changing_one_verdict_changes_that_pair_only() -> None:
    index = next(i for i, rule in enumerate(PROCESS.matrix.rules) if (rule.priority, rule.severity) == (P3, CRITICAL))
    other = process_with(f"matrix.permutations.{index}.verdict", "allowed")
    for rule in PROCESS.matrix.rules:
        before = pair_decision(PROCESS, rule.priority, rule.severity, explanation="").accepted
        after = pair_decision(other, rule.priority, rule.severity, explanation="").accepted
        assert (before != after) == ((rule.priority, rule.severity) == (P3, CRITICAL))


def test_unknown_names_are_refused() -> None:
    with pytest.raises(Invalid, match="no priority 7"):
        pair_decision(PROCESS, 7, WARNING, explanation="")
    with pytest.raises(Invalid, match="no severity"):
        pair_decision(PROCESS, None, "fatal", explanation="")
