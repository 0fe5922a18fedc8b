"""Accepting: durable before it is said, many bodies in one commit, and no answer but "try again" when it failed."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import pytest
from django.db import OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext

from tocsin.intake import journal
from tocsin.intake.journal import JournalWriter, NotAccepted
from tocsin.platform import clock as clocks
from tocsin.platform import doorbell
from tocsin.platform.fifo import WRITER
from tocsin.platform.models import Journal

pytestmark = pytest.mark.django_db(transaction=True)
Result = TypeVar("Result")


@contextmanager
def writing(**limits: int) -> Iterator[JournalWriter]:
    writer = JournalWriter(**limits)
    writer.start()
    try:
        yield writer
    finally:
        writer.stop()


def with_writer(story: Callable[[JournalWriter], Awaitable[Result]], **limits: int) -> Result:
    with writing(**limits) as writer:
        return asyncio.run(story(writer))  # type: ignore[arg-type]


def test_what_was_accepted_is_in_the_journal_with_its_digest(clock: clocks.WoundClock) -> None:
    async def story(writer: JournalWriter) -> None:
        await writer.append("alertmanager", "integration:1", b"[1]")

    with_writer(story)
    row = Journal.objects.get()
    assert (row.kind, row.source, bytes(row.body), row.state) == ("alertmanager", "integration:1", b"[1]", "new")
    assert row.sha256 == hashlib.sha256(b"[1]").hexdigest()
    assert row.received_at == clock.now()


def test_what_waits_while_a_commit_is_under_way_shares_the_next_one(monkeypatch: pytest.MonkeyPatch) -> None:
    groups: list[int] = []
    first, go_on = threading.Event(), threading.Event()
    really = journal.append_now

    def slow(bodies: list[tuple[str, str, bytes]]) -> None:
        groups.append(len(bodies))
        if len(groups) == 1:
            first.set()
            go_on.wait()
        really(bodies)

    monkeypatch.setattr(journal, "append_now", slow)

    async def story(writer: JournalWriter) -> None:
        leading = asyncio.create_task(writer.append("sli", "integration:1", b"0"))
        await asyncio.to_thread(first.wait)
        others = [asyncio.create_task(writer.append("sli", "integration:1", b"%d" % n)) for n in range(1, 21)]
        await asyncio.sleep(0)
        go_on.set()
        await asyncio.gather(leading, *others)

    with_writer(story)
    assert groups == [1, 20]
    assert [bytes(body) for body in Journal.objects.order_by("id").values_list("body", flat=True)] == [
        b"%d" % n for n in range(21)
    ]


def test_nobody_hears_yes_before_the_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bool] = []
    really = journal.append_now

    async def story(writer: JournalWriter) -> None:
        def watched(bodies: list[tuple[str, str, bytes]]) -> None:
            seen.append(asking.done())
            really(bodies)
            seen.append(asking.done())

        monkeypatch.setattr(journal, "append_now", watched)
        asking = asyncio.ensure_future(writer.append("sli", "integration:1", b"x"))
        await asking

    with_writer(story)
    assert seen == [False, False]


def test_the_engine_is_rung_after_the_commit() -> None:
    bell = doorbell.listen()
    try:
        journal.append_now([("sli", "integration:1", b"x")])
        assert bell.wait(0)
    finally:
        bell.close()


def test_a_failed_commit_is_said_to_all_of_its_group_and_the_next_one_works(monkeypatch: pytest.MonkeyPatch) -> None:
    failing = [True]
    really = journal.append_now

    def sometimes(bodies: list[tuple[str, str, bytes]]) -> None:
        if failing[0]:
            raise OperationalError("disk full")
        really(bodies)

    monkeypatch.setattr(journal, "append_now", sometimes)

    async def story(writer: JournalWriter) -> list[BaseException | None]:
        refused = await asyncio.gather(
            *(writer.append("sli", "integration:1", b"x") for _ in range(3)), return_exceptions=True
        )
        failing[0] = False
        await writer.append("sli", "integration:1", b"y")
        return refused

    assert all(isinstance(error, NotAccepted) for error in with_writer(story))
    assert [bytes(row.body) for row in Journal.objects.all()] == [b"y"]


@pytest.mark.sqlite  # the line of writers is SQLite's
def test_a_line_that_is_too_long_is_refused_at_once_and_shrinks_again() -> None:
    async def story(writer: JournalWriter) -> None:
        WRITER.acquire()  # nobody may write until the line has been seen to be full
        try:
            waiting = [asyncio.create_task(writer.append("sli", "integration:1", b"x")) for _ in range(2)]
            await asyncio.sleep(0)
            with pytest.raises(NotAccepted):
                await writer.append("sli", "integration:1", b"x")
        finally:
            WRITER.release()
        await asyncio.gather(*waiting)
        await writer.append("sli", "integration:1", b"x")

    with_writer(story, most_waiting=2)
    assert Journal.objects.count() == 3


def test_too_many_bytes_in_line_are_refused() -> None:
    async def story(writer: JournalWriter) -> None:
        with pytest.raises(NotAccepted):
            await writer.append("sli", "integration:1", b"x" * 11)

    with_writer(story, most_bytes=10)
    assert not Journal.objects.exists()


def test_stopping_commits_what_still_waits() -> None:
    async def story() -> list[None]:
        writer = JournalWriter()
        waiting = [asyncio.create_task(writer.append("sli", "integration:1", b"x")) for _ in range(5)]
        await asyncio.sleep(0)
        writer.start()
        await asyncio.to_thread(writer.stop)
        return await asyncio.gather(*waiting)

    asyncio.run(story())
    assert Journal.objects.count() == 5


def test_a_group_costs_one_statement_however_many_bodies_it_has() -> None:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        journal.append_now([("sli", "integration:1", b"x")] * 50)
    assert len([query for query in queries if "INSERT" in query["sql"]]) == 1


def test_concurrent_senders_of_the_same_body_are_each_answered_and_each_kept() -> None:
    async def story(writer: JournalWriter) -> None:
        await asyncio.gather(*(writer.append("alertmanager", "integration:1", b"same") for _ in range(64)))

    with_writer(story)
    assert Journal.objects.filter(body=b"same").count() == 64


@pytest.mark.sqlite  # the line of writers is SQLite's
def test_the_journal_waits_its_turn_behind_another_writer_and_loses_nothing() -> None:
    async def story(writer: JournalWriter) -> None:
        def hold() -> None:
            with transaction.atomic():
                Journal.objects.count()
                held.set()
                let_go.wait()
            connection.close()

        holder = threading.Thread(target=hold)
        holder.start()
        await asyncio.to_thread(held.wait)
        asking = asyncio.create_task(writer.append("sli", "integration:1", b"x"))
        await asyncio.sleep(0)
        assert not asking.done()
        let_go.set()
        await asking
        holder.join()

    held, let_go = threading.Event(), threading.Event()
    with_writer(story)
    assert Journal.objects.count() == 1
