"""A check of the process finds each contradiction, each dead end and each role nobody can fill, with place and remedy."""

from __future__ import annotations

from typing import Any

import pytest

from tests.core.process_samples import COMMUNICATOR, COORDINATOR, CRITICAL, ERROR, EXPERT, WARNING, document_with
from tocsin.core.document_reading import Level
from tocsin.core.process_check import Finding, check
from tocsin.core.process_remedies import known_rules
from tocsin.core.process_staffing import RoleRotation, Staff
from tocsin.process.defaults import default_document

ANSWERS = "questions.process_questions"


def found(path: str, value: object) -> dict[str, Finding]:
    """The findings about the shipped process with one cell changed, the first of each rule."""
    return {one.rule: one for one in reversed(check(document_with(path, value)))}


def test_no_time_for_a_duty_is_an_answer_when_it_is_said() -> None:
    assert check(document_with(f"{ANSWERS}.6.machine.within_minutes", None)) == ()
    document = default_document()
    del document["questions"]["process_questions"][6]["machine"]["within_minutes"]
    [one] = check(document)
    assert (one.rule, one.level) == ("duties_have_times", Level.WARNING)
    assert "receive, execute, report" in one.says


def test_the_shipped_process_contradicts_itself_nowhere() -> None:
    assert check(default_document()) == ()


ROWS: list[tuple[str, object, str, str]] = [
    # section 7, number 1: the communicator is on duty at the gravest severity only
    (f"{ANSWERS}.7.machine.{ERROR}", COMMUNICATOR, "answered_role_is_called", f"{ANSWERS}.8.machine.{ERROR}"),
    # number 2: documentation by somebody who is not there
    (f"{ANSWERS}.8.machine.{WARNING}", COMMUNICATOR, "answered_role_is_called", f"{ANSWERS}.9.machine.{WARNING}"),
    # number 3: the postmortem of a severity that has no coordinator
    (f"{ANSWERS}.9.machine.{WARNING}", COORDINATOR, "answered_role_is_called", f"{ANSWERS}.10.machine.{WARNING}"),
    # number 3: a postmortem is owed and nobody is named for it
    ("matrix.permutations.2.verdict", "allowed", "postmortem_has_a_leader", "matrix.permutations.P1.warning"),
    # number 4: coordination is for two severities and started by one
    (f"{ANSWERS}.1.machine.to", [CRITICAL], "starts_what_is_coordinated", f"{ANSWERS}.2.machine.to"),
    (f"{ANSWERS}.1.machine.who", ["advisor"], "starter_may_start", f"{ANSWERS}.2.machine.who"),
    (f"{ANSWERS}.0.machine.severities", [CRITICAL], "coordinated_as_required", f"{ANSWERS}.1"),
    (f"{ANSWERS}.0.machine.severities", [CRITICAL, ERROR, WARNING], "coordinated_has_a_coordinator", f"{ANSWERS}.1"),
    (f"{ANSWERS}.2.machine.role", COMMUNICATOR, "decider_is_there", f"{ANSWERS}.3.machine.role"),
    (f"{ANSWERS}.3.machine.medium", "smoke signals", "known_word", f"{ANSWERS}.4.machine.medium"),
    (f"{ANSWERS}.4.machine.addressees", "whoever cares", "known_word", f"{ANSWERS}.5.machine.addressees"),
    (
        f"{ANSWERS}.6.machine.within_minutes",
        {"receive": 10, "execute": 60},
        "duties_have_times",
        f"{ANSWERS}.7.machine.within_minutes",
    ),
    (f"{ANSWERS}.6.machine.within_minutes", {}, "duties_have_times", f"{ANSWERS}.7.machine.within_minutes"),
    (f"{ANSWERS}.6.machine.duties", ["execute"], "acknowledged_means_received", f"{ANSWERS}.7.machine.duties"),
    (f"{ANSWERS}.6.machine.duties", ["receive", "report"], "acted_means_executed", f"{ANSWERS}.7.machine.duties"),
    (
        "roles.duties_when_role_absent.communication.warning",
        COORDINATOR,
        "stand_in_is_called",
        "roles.duties_when_role_absent.communication.warning",
    ),
    # the full response that management never hears of
    ("matrix.permutations.6.verdict", "allowed", "grave_is_heard_of", "matrix.permutations.P3.critical"),
    (
        "roles.roles_by_severity.warning.incident_coordinator",
        "shared",
        "called_but_not_coordinated",
        f"{ANSWERS}.1",
    ),
    (
        "roles.roles_by_severity.warning.incident_communicator",
        "shared",
        "milder_calls_no_more",
        "roles.roles_by_severity.warning.incident_communicator",
    ),
    (
        "priorities.notification.opening_within_minutes",
        120,
        "opening_before_the_next",
        "priorities.notification.opening_within_minutes",
    ),
    (
        "priorities.notification.overdue_grace_minutes",
        120,
        "grace_within_the_interval",
        "priorities.notification.overdue_grace_minutes",
    ),
    ("priorities.priorities.0.page.urgency", "low", "night_for_the_urgent", "priorities.priorities.P1.page"),
    ("priorities.unset.pages_as", "P3", "undecided_wakes", "priorities.unset.pages_as"),
    ("stakeholders.stakeholder_groups.3.ring", 2, "ring_has_a_group", "priorities.priorities.P1.rings"),
    ("postmortem.deadlines.meeting.0", {"business_days": 5}, "deadline_is_reachable", "postmortem.deadlines.meeting.1"),
]


@pytest.mark.parametrize(("path", "value", "rule", "where"), ROWS, ids=[f"{row[2]}:{row[3]}" for row in ROWS])
def test_a_changed_cell_that_contradicts_another_is_found_at_its_place_with_a_remedy(
    path: str, value: object, rule: str, where: str
) -> None:
    one = found(path, value)[rule]
    assert one.where == where
    assert one.says
    assert rule in known_rules()
    assert one.remedy.endswith(".")


def test_a_missing_answer_is_found_before_anything_is_compared() -> None:
    document = default_document()
    document["questions"]["process_questions"].pop(4)
    [one] = check(document)
    assert (one.rule, one.level, one.section) == ("ten_answers", Level.ERROR, "questions")
    assert "question 5" in one.says


def test_pairs_that_no_single_change_leads_to_are_named() -> None:
    document = default_document()
    for row in document["matrix"]["permutations"]:
        if row["severity"] == ERROR or (row["severity"] == CRITICAL and row["priority"] == "P2"):
            row["verdict"] = "not_allowed"
        if (row["priority"], row["severity"]) == ("P1", WARNING):
            row["verdict"] = "not_allowed"
    lost = [one.where for one in check(document) if one.rule == "pair_is_reachable"]
    assert lost == ["matrix.permutations.P1.critical"]


def staff(**people: list[str]) -> Staff:
    """One rotation without a team for each role."""
    rows = [RoleRotation(f"{role}s", role, "", frozenset(names)) for role, names in people.items()]
    return Staff(rows)


FULL: dict[str, list[str]] = {COORDINATOR: ["ann"], COMMUNICATOR: ["bob"], EXPERT: ["cem"]}


def rules(given: Staff) -> list[tuple[str, str]]:
    return [(one.rule, one.where) for one in check(default_document(), given)]


def test_with_a_person_for_each_role_nothing_is_found() -> None:
    assert rules(staff(**FULL)) == []


def test_a_role_that_nobody_can_fill_is_found() -> None:
    without: dict[str, Any] = {role: names for role, names in FULL.items() if role != COMMUNICATOR}
    assert rules(staff(**without)) == [("role_has_a_rotation", f"roles.roles.{COMMUNICATOR}")]
    empty = rules(staff(**{**FULL, COMMUNICATOR: []}))
    assert ("rotation_has_people", f"roles.roles.{COMMUNICATOR}") in empty


def test_two_dedicated_roles_and_one_person_who_could_hold_both_is_found() -> None:
    twice = staff(**{**FULL, COMMUNICATOR: ["ann"]})
    assert rules(twice) == [("enough_people", f"roles.roles_by_severity.{CRITICAL}")]
    # Somebody else for either of the two is enough: ann and bob change places.
    assert rules(staff(**{**FULL, COORDINATOR: ["ann", "bob"], COMMUNICATOR: ["ann"]})) == []


def test_a_team_that_owns_services_and_has_no_rotation_is_named() -> None:
    mine = RoleRotation("tickets", EXPERT, "tickets", frozenset({"cem"}))
    others = [one for one in staff(**FULL).rotations if one.role != EXPERT]
    given = Staff([*others, mine], owning_teams=("tickets", "payments"))
    [one] = check(default_document(), given)
    assert (one.rule, one.where) == ("team_has_a_rotation", f"roles.roles.{EXPERT}")
    assert "payments" in one.says
    assert "tickets" not in one.says
