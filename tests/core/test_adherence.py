"""Each check of the process in each of its verdicts, and what holds for all of them."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.adherence_logs import EVERYTHING, REF, Log, moment
from tests.core.process_samples import (
    COMMUNICATOR,
    COORDINATOR,
    CRITICAL,
    ERROR,
    EXPERT,
    P1,
    P2,
    P3,
    P4,
    PROCESS,
    WARNING,
    document_with,
)
from tocsin.core.adherence import CHECKS, READ_KINDS, RECORDED, adherence, judge, recheck_at
from tocsin.core.adherence_outcomes import Verdict
from tocsin.core.adherence_record import Event
from tocsin.core.facts import Kind
from tocsin.core.obligation_facts import ObligationKind
from tocsin.core.process_definition import parse_process
from tocsin.core.process_parts import PostmortemBasis

GROUPS, MANAGEMENT = "groups", "management"
BOTH = (GROUPS, MANAGEMENT)
PASSED, FAILED, NA, WAIVED = Verdict.PASSED, Verdict.FAILED, Verdict.NOT_APPLICABLE, Verdict.WAIVED
OPENING, CLOSING = "opening", "closing"
CLOCKS = parse_process(
    document_with("questions", PROCESS.document["questions"])
    | {"regulatory_clocks": {"dora": {"initial": {"after_classification_hours": 4, "cap_after_aware_hours": 24}}}}
)
LIFECYCLE = [item.code for item in PROCESS.postmortem.lifecycle]


def p1() -> Log:
    return Log().began(groups=["product-owners"]).taken("10:02")


def told_well() -> Log:
    return p1().told("10:05", *BOTH, kind=OPENING, promised="12:05")


def coordinated() -> Log:
    return Log().began(severity=ERROR).taken("10:02")


def postmortem() -> Log:
    return p1().resolved("11:00").add("11:01", Kind.POSTMORTEM_DRAFTED, meeting_due_at=moment("5 11:00").isoformat())


def action(log: Log, clock: str = "11:10", *, driver: str = "ada", review: str = "2026-03-09") -> Log:
    return log.add(clock, Kind.ACTION_ADDED, action=7, title="Add a fuse", driver=driver, review=review)


def changed(log: Log, clock: str, **data: object) -> Log:
    return log.add(clock, Kind.ACTION_CHANGED, **({"action": 7, "title": "Add a fuse"} | data))


def decision(log: Log, addressees: list[str]) -> Log:
    return log.add("10:20", "decision.recorded", text="Roll back", addressees=addressees)


def handed(log: Log, **data: object) -> Log:
    said = {"role_code": EXPERT, "from": "ada", "to": "ben", "done": "a", "open": "b", "risks": "c"}
    return log.add("10:31", "handover.recorded", **(said | {"next_update": "12:05", "accepted": True} | data))


def hands() -> Log:
    return p1().role("10:02", EXPERT).released("10:30", EXPERT).role("10:30", EXPERT, "ben")


def outside(log: Log) -> Log:
    return log.told("10:30", GROUPS, codes=["status-page-subscribers"], rings=[4], update=3)


def clocks() -> Log:
    log = Log(CLOCKS).began().taken("10:02")
    return log.add("12:00", "regulatory.classified", regime="dora", aware_at=moment("10:00").isoformat())


def items_done() -> Log:
    log = postmortem()
    for code in LIFECYCLE:
        log.add("5 10:00", "postmortem.item_done", item=code)
    return log


Case = tuple[Callable[[], Log], str, Verdict]
"""How the log is written, up to when one looks, and what the check says."""

TABLE: dict[str, list[Case]] = {
    "AC01": [
        (lambda: Log().began(rank=None).taken("10:02").priority("10:17", P2), "11:00", PASSED),
        (p1, "11:00", PASSED),
        (lambda: Log().began(rank=None).taken("10:02").priority("10:18", P2), "11:00", FAILED),
        (lambda: Log().began(rank=None).taken("10:02"), "10:18", FAILED),
        (lambda: Log().began(rank=None).resolved("10:20", by_person=False), "11:00", NA),
        (lambda: Log().began(rank=None).taken("10:02").waived_check("10:30", "AC01"), "11:00", WAIVED),
        (lambda: Log().began(rank=None).taken("10:02"), "10:17", Verdict.NOT_DUE),
    ],
    "AC02": [
        (lambda: p1().priority("10:10", P2, old=P1), "11:00", PASSED),
        (lambda: p1().priority("10:10", P2, reason=" ", old=P1), "11:00", FAILED),
        (p1, "11:00", NA),
        (lambda: p1().priority("10:10", P2, reason="").waived_check("10:30", "AC02"), "11:00", WAIVED),
        (lambda: p1().add("10:10", Kind.PRIORITY_CHANGED, removed=True), "11:00", Verdict.NOT_CHECKED),
    ],
    "AC03": [
        (lambda: p1().severity("10:17", ERROR), "11:00", PASSED),
        (lambda: p1().add("10:10", Kind.SEVERITY_CONFIRMED, severity=WARNING, by_person=True), "11:00", PASSED),
        (lambda: Log().began(by_person=True).taken("10:02"), "11:00", PASSED),
        (p1, "11:00", FAILED),
        (lambda: p1().severity("10:05", ERROR, by_person=False), "11:00", FAILED),
        (lambda: Log().began().resolved("10:20", by_person=False), "11:00", NA),
        (lambda: p1().resolved("10:10"), "11:00", NA),
        (lambda: p1().waived_check("10:30", "AC03"), "11:00", WAIVED),
        (p1, "10:16", Verdict.NOT_DUE),
    ],
    "AC04": [
        (lambda: Log().began(rank=P2), "11:00", PASSED),
        (lambda: Log().began(rank=P1).priority("10:20", P1, reason="Few users, lost data"), "11:00", PASSED),
        (lambda: Log().began(rank=P1, by_person=True, reason="Lost data"), "11:00", PASSED),
        (lambda: Log().began(rank=P1).resolved("10:30"), "11:00", FAILED),
        (lambda: Log().began(rank=P3, severity=CRITICAL), "11:00", FAILED),
        (lambda: Log().began(rank=None), "11:00", NA),
        (lambda: Log().began(rank=P1).resolved("10:30").waived_check("10:40", "AC04"), "11:00", WAIVED),
        (lambda: Log().began(rank=P1), "11:00", Verdict.NOT_DUE),
    ],
    "AC05": [
        (lambda: Log().began().add("10:00", Kind.PAGE_CREATED).taken("10:09"), "11:00", PASSED),
        (
            lambda: (
                Log().began().add("10:00", Kind.PAGE_CREATED).add("10:20", Kind.ESCALATION_EXHAUSTED).taken("10:21")
            ),
            "11:00",
            FAILED,
        ),
        (lambda: Log().began().taken("10:09"), "11:00", NA),
        (lambda: Log().began().add("10:00", Kind.PAGE_CREATED).resolved("10:03", by_person=False), "11:00", NA),
        (lambda: Log().began().add("10:20", Kind.ESCALATION_EXHAUSTED).waived_check("10:40", "AC05"), "11:00", WAIVED),
        (lambda: Log().began().add("10:00", Kind.PAGE_CREATED), "10:04", Verdict.NOT_DUE),
    ],
    "AC06": [
        (lambda: p1().role("10:15", EXPERT), "11:00", PASSED),
        (lambda: p1().role("10:16", EXPERT), "11:00", FAILED),
        (lambda: p1().role("10:02", EXPERT).severity("10:30", ERROR), "11:00", FAILED),
        (lambda: p1().role("10:02", EXPERT).severity("10:30", ERROR).role("10:50", COORDINATOR), "11:00", PASSED),
        (lambda: Log().began().resolved("10:05"), "11:00", NA),
        (lambda: p1().waived("10:05", f"fill_role:{EXPERT}"), "11:00", WAIVED),
        (p1, "10:15", Verdict.NOT_DUE),
    ],
    "AC07": [
        (lambda: p1().role("10:02", EXPERT), "11:00", PASSED),
        (lambda: coordinated().role("10:02", EXPERT).role("10:05", COORDINATOR), "11:00", FAILED),
        (lambda: coordinated().role("10:02", EXPERT).role("10:05", COORDINATOR, "ben"), "11:00", PASSED),
        (p1, "11:00", NA),
        (
            lambda: coordinated().role("10:02", EXPERT).role("10:05", COORDINATOR).waived_check("10:50", "AC07"),
            "11:00",
            WAIVED,
        ),
    ],
    "AC08": [
        (lambda: coordinated().add("10:03", "channel.opened"), "11:00", PASSED),
        (lambda: coordinated().resolved("10:50"), "11:00", FAILED),
        (lambda: p1().resolved("10:50"), "11:00", NA),
        (lambda: coordinated().resolved("10:50").waived_check("10:55", "AC08"), "11:00", WAIVED),
    ],
    "AC09": [
        (lambda: p1().told("10:25", *BOTH, kind=OPENING), "11:00", PASSED),
        (lambda: p1().told("10:26", *BOTH, kind=OPENING), "11:00", FAILED),
        (lambda: p1().resolved("10:40"), "11:00", FAILED),
        (lambda: Log().began(rank=P1), "11:00", FAILED),
        (lambda: Log().began(rank=P4), "11:00", NA),
        (lambda: p1().resolved("10:10").told("10:11", *BOTH, kind=CLOSING), "11:00", NA),
        (lambda: p1().waived("10:05", "update_opening:groups:0"), "11:00", WAIVED),
        (p1, "10:25", Verdict.NOT_DUE),
    ],
    "AC10": [
        (told_well, "11:00", PASSED),
        (lambda: p1().told("10:05", GROUPS, kind=OPENING, promised="12:05"), "11:00", FAILED),
        (lambda: Log().began(rank=P3), "11:00", NA),
        (lambda: p1().waived("10:05", "update_opening:management:0"), "11:00", WAIVED),
    ],
    "AC11": [
        (lambda: told_well().told("12:05", *BOTH, promised="14:05").resolved("13:00"), "15:00", PASSED),
        (lambda: told_well().told("12:16", *BOTH, promised="14:05").resolved("13:00"), "15:00", FAILED),
        (lambda: told_well().resolved("12:30").told("12:31", *BOTH, kind=CLOSING), "15:00", FAILED),
        (lambda: told_well().resolved("12:10").told("12:11", *BOTH, kind=CLOSING), "15:00", NA),
        (
            lambda: (
                told_well()
                .waived("11:00", "update_progress:groups:1")
                .waived("11:00", "update_progress:management:1")
                .resolved("13:00")
            ),
            "15:00",
            NA,
        ),
        (lambda: told_well().resolved("12:30").waived_check("13:00", "AC11"), "15:00", WAIVED),
        (told_well, "12:15", Verdict.NOT_DUE),
        (told_well, "12:16", FAILED),
    ],
    "AC12": [
        (lambda: told_well().resolved("11:00").told("11:40", *BOTH, kind=CLOSING), "12:00", PASSED),
        (lambda: told_well().resolved("11:00"), "12:00", FAILED),
        (lambda: Log().began(rank=P4).resolved("11:00"), "12:00", NA),
        (
            lambda: (
                told_well()
                .resolved("11:00")
                .waived("11:01", "update_closing:groups:1")
                .waived("11:01", "update_closing:management:1")
            ),
            "12:00",
            WAIVED,
        ),
        (lambda: told_well().resolved("11:00"), "11:10", Verdict.NOT_DUE),
    ],
    "AC13": [
        (lambda: p1().fulfilled("10:40", "hotfix", "release 42").resolved("11:00"), "12:00", PASSED),
        (lambda: p1().resolved("11:00"), "12:00", FAILED),
        (lambda: Log().began(rank=P2).resolved("11:00"), "12:00", NA),
        (lambda: p1().waived("10:40", "hotfix").resolved("11:00"), "12:00", WAIVED),
        (p1, "12:00", Verdict.NOT_DUE),
    ],
    "AC14": [
        (
            lambda: decision(p1(), ["ben"]).add("10:40", "decision.reported", decision=12).resolved("11:00"),
            "12:00",
            PASSED,
        ),
        (lambda: decision(p1(), ["ben"]).resolved("11:00"), "12:00", FAILED),
        (lambda: decision(p1(), []), "12:00", FAILED),
        (lambda: p1().add("10:20", Kind.INCIDENT_NOTED, kind="note", text="Looking"), "12:00", NA),
        (lambda: decision(p1(), []).waived_check("11:00", "AC14"), "12:00", WAIVED),
    ],
    "AC15": [
        (lambda: handed(hands()), "11:00", PASSED),
        (hands, "11:00", FAILED),
        (lambda: handed(hands(), risks=""), "11:00", FAILED),
        (lambda: handed(hands(), accepted=False), "11:00", FAILED),
        (lambda: p1().role("10:02", EXPERT), "11:00", NA),
        (lambda: hands().waived_check("10:50", "AC15"), "11:00", WAIVED),
    ],
    "AC16": [
        (lambda: coordinated().add("10:30", "wellbeing.answered").resolved("10:50"), "11:00", PASSED),
        (lambda: coordinated().resolved("10:50"), "11:00", FAILED),
        (lambda: p1().resolved("10:50"), "11:00", NA),
        (lambda: coordinated().resolved("10:50").waived_check("10:55", "AC16"), "11:00", WAIVED),
    ],
    "AC17": [
        (lambda: postmortem().add("5 11:00", Kind.POSTMORTEM_MOVED, new="reviewed"), "9 11:00", PASSED),
        (lambda: postmortem().add("5 11:11", Kind.POSTMORTEM_MOVED, new="reviewed"), "9 11:00", FAILED),
        (postmortem, "9 11:00", FAILED),
        (lambda: p1().resolved("11:00"), "28 11:00", FAILED),
        (lambda: Log().began(rank=P2).resolved("11:00"), "9 11:00", NA),
        (lambda: postmortem().waived("12:00", "postmortem"), "9 11:00", WAIVED),
        (postmortem, "4 11:00", Verdict.NOT_DUE),
    ],
    "AC18": [
        (items_done, "9 11:00", PASSED),
        (lambda: postmortem().add("5 11:00", Kind.POSTMORTEM_MOVED, new="closed"), "9 11:00", FAILED),
        (lambda: p1().resolved("11:00"), "9 11:00", NA),
        (lambda: postmortem().waived_check("6 10:00", "AC18"), "9 11:00", WAIVED),
    ],
    "AC19": [
        (lambda: action(postmortem()), "9 11:00", PASSED),
        (lambda: changed(action(postmortem(), driver=""), "12:00", driver="ben"), "9 11:00", PASSED),
        (lambda: action(postmortem(), driver=""), "9 11:00", FAILED),
        (
            lambda: action(postmortem(), review="").add("3 10:00", Kind.POSTMORTEM_MOVED, new="in_review"),
            "3 11:00",
            FAILED,
        ),
        (postmortem, "9 11:00", NA),
        (lambda: action(postmortem(), driver="").waived_check("3 10:00", "AC19"), "9 11:00", WAIVED),
        (lambda: action(postmortem(), driver=""), "3 11:00", Verdict.NOT_DUE),
    ],
    "AC20": [
        (lambda: changed(action(postmortem()), "9 17:00", status="done"), "20 11:00", PASSED),
        (lambda: changed(action(postmortem()), "9 17:00", review="2026-03-16"), "20 11:00", FAILED),
        (
            lambda: changed(changed(action(postmortem()), "9 17:00", review="2026-03-16"), "16 9:00", status="done"),
            "20 11:00",
            PASSED,
        ),
        (lambda: action(postmortem()), "10 12:01", FAILED),
        (lambda: changed(action(postmortem()), "11 09:00", review="2026-03-16"), "11 11:00", FAILED),
        (lambda: action(postmortem(), review=""), "9 11:00", NA),
        (lambda: action(postmortem()).waived_check("11 10:00", "AC20"), "20 11:00", WAIVED),
        (lambda: action(postmortem()), "10 12:00", Verdict.NOT_DUE),
    ],
    "AC21": [
        (lambda: outside(p1().add("10:29", "update.approved", actor="ben", update=3)), "11:00", PASSED),
        (lambda: outside(p1()), "11:00", FAILED),
        (lambda: outside(p1().add("10:29", "update.approved", update=3)), "11:00", FAILED),
        (told_well, "11:00", NA),
        (lambda: outside(p1()).waived_check("10:50", "AC21"), "11:00", WAIVED),
    ],
    "AC22": [
        (lambda: coordinated().add("10:30", "rank.refused").resolved("10:50"), "11:00", PASSED),
        (lambda: coordinated().add("10:30", "rank.overridden").resolved("10:50"), "11:00", FAILED),
        (lambda: p1().resolved("10:50"), "11:00", NA),
        (lambda: coordinated().add("10:30", "rank.overridden").waived_check("10:50", "AC22"), "11:00", WAIVED),
    ],
    "AC23": [
        (lambda: p1().add("10:30", Kind.INCIDENT_IDENTIFIED).resolved("10:50"), "12:00", PASSED),
        (lambda: p1().add("10:30", "incident.cause_stated", state="unknown").resolved("10:50"), "12:00", PASSED),
        (lambda: p1().resolved("10:50", category=""), "12:00", FAILED),
        (lambda: p1().resolved("10:50"), "12:00", FAILED),
        (lambda: p1().add("10:30", Kind.INCIDENT_CANCELLED, reason="A test"), "12:00", NA),
        (lambda: p1().resolved("10:50", category="").waived_check("11:30", "AC23"), "12:00", WAIVED),
        (p1, "12:00", Verdict.NOT_DUE),
    ],
    "AC24": [
        (
            lambda: clocks().add("15:59", "regulatory.reported", regime="dora", report="initial"),
            "16:30",
            Verdict.NOT_DUE,
        ),
        (
            lambda: (
                clocks()
                .add("15:59", "regulatory.reported", regime="dora", report="initial")
                .add("4 10:00", "regulatory.reported", regime="dora", report="intermediate")
                .add("20 10:00", "regulatory.reported", regime="dora", report="final")
            ),
            "28 10:00",
            PASSED,
        ),
        (clocks, "16:01", FAILED),
        (lambda: clocks().add("16:01", "regulatory.reported", regime="dora", report="initial"), "16:30", FAILED),
        (lambda: Log(CLOCKS).began(), "16:30", NA),
        (p1, "16:30", NA),
        (lambda: clocks().waived_check("16:20", "AC24"), "16:30", WAIVED),
    ],
}
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
