"""Cause and workaround apart, and whether stakeholders heard before the first customer reported."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.core.adherence_record import Event
from tocsin.core.facts import Kind
from tocsin.core.incident_findings import Finding, FirstWord, Knowledge, Lead, findings, first_word

BEGAN = datetime(2026, 3, 9, 10, 0, tzinfo=UTC)


def at(minute: int) -> datetime:
    return BEGAN + timedelta(minutes=minute)


def told(minute: int, kind: str, seq: int = 1, **data: Any) -> Event:
    return Event(seq, at(minute), kind, "ada", data)


@pytest.mark.req("R-9.1-8")
def test_a_workaround_says_nothing_of_the_cause_nor_a_cause_of_a_workaround() -> None:
    known = findings([told(5, Kind.INCIDENT_WORKAROUND_STATED, state="known", text="use the other region")])
    assert (known.workaround.knowledge, known.cause.knowledge) == (Knowledge.KNOWN, Knowledge.UNSAID)
    caused = findings([told(5, Kind.INCIDENT_CAUSE_STATED, state="known", text="a full disk")])
    assert (caused.workaround.knowledge, caused.cause.knowledge) == (Knowledge.UNSAID, Knowledge.KNOWN)


def test_the_last_word_counts_and_a_linked_work_item_stays() -> None:
    found = findings(
        [
            told(5, Kind.INCIDENT_CAUSE_STATED, 1, state="unknown", work_item="T-42"),
            told(9, Kind.INCIDENT_CAUSE_STATED, 2, state="known", text="a full disk"),
        ]
    )
    assert found.cause == Finding(Knowledge.KNOWN, "a full disk", "T-42", at(9), "ada", 2)


def test_a_cause_that_was_identified_is_known_and_keeps_what_was_written() -> None:
    assert findings([told(5, Kind.INCIDENT_IDENTIFIED)]).cause.knowledge is Knowledge.KNOWN
    told_before = told(4, Kind.INCIDENT_CAUSE_STATED, state="known", text="a full disk")
    assert findings([told_before, told(5, Kind.INCIDENT_IDENTIFIED, 2)]).cause.text == "a full disk"


def test_redacted_words_are_not_known() -> None:
    assert findings([Event(1, BEGAN, Kind.INCIDENT_CAUSE_STATED, "ada", None)]).cause.knowledge is Knowledge.UNKNOWN


@pytest.mark.req("R-9-2")
@pytest.mark.parametrize(
    ("notice", "report", "lead", "ahead"),
    [
        (5, 9, Lead.AHEAD, True),
        (9, 5, Lead.BEHIND, False),
        (5, 5, Lead.BEHIND, False),
        (None, 5, Lead.BEHIND, False),
        (5, None, Lead.UNKNOWN, None),
        (None, None, Lead.UNKNOWN, None),
    ],
)
def test_ahead_is_a_notice_before_the_report_and_unknown_without_one(
    notice: int | None, report: int | None, lead: Lead, ahead: bool | None
) -> None:
    events = []
    if notice is not None:
        events.append(told(notice, Kind.UPDATE_SENT, recipients=3))
    if report is not None:
        stamp = at(report).isoformat().replace("+00:00", "Z")
        events.append(told(60, Kind.CUSTOMER_REPORTED, reported_at=stamp))
    found = first_word(events)
    assert (found.lead, found.ahead) == (lead, ahead)
    assert found == FirstWord(at(notice) if notice is not None else None, at(report) if report is not None else None)


def test_an_update_that_reached_nobody_is_no_notice_and_a_status_mail_is_one() -> None:
    nobody = told(5, Kind.UPDATE_SENT, recipients=0)
    assert first_word([nobody]).first_stakeholder_notice_at is None
    mail = told(7, Kind.STATUS_MAIL_QUEUED, recipients=2)
    assert first_word([nobody, mail]).first_stakeholder_notice_at == at(7)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 100)), max_size=12), st.randoms())
def test_the_order_of_entries_does_not_matter(parts: list[tuple[bool, int]], shuffle: Any) -> None:
    events = [
        told(minute, Kind.UPDATE_SENT, recipients=1)
        if notice
        else told(100, Kind.CUSTOMER_REPORTED, reported_at=at(minute).isoformat())
        for notice, minute in parts
    ]
    mixed = list(events)
    shuffle.shuffle(mixed)
    assert first_word(mixed) == first_word(events)
