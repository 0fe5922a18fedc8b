"""The lanes of an incident, made of its entries alone, and an axis that folds the times in which nothing happened."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.adherence_logs import REF, Log, moment
from tests.core.process_samples import CRITICAL, P1, P2, PROCESS, WARNING
from tocsin.core.adherence_record import Record
from tocsin.core.facts import Kind
from tocsin.core.swim_lanes import (
    FOLD_FROM,
    FOLDED,
    ON_CALL,
    OTHERS,
    STAKEHOLDERS,
    SYSTEM,
    Lane,
    Sign,
    SwimLanes,
    axis,
    swim_lanes,
)

COORDINATOR, EXPERT = "incident_coordinator", "technical_expert"
AT = datetime(2026, 7, 2, 10, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def drawn(log: Log, until: str = "12:00") -> SwimLanes:
    record = Record(REF, tuple(log.events), PROCESS, moment(until), frozenset())
    found = swim_lanes(record, log.events, names={"ada": "Ada", "ben": "Ben"})
    assert found is not None
    return found


def lane(found: SwimLanes, key: str) -> Lane:
    return next(one for one in found.lanes if one.key == key)


def held(log: Log, clock: str, who: str, role: str, *, gone: str = "") -> None:
    log.add(clock, Kind.ROLE_TAKEN, actor=who, username=who, person=who.title(), role_code=role)
    if gone:
        log.add(gone, Kind.ROLE_RELEASED, actor=who, username=who, person=who.title(), role_code=role)


def change(log: Log, clock: str, rank: int, reason: str) -> None:
    log.add(clock, Kind.PRIORITY_CHANGED, rank=rank, priority_state="set", reason=reason)


def test_priority_and_severity_are_steps_with_their_reasons() -> None:
    log = Log().began("10:00", rank=P2)
    change(log, "10:31", P1, "more users")
    log.add("10:40", Kind.SEVERITY_CHANGED, severity=CRITICAL, reason="many teams")
    change(log, "11:38", P2, "EU only")
    found = drawn(log)
    assert [(one.rank, one.reason, one.start, one.end) for one in found.priorities] == [
        (P2, "", moment("10:00"), moment("10:31")),
        (P1, "more users", moment("10:31"), moment("11:38")),
        (P2, "EU only", moment("11:38"), moment("12:00")),
    ]
    assert [one.label for one in found.severities] == [WARNING, CRITICAL]


def test_who_held_a_role_is_a_span_and_relief_is_seen() -> None:
    log = Log().began("10:00")
    held(log, "10:05", "ada", COORDINATOR, gone="10:50")
    held(log, "10:50", "ben", COORDINATOR)
    stays = lane(drawn(log), COORDINATOR).stays
    assert [(one.label, one.start, one.end, one.relief) for one in stays] == [
        ("Ada", moment("10:05"), moment("10:50"), False),
        ("Ben", moment("10:50"), None, True),
    ]


def test_the_end_of_the_incident_ends_every_span() -> None:
    log = Log().began("10:00")
    log.add("10:02", Kind.INCIDENT_ACKNOWLEDGED, person="Ada")
    held(log, "10:05", "ada", EXPERT)
    log.add("11:00", Kind.INCIDENT_RESOLVED, by_person=True)
    found = drawn(log)
    assert found.ended
    assert found.end == moment("11:00")
    assert {stay.end for one in found.lanes for stay in one.stays} == {moment("11:00")}


@pytest.mark.parametrize(
    ("kind", "actor", "data", "where", "sign"),
    [
        (Kind.BREACH_ATTACHED, "system", {}, SYSTEM, Sign.BREACH),
        (Kind.CHANGE_REPORTED, "ci", {"summary": "deploy"}, SYSTEM, Sign.ACTION),
        (Kind.PAGE_CREATED, "system", {}, ON_CALL, Sign.ACTION),
        (Kind.ESCALATION_EXHAUSTED, "system", {}, ON_CALL, Sign.MISSED),
        (Kind.DECISION_RECORDED, "ben", {"number": 1, "text": "Roll back"}, COORDINATOR, Sign.DECISION),
        (Kind.INCIDENT_NOTED, "ada", {"text": "x", "kind": "note"}, EXPERT, Sign.ACTION),
        (Kind.INCIDENT_NOTED, "ada", {"text": "x", "kind": "decision"}, EXPERT, Sign.DECISION),
        (Kind.INCIDENT_NOTED, "cleo", {"text": "x", "kind": "note"}, OTHERS, Sign.ACTION),
        (Kind.UPDATE_SENT, "ben", {"text": "We are on it"}, STAKEHOLDERS, Sign.TOLD),
        (Kind.OBLIGATION_LATE, "system", {"obligation_kind": "update_progress"}, STAKEHOLDERS, Sign.MISSED),
        (Kind.OBLIGATION_LATE, "system", {"obligation_kind": "fill_role"}, SYSTEM, Sign.MISSED),
    ],
)
def test_each_entry_stands_in_the_lane_of_whoever_acted(
    kind: Kind, actor: str, data: dict[str, object], where: str, sign: Sign
) -> None:
    log = Log().began("10:00")
    held(log, "10:05", "ada", EXPERT)
    held(log, "10:05", "ben", COORDINATOR)
    log.add("10:30", kind, actor=actor, **data)
    found = [(one.key, mark.sign) for one in drawn(log).lanes for mark in one.marks if mark.at == moment("10:30")]
    assert found == [(where, sign)]


def test_a_sub_team_has_a_lane_of_its_own_while_it_lasts() -> None:
    log = Log().began("10:00")
    log.add("10:10", Kind.SUB_TEAM_FORMED, name="Database", leader="Ada", task="Look")
    log.add("10:40", Kind.SUB_TEAM_ENDED, name="Database")
    [found] = [one for one in drawn(log).lanes if one.title == "Database"]
    assert [(one.label, one.start, one.end) for one in found.stays] == [("Ada", moment("10:10"), moment("10:40"))]


def test_a_log_without_a_beginning_has_no_lanes() -> None:
    record = Record(REF, (), PROCESS, moment("12:00"), frozenset())
    assert swim_lanes(record, [], names={}) is None


def test_a_long_time_without_anything_is_folded() -> None:
    found = axis([AT + 10 * MINUTE, AT + 100 * MINUTE], start=AT, end=AT + 110 * MINUTE)
    assert [(one.folded, one.wide) for one in found.stretches] == [
        (False, 10 * MINUTE),
        (True, FOLDED),
        (False, 10 * MINUTE),
    ]
    assert found.share(AT + 10 * MINUTE) == pytest.approx(10 / 26)
    assert found.share(AT + 100 * MINUTE) == pytest.approx(16 / 26)


@given(st.lists(st.integers(0, 5000), max_size=40), st.integers(1, 5000))
def test_the_axis_keeps_the_order_of_times_from_end_to_end(minutes: list[int], length: int) -> None:
    end = AT + length * MINUTE
    moments = sorted(AT + one * MINUTE for one in minutes)
    found = axis(moments, start=AT, end=end)
    shares = [found.share(one) for one in [AT, *moments, end]]
    inside = [one for one in shares if 0 < one < 1]
    assert found.share(AT) == 0
    assert found.share(end) == 1
    assert inside == sorted(inside)
    assert all(0 <= one <= 1 for one in shares)
    assert all(one.end - one.start > FOLD_FROM for one in found.stretches if one.folded)
