"""What a line of the desk means."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.core.decision_duties import About
from tocsin.core.errors import Invalid
from tocsin.core.quick_entry import PREFIXES, EntryKind, QuickEntry, read_line
from tocsin.core.wall_time import zone

NOW = datetime(2026, 11, 23, 2, 12, tzinfo=UTC)
BERLIN = zone("Europe/Berlin")


def read(line: str, *, now: datetime = NOW) -> QuickEntry:
    return read_line(line, zone=BERLIN, now=now)


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("Rolled back, watching", QuickEntry(kind=EntryKind.NOTE, text="Rolled back, watching")),
        ("//etc is full", QuickEntry(kind=EntryKind.NOTE, text="/etc is full")),
        ("/d Roll back 2026.11.3", QuickEntry(kind=EntryKind.DECISION, text="Roll back 2026.11.3")),
        (
            "/D Roll back @ana @database by 04:20",
            QuickEntry(
                kind=EntryKind.DECISION,
                text="Roll back",
                names=("ana", "database"),
                due_at=datetime(2026, 11, 23, 3, 20, tzinfo=UTC),
            ),
        ),
        (
            "/d Fail over in 20m @ana #risk",
            QuickEntry(
                kind=EntryKind.DECISION,
                text="Fail over",
                names=("ana",),
                about=About.RISK,
                due_at=NOW + timedelta(minutes=20),
            ),
        ),
        (
            "/q Is the queue growing? @database",
            QuickEntry(kind=EntryKind.QUESTION, text="Is the queue growing?", names=("database",)),
        ),
        (
            "/t Read the logs in 1h30m",
            QuickEntry(kind=EntryKind.TASK, text="Read the logs", due_at=NOW + timedelta(minutes=90)),
        ),
        ("/a 1 No, it drains", QuickEntry(kind=EntryKind.ANSWER, number=1, text="No, it drains")),
        ("/r #2 Errors at 0.1%", QuickEntry(kind=EntryKind.REPORT, number=2, text="Errors at 0.1%")),
        ("/ok 2", QuickEntry(kind=EntryKind.RECEIVED, number=2)),
        ("/done 3 nothing there", QuickEntry(kind=EntryKind.TASK_DONE, number=3, text="nothing there")),
        (
            "/c Database: slow | more memory | a DBA",
            QuickEntry(kind=EntryKind.CONDITION, text="Database", parts=("slow", "more memory", "a DBA")),
        ),
        ("/c all quiet", QuickEntry(kind=EntryKind.CONDITION, parts=("all quiet", "", ""))),
        ("/t mail a@b.example by hand", QuickEntry(kind=EntryKind.TASK, text="mail a@b.example by hand")),
    ],
)
def test_a_line_is_read_as_it_is_meant(line: str, meant: QuickEntry) -> None:
    assert read(line) == meant


@pytest.mark.parametrize(
    "line",
    [
        "",
        "  \n ",
        "/z what",
        "/d",
        "/d @ana",
        "/a",
        "/a one no",
        "/a 1",
        "/r 2  ",
        "/c  | x",
        "/t x in 0m",
        "/t x in 9999d",
    ],
)
def test_what_cannot_be_read_is_refused_with_a_sentence(line: str) -> None:
    with pytest.raises(Invalid) as told:
        read(line)
    assert list(told.value.fields) == ["line"]


def test_a_wall_time_is_the_next_one_of_the_typist() -> None:
    assert read("/t x by 03:12").due_at == NOW + timedelta(days=1)  # 03:12 in Berlin is now
    assert read("/t x by 03:13").due_at == NOW + timedelta(minutes=1)
    assert read("/t x by 23:59").due_at == datetime(2026, 11, 23, 22, 59, tzinfo=UTC)


def test_a_wall_time_that_clocks_jump_over_is_the_end_of_the_gap() -> None:
    night = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)
    assert read("/t x by 02:30", now=night).due_at == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused_and_a_due_time_lies_ahead(line: str) -> None:
    try:
        found = read(line)
    except Invalid:
        return
    assert found.due_at is None or found.due_at > NOW
    assert found.kind in {EntryKind.NOTE, *PREFIXES.values()}
