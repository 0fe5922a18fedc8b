"""The readiness test and the prerequisites of a policy, decided from what is on record."""

from __future__ import annotations

from itertools import product

import pytest

from tocsin.core.team_readiness import (
    SEVERAL,
    Point,
    Prerequisite,
    Said,
    Stage,
    TeamFacts,
    is_ready,
    missing,
    missing_words,
    readiness,
    stage_warning,
)

COMPLETE = {
    "services": 1,
    "members": 2,
    "slos": 3,
    "rounds": SEVERAL,
    "rotations": 1,
    "staffed_rotations": 1,
    "groups": 1,
    "answered": 4,
}
WANTS = {Point.WANTS_PRIORITIES: Said(True, "Every alert wakes us alike.", "bo")}


def test_a_policy_can_be_in_force_when_everything_is_on_record() -> None:
    assert missing(TeamFacts(**COMPLETE)) == ()


@pytest.mark.parametrize(
    ("fact", "lack", "word"),
    [
        ("services", Prerequisite.OWNING_TEAM, "an owning team"),
        ("members", Prerequisite.OWNING_TEAM, "an owning team"),
        ("slos", Prerequisite.SLO, "an SLO"),
        ("staffed_rotations", Prerequisite.ROTATION, "a rotation"),
        ("groups", Prerequisite.STAKEHOLDER_GROUP, "a stakeholder group"),
    ],
)
def test_each_missing_record_is_named(fact: str, lack: Prerequisite, word: str) -> None:
    lacks = missing(TeamFacts(**{**COMPLETE, fact: 0}))
    assert lacks == (lack,)
    assert missing_words(lacks).startswith(word)


def test_all_missing_records_are_named_at_once() -> None:
    assert missing(TeamFacts()) == tuple(Prerequisite)


def test_each_point_falls_by_itself() -> None:
    """Sixteen teams: each of the four points holds exactly when its own evidence is there."""
    for rounds, staffed, answered, wants in product([True, False], repeat=4):
        facts = TeamFacts(
            **{
                **COMPLETE,
                "rounds": SEVERAL if rounds else SEVERAL - 1,
                "staffed_rotations": int(staffed),
                "answered": int(answered),
            }
        )
        verdicts = readiness(facts, WANTS if wants else {})
        assert [one.holds for one in verdicts] == [rounds, staffed, answered, wants]
        assert [one.point for one in verdicts] == list(Point)
        assert is_ready(verdicts) == (rounds and staffed and answered and wants)


def test_rounds_from_before_can_be_said_but_a_rotation_cannot() -> None:
    said = {
        Point.ITERATIONS: Said(True, "Four rounds in a spreadsheet.", "bo"),
        Point.ROTATION: Said(True, "We call each other.", "bo"),
    }
    bare = TeamFacts(services=1, members=1, slos=1, rounds=1)
    rounds, rotation, *_ = readiness(bare, said)
    assert (rounds.holds, rounds.because, rounds.said_by) == (True, "Four rounds in a spreadsheet.", "bo")
    assert (rotation.holds, rotation.said_by) == (False, "")


def test_rounds_cannot_be_said_without_any_slo() -> None:
    said = {Point.ITERATIONS: Said(True, "Four rounds in a spreadsheet.", "bo")}
    assert not readiness(TeamFacts(), said)[0].holds


def test_a_warning_names_what_is_not_so_yet_and_is_silent_for_a_ready_mature_team() -> None:
    ready = readiness(TeamFacts(**COMPLETE), WANTS)
    unready = readiness(TeamFacts(**{**COMPLETE, "answered": 0}), WANTS)
    assert stage_warning("Box office", Stage.MATURE, ready) == ""
    assert stage_warning("Box office", Stage.MATURE, unready).endswith("yet: it does not answer its alerts here.")
    assert "initial stage" in stage_warning("Box office", Stage.INITIAL, ready)
