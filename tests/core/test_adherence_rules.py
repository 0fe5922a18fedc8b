"""Rules of single checks: waivers, what was taken back, what goes on elsewhere, older entries, exercises."""

from __future__ import annotations

from fractions import Fraction

import pytest

from tests.core.adherence_logs import REF, Log, moment
from tests.core.adherence_table import (
    BOTH,
    CLOSING,
    FAILED,
    GROUPS,
    NA,
    OPENING,
    PASSED,
    WAIVED,
    p1,
    told_well,
)
from tests.core.process_samples import (
    COMMUNICATOR,
    COORDINATOR,
    CRITICAL,
    EXPERT,
    P1,
    P2,
    P3,
    PROCESS,
    document_with,
)
from tocsin.core.adherence import CHECKS, READ_KINDS, adherence
from tocsin.core.adherence_outcomes import Verdict
from tocsin.core.adherence_record import Event
from tocsin.core.facts import Kind
from tocsin.core.obligation_facts import ObligationKind
from tocsin.core.process_definition import parse_process
from tocsin.core.process_parts import PostmortemBasis


@pytest.mark.req("R-9.2.2-4")
def test_a_priority_lowered_after_the_end_or_twice_is_remarked_on_and_not_held_against_anybody() -> None:
    after = p1().resolved("11:00").priority("11:30", P2, old=P1).judged("12:00")["AC02"]
    assert (after.verdict, after.remark) == (PASSED, "Late re-classification: the priority was lowered after the end.")
    twice = p1().priority("10:10", P2, old=P1).priority("10:20", P3, old=P2).judged("12:00")["AC02"]
    assert (twice.verdict, twice.remark) == (
        PASSED,
        "Late re-classification: the priority was lowered more than once.",
    )
    assert not p1().priority("10:10", P2, old=P1).judged("12:00")["AC02"].remark


def test_a_change_taken_back_at_once_decides_nothing() -> None:
    log = Log().began(rank=None).taken("10:02").priority("10:05", P2).priority("10:05", None, undo_of=12)
    log.events[-1] = Event(
        13, moment("10:05"), Kind.PRIORITY_CHANGED, "ada", {"priority_state": "unset", "undo_of": 12}
    )
    assert log.says("AC01", "11:00") is FAILED
    assert log.says("AC02", "11:00") is NA


def test_a_waiver_can_be_withdrawn_and_then_the_miss_counts_again() -> None:
    log = p1().waived_check("10:30", "AC03").add("10:40", Kind.CHECK_WAIVER_WITHDRAWN, check="AC03", reason="Wrong one")
    assert log.says("AC03", "10:35") is WAIVED
    assert log.says("AC03", "11:00") is FAILED


def test_a_waiver_of_what_passed_changes_nothing() -> None:
    assert p1().waived_check("10:30", "AC01").says("AC01", "11:00") is PASSED


def test_nothing_applies_to_what_was_no_incident_or_went_on_elsewhere() -> None:
    merged = p1().add("10:30", Kind.INCIDENT_MERGED, merged=REF, into="INC-9")
    assert {one.verdict for one in merged.judged("12:00").values()} == {NA}
    assert "INC-9" in merged.judged("12:00")["AC01"].why
    took_over = p1().add("10:30", Kind.INCIDENT_MERGED, merged="INC-4", into=REF)
    assert took_over.says("AC01", "12:00") is PASSED


def test_a_log_without_its_beginning_is_not_checked() -> None:
    assert {one.verdict for one in Log().taken("10:02").judged("12:00").values()} == {Verdict.NOT_CHECKED}


def test_an_exercise_owes_no_updates() -> None:
    log = Log().began(groups=["product-owners"], exercise=True).taken("10:02").resolved("11:00")
    assert {log.says(code, "12:00") for code in ("AC09", "AC10", "AC11", "AC12")} == {NA}


def test_lowering_keeps_the_promised_time_and_raising_asks_sooner() -> None:
    raised = Log().began(rank=P3, groups=["product-owners"]).told("9:59", GROUPS, kind=OPENING)
    raised = Log().began(rank=P3, groups=["product-owners"]).told("10:05", GROUPS, kind=OPENING, promised="18:05")
    raised = raised.priority("11:30", P1, old=P3)
    late = raised.judged("12:16")["AC11"]
    assert late.verdict is FAILED
    assert "12:05" in late.why
    assert raised.says("AC11", "12:15") is Verdict.NOT_DUE
    lowered = told_well().priority("11:00", P2, old=P1)
    assert lowered.says("AC11", "12:16") is FAILED


def test_a_reopened_incident_is_owed_a_new_first_update_and_a_new_answer() -> None:
    log = told_well().add("10:00", Kind.PAGE_CREATED).resolved("11:00").told("11:01", *BOTH, kind=CLOSING)
    log = log.add("11:20", Kind.INCIDENT_REOPENED, generation=2).add("11:20", Kind.PAGE_CREATED)
    assert log.says("AC09", "11:45") is Verdict.NOT_DUE
    assert log.says("AC09", "11:46") is FAILED
    assert log.add("11:40", Kind.ESCALATION_EXHAUSTED).says("AC05", "11:46") is FAILED


def test_the_priority_that_decides_on_a_postmortem_is_the_one_the_process_names() -> None:
    highest = parse_process(document_with("postmortem.required_by", PostmortemBasis.HIGHEST_PRIORITY.value))
    for process, verdict in ((PROCESS, NA), (highest, FAILED)):
        log = Log(process).began().taken("10:02").priority("10:20", P2, old=P1).resolved("11:00")
        assert log.says("AC17", "28 11:00") is verdict


def test_a_communicator_is_called_by_the_gravest_severity() -> None:
    log = Log().began(severity=CRITICAL).role("10:02", EXPERT).role("10:03", COORDINATOR, "ben")
    assert log.says("AC06", "11:00") is FAILED
    assert log.role("10:20", COMMUNICATOR, "cleo").says("AC06", "11:00") is PASSED


def test_older_entries_without_audiences_are_read_by_their_groups() -> None:
    log = p1().told("10:05", kind=OPENING, codes=["management", "product-owners"], audiences=None)
    assert log.says("AC09", "11:00") is PASSED
    assert log.says("AC10", "11:00") is PASSED


@pytest.mark.parametrize(
    ("verdicts", "share"),
    [
        ([PASSED] * 11 + [FAILED] + [NA, WAIVED, Verdict.NOT_DUE, Verdict.NOT_CHECKED], Fraction(11, 12)),
        ([NA, WAIVED], None),
        ([], None),
    ],
)
def test_adherence_is_what_passed_of_what_passed_or_failed(verdicts: list[Verdict], share: Fraction | None) -> None:
    assert adherence(verdicts) == share
    if share is not None:
        assert f"{float(share):.2%}" == "91.67%"  # V47


def test_obligations_that_can_be_waived_belong_to_checks_that_read_waivers() -> None:
    assert {Kind.OBLIGATION_WAIVED, Kind.OBLIGATION_FULFILLED, Kind.CHECK_WAIVED} <= READ_KINDS
    for code, kind in {"AC06": ObligationKind.FILL_ROLE, "AC13": ObligationKind.HOTFIX}.items():
        assert Kind.OBLIGATION_WAIVED in CHECKS[code].reads, kind
