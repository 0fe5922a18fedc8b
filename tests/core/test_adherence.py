"""Each check of the process in each of its verdicts, and what holds for all of them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.adherence_logs import EVERYTHING, REF, Log, moment
from tests.core.adherence_table import (
    FAILED,
    NA,
    PASSED,
    TABLE,
    WAIVED,
)
from tests.core.process_samples import (
    P4,
)
from tocsin.core.adherence import CHECKS, RECORDED, judge, recheck_at
from tocsin.core.adherence_outcomes import Verdict
from tocsin.core.adherence_record import Event
from tocsin.core.facts import Kind

CASES = [pytest.param(code, *case, id=f"{code}-{n}") for code, cases in TABLE.items() for n, case in enumerate(cases)]


@pytest.mark.req("R-9.1-11")
@pytest.mark.parametrize(("code", "write", "as_of", "verdict"), CASES)
def test_a_check_says_what_the_log_shows_and_names_the_entries(
    code: str, write: Callable[[], Log], as_of: str, verdict: Verdict
) -> None:
    log = write()
    found = log.judged(as_of)[code]
    assert (found.verdict, bool(found.why)) == (verdict, True), found.why
    assert set(found.evidence) <= {event.seq for event in log.events}
    if verdict in {PASSED, FAILED, WAIVED}:
        assert found.evidence, "a verdict names the entries behind it"
    if verdict is WAIVED:
        assert found.waiver is not None
        assert (found.waiver.by, bool(found.waiver.reason)) == ("ada", True)
        assert found.waiver.seq in found.evidence


def test_every_check_is_shown_in_all_four_verdicts() -> None:
    assert list(TABLE) == list(CHECKS) == [f"AC{number:02}" for number in range(1, 25)]
    for code, cases in TABLE.items():
        assert {verdict for _, _, verdict in cases} >= {PASSED, FAILED, NA, WAIVED}, code


def test_a_check_is_found_by_its_id_in_the_name_of_its_function() -> None:
    for code, check in CHECKS.items():
        assert check.judge.__name__.startswith(f"{code.lower()}_")  # type: ignore[attr-defined]  # they are functions


@pytest.mark.parametrize(("code", "write", "as_of", "verdict"), CASES)
def test_only_the_entries_a_check_names_decide_it(
    code: str, write: Callable[[], Log], as_of: str, verdict: Verdict
) -> None:
    log, check = write(), CHECKS[code]
    life = {kind.value for kind in Kind if kind.value.startswith(("incident.", "check."))}
    log.events = [one for one in log.events if one.kind in check.reads | life]
    assert log.says(code, as_of) is verdict


UNSEEN = [(code, write, as_of) for code, cases in TABLE.items() if CHECKS[code].needs for write, as_of, _ in cases]


@pytest.mark.parametrize(("code", "write", "as_of"), UNSEEN)
def test_what_nothing_records_is_not_checked_and_never_green(code: str, write: Callable[[], Log], as_of: str) -> None:
    log = write()
    log.events = [one for one in log.events if one.kind not in CHECKS[code].needs]
    found = log.judged(as_of, recorded=RECORDED - set(CHECKS[code].needs))[code]
    assert found.verdict in {Verdict.NOT_CHECKED, NA, WAIVED}


_STORIES = [(write, as_of) for cases in TABLE.values() for write, as_of, _ in cases]


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(_STORIES), st.randoms(use_true_random=False), st.sampled_from(["12:00", "6 10:00", "31 10:00"]))
def test_a_verdict_depends_on_the_entries_and_the_pinned_process_alone(
    story: tuple[Callable[[], Log], str], random: object, as_of: str
) -> None:
    log = story[0]()
    first = log.judged(as_of)
    shuffled = list(log.events)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # Hypothesis gives a random.Random
    noise = Event(999, moment("10:01"), Kind.ALERT_REPEATED, "slo", {"summary": "Still true"})
    later = Event(1000, moment("31 11:00"), Kind.PRIORITY_CHANGED, "ben", {"rank": P4, "priority_state": "set"})
    again = judge(REF, [*shuffled, noise, later], log.process, as_of=moment(as_of), recorded=EVERYTHING)
    assert again == first


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(_STORIES))
def test_time_alone_changes_only_what_was_not_due_and_not_before_it_said(
    story: tuple[Callable[[], Log], str],
) -> None:
    log = story[0]()
    log.events = [one for one in log.events if one.at <= moment("12:00")]
    times = ["12:00", "12:30", "16:30", "5 12:00", "9 12:00", "20 12:00", "31 12:00"]
    former = log.judged(times[0])
    for clock in times[1:]:
        found, again_at = log.judged(clock), recheck_at(former)
        for code, outcome in found.items():
            if former[code].verdict is not Verdict.NOT_DUE:
                assert (outcome.verdict, outcome.evidence) == (former[code].verdict, former[code].evidence), code
        if {code: one.verdict for code, one in found.items()} != {code: one.verdict for code, one in former.items()}:
            assert again_at is not None
            assert again_at < moment(clock)
        former = found
