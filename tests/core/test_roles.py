"""Who is called, who may hold what together, and who stands in."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.core.process_samples import (
    COMMUNICATOR,
    COORDINATOR,
    CRITICAL,
    ERROR,
    EXPERT,
    PROCESS,
    WARNING,
    at,
    document_with,
    process_with,
)
from tocsin.core.errors import Invalid
from tocsin.core.process_definition import parse_process
from tocsin.core.process_parts import NAMED_PERSON, Area
from tocsin.core.roles import (
    Duty,
    DutyReason,
    HoldReason,
    duty_holder,
    has_duty,
    hold_decision,
    is_coordinated,
    released_roles,
    required_roles,
    role_codes,
    unfilled_in_time,
)

OPTIONAL = next(role.code for role in PROCESS.roles.roles if role.optional)


@pytest.mark.req("R-9.3.8-1")
def test_the_roles_that_are_paged_equal_the_table() -> None:
    assert role_codes(PROCESS, CRITICAL) == (COORDINATOR, COMMUNICATOR, EXPERT)
    assert role_codes(PROCESS, ERROR) == (COORDINATOR, EXPERT)
    assert role_codes(PROCESS, WARNING) == (EXPERT,)


@pytest.mark.req("R-9.3.8-1")
def test_a_role_nobody_holds_after_its_time_limit_is_a_failed_check() -> None:
    def missing(clock: str, *held: str) -> tuple[str, ...]:
        return unfilled_in_time(PROCESS, CRITICAL, held=held, called_at=at("10:00"), now=at(clock))

    assert missing("10:05") == ()
    assert missing("10:06") == (EXPERT,)
    assert missing("10:11", EXPERT) == (COORDINATOR,)
    assert missing("10:16", EXPERT, COORDINATOR) == (COMMUNICATOR,)
    assert missing("23:00", EXPERT, COORDINATOR, COMMUNICATOR) == ()


def test_changing_one_cell_of_the_table_calls_one_role_more() -> None:
    other = process_with(f"roles.roles_by_severity.{ERROR}.{COMMUNICATOR}", "dedicated")
    assert role_codes(other, ERROR) == (COORDINATOR, COMMUNICATOR, EXPERT)
    assert [role_codes(other, severity) for severity in (CRITICAL, WARNING)] == [
        role_codes(PROCESS, severity) for severity in (CRITICAL, WARNING)
    ]


def test_changing_a_time_limit_moves_that_limit() -> None:
    other = process_with(f"roles.fill_role_within_minutes.{EXPERT}", 30)
    (required,) = required_roles(other, WARNING)
    assert required.fill_within == timedelta(minutes=30)
    assert required.per_team


def test_an_unknown_severity_is_refused() -> None:
    with pytest.raises(Invalid):
        required_roles(PROCESS, "fatal")


@pytest.mark.req("R-9.3.10-2")
def test_communication_is_the_communicators_then_the_coordinators_then_the_experts() -> None:
    everyone = {COORDINATOR, COMMUNICATOR, EXPERT}
    found = [
        duty_holder(PROCESS, Duty.COMMUNICATION, severity, held=everyone) for severity in (CRITICAL, ERROR, WARNING)
    ]
    assert [holder.role for holder in found] == [COMMUNICATOR, COORDINATOR, EXPERT]
    assert {holder.reason for holder in found} == {DutyReason.BY_THE_ANSWER}


@pytest.mark.req("R-9.3.10-1")
def test_changing_answer_eight_changes_who_may_send_at_that_severity() -> None:
    held = {COORDINATOR, EXPERT}

    def may_send(process: object, severity: str, role: str) -> bool:
        return has_duty(process, Duty.COMMUNICATION, severity, own_roles=[role], held=held)  # type: ignore[arg-type]

    other = process_with(f"questions.process_questions.7.machine.{ERROR}", EXPERT)
    assert may_send(PROCESS, ERROR, COORDINATOR)
    assert not may_send(PROCESS, ERROR, EXPERT)
    assert may_send(other, ERROR, EXPERT)
    assert not may_send(other, ERROR, COORDINATOR)
    for severity in (CRITICAL, WARNING):
        for role in held:
            assert may_send(other, severity, role) == may_send(PROCESS, severity, role)


@pytest.mark.parametrize(
    ("duty", "severity", "held", "role", "reason"),
    [
        (Duty.COMMUNICATION, CRITICAL, {COORDINATOR, EXPERT}, COORDINATOR, DutyReason.STANDS_IN),
        (Duty.COMMUNICATION, CRITICAL, {EXPERT}, EXPERT, DutyReason.STANDS_IN),
        (Duty.COMMUNICATION, CRITICAL, set(), COMMUNICATOR, DutyReason.NOBODY_HOLDS_IT_YET),
        (Duty.COMMUNICATION, ERROR, {EXPERT}, EXPERT, DutyReason.STANDS_IN),
        (Duty.DOCUMENTATION, ERROR, {COORDINATOR, EXPERT}, COORDINATOR, DutyReason.BY_THE_ANSWER),
        (Duty.DECISIONS, CRITICAL, {COORDINATOR, EXPERT}, COORDINATOR, DutyReason.BY_THE_ANSWER),
        (Duty.DECISIONS, WARNING, {EXPERT}, EXPERT, DutyReason.STANDS_IN),
        (Duty.DECISIONS, WARNING, set(), EXPERT, DutyReason.NOBODY_HOLDS_IT_YET),
        (Duty.POSTMORTEM, CRITICAL, set(), COORDINATOR, DutyReason.NOBODY_HOLDS_IT_YET),
        (Duty.POSTMORTEM, WARNING, {EXPERT}, NAMED_PERSON, DutyReason.BY_THE_ANSWER),
        (Duty.EXECUTION, CRITICAL, {EXPERT}, EXPERT, DutyReason.BY_THE_ANSWER),
    ],
)
def test_a_duty_always_has_exactly_one_role(
    duty: Duty, severity: str, held: set[str], role: str, reason: DutyReason
) -> None:
    holder = duty_holder(PROCESS, duty, severity, held=held)
    assert (holder.role, holder.reason) == (role, reason)


@pytest.mark.req("R-9.3.8-2")
def test_a_dedicated_role_stands_alone_in_its_incident() -> None:
    def reason(role: str, *own: str, severity: str = CRITICAL) -> HoldReason:
        return hold_decision(PROCESS, severity, role, own_roles=own).reason

    assert reason(COMMUNICATOR, COORDINATOR) is HoldReason.HOLDS_A_DEDICATED_ROLE
    assert reason(EXPERT, COMMUNICATOR) is HoldReason.HOLDS_A_DEDICATED_ROLE
    assert reason(EXPERT, COORDINATOR, severity=WARNING) is HoldReason.ROLE_IS_DEDICATED
    assert reason(COORDINATOR) is HoldReason.FREE
    assert reason(COORDINATOR, COORDINATOR) is HoldReason.HOLDS_IT_ALREADY
    assert reason(COORDINATOR, OPTIONAL) is HoldReason.FREE
    assert reason(OPTIONAL, COORDINATOR) is HoldReason.FREE


@pytest.mark.req("R-9.3.8-2")
def test_the_same_coordinator_in_a_second_incident_is_warned_about_and_an_expert_is_not() -> None:
    second = hold_decision(PROCESS, ERROR, COORDINATOR, own_roles=(), own_roles_elsewhere=(COORDINATOR,))
    assert (second.allowed, second.warn) == (True, True)
    assert not hold_decision(PROCESS, ERROR, EXPERT, own_roles=(), own_roles_elsewhere=(EXPERT,)).warn


def test_shared_roles_may_be_combined_and_are_called_all_the_same() -> None:
    document = document_with(f"roles.roles_by_severity.{ERROR}.{COORDINATOR}", "shared")
    half = parse_process(document)
    assert not hold_decision(half, ERROR, COORDINATOR, own_roles=(EXPERT,)).allowed  # the expert is still dedicated
    document["roles"]["roles_by_severity"][ERROR][EXPERT] = "shared"
    shared = parse_process(document)
    assert hold_decision(shared, ERROR, COORDINATOR, own_roles=(EXPERT,)).allowed
    assert role_codes(shared, ERROR) == role_codes(PROCESS, ERROR)


def test_lowering_the_severity_releases_the_roles_it_no_longer_calls() -> None:
    assert released_roles(PROCESS, CRITICAL, ERROR) == (COMMUNICATOR,)
    assert released_roles(PROCESS, CRITICAL, WARNING) == (COORDINATOR, COMMUNICATOR)
    assert released_roles(PROCESS, WARNING, CRITICAL) == ()


def test_answer_one_says_which_incidents_are_coordinated() -> None:
    assert [is_coordinated(PROCESS, severity) for severity in (CRITICAL, ERROR, WARNING)] == [True, True, False]
    other = process_with("questions.process_questions.0.machine.severities", [CRITICAL])
    assert [is_coordinated(other, severity) for severity in (CRITICAL, ERROR, WARNING)] == [True, False, False]


@pytest.mark.req("R-9.3.2-1")
def test_the_six_roles_of_other_schemes_are_known_by_the_three_of_this_one() -> None:
    assert dict(PROCESS.roles.six_role_mapping) == {
        "incident commander": "incident_coordinator",
        "deputy incident commander": "incident_coordinator",
        "scribe": "incident_communicator",
        "internal liaison": "incident_communicator",
        "customer liaison": "incident_communicator",
        "subject matter expert": "technical_expert",
    }


@pytest.mark.req("R-9.3.7-2")
@pytest.mark.parametrize(
    ("code", "areas", "does", "skill"),
    [
        (
            "incident_coordinator",
            {Area.COORDINATION},
            ["decide", "bring teams together", "well-being", "run the postmortem"],
            "coordinating people",
        ),
        (
            "incident_communicator",
            {Area.COMMUNICATION, Area.DOCUMENTATION},
            ["inform the teams", "internal stakeholders", "external stakeholders", "incident record", "postmortem record",
             "spread the postmortem results"],
            "technical writing",
        ),
        (
            "technical_expert",
            {Area.EXECUTION},
            ["analyse", "propose", "implement", "take part in the postmortem"],
            "technical expertise",
        ),
    ],
)  # fmt: skip
def test_three_roles_are_shipped_with_what_they_do_and_what_they_need_to_know(
    code: str, areas: set[Area], does: list[str], skill: str
) -> None:
    role = PROCESS.roles.by_code(code)
    assert role is not None
    assert set(role.areas) == areas
    assert all(any(part in one for one in role.responsibilities) for part in does)
    assert skill in role.skills
