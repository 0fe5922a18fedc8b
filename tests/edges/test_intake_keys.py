"""Keys at the door: one question a second for each, shared by all who ask, and a revocation that holds within it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

import pytest

from tests.domains import worlds
from tocsin.alerts import actions
from tocsin.core.access import SYSTEM, Right
from tocsin.intake import lookups
from tocsin.intake.keys import KeyRing, Sender
from tocsin.people import actions as people

Result = TypeVar("Result")
SENDER = Sender(source="integration:1", kind="alertmanager", rights=frozenset())


@dataclass
class Book:
    """The keys that exist, how often it was asked, and a clock to turn."""

    keys: dict[str, Sender] = field(default_factory=lambda: {"good": SENDER})
    asked: list[str] = field(default_factory=list)
    time: float = 100.0
    broken: bool = False
    gate: threading.Event | None = None

    def look_up(self, key: str) -> Sender | None:
        self.asked.append(key)
        if self.gate is not None:
            self.gate.wait()
        if self.broken:
            raise OSError("no database")
        return self.keys.get(key)


def with_ring(book: Book, story: Callable[[KeyRing], Awaitable[Result]]) -> Result:
    async def told() -> Result:
        with ThreadPoolExecutor(2) as threads:
            return await story(KeyRing(book.look_up, threads, lambda: book.time))

    return asyncio.run(told())


def test_a_key_is_looked_up_once_a_second() -> None:
    book = Book()

    async def story(ring: KeyRing) -> None:
        for _ in range(5):
            assert await ring.sender("good") == SENDER
        book.time += 1.0
        assert await ring.sender("good") == SENDER

    with_ring(book, story)
    assert book.asked == ["good", "good"]


def test_a_revoked_key_is_refused_after_a_second_at_the_latest() -> None:
    book = Book()

    async def story(ring: KeyRing) -> None:
        assert await ring.sender("good") == SENDER
        del book.keys["good"]
        book.time += 1.0
        assert await ring.sender("good") is None

    with_ring(book, story)


def test_a_new_key_is_welcome_a_second_after_it_was_refused() -> None:
    book = Book(keys={})

    async def story(ring: KeyRing) -> None:
        assert await ring.sender("new") is None
        book.keys["new"] = SENDER
        book.time += 1.0
        assert await ring.sender("new") == SENDER

    with_ring(book, story)


def test_a_storm_asks_once_and_everybody_gets_the_answer() -> None:
    book = Book(gate=threading.Event())

    async def story(ring: KeyRing) -> list[Sender | None]:
        asking = [asyncio.create_task(ring.sender("good")) for _ in range(50)]
        await asyncio.sleep(0)
        assert book.gate is not None
        book.gate.set()
        return await asyncio.gather(*asking)

    assert with_ring(book, story) == [SENDER] * 50
    assert book.asked == ["good"]


def test_one_who_gives_up_waiting_does_not_spoil_it_for_the_others() -> None:
    book = Book(gate=threading.Event())

    async def story(ring: KeyRing) -> Sender | None:
        impatient, patient = asyncio.create_task(ring.sender("good")), asyncio.create_task(ring.sender("good"))
        await asyncio.sleep(0)
        impatient.cancel()
        await asyncio.sleep(0)
        assert book.gate is not None
        book.gate.set()
        return await patient

    assert with_ring(book, story) == SENDER


def test_a_fault_of_the_database_is_not_remembered() -> None:
    book = Book(broken=True)

    async def story(ring: KeyRing) -> None:
        with pytest.raises(OSError, match="no database"):
            await ring.sender("good")
        book.broken = False
        assert await ring.sender("good") == SENDER

    with_ring(book, story)


@pytest.mark.parametrize("key", ["", "x" * 513, "a\x00b"])
def test_what_cannot_be_a_key_is_never_looked_up(key: str) -> None:
    book = Book()

    async def story(ring: KeyRing) -> Sender | None:
        return await ring.sender(key)

    assert with_ring(book, story) is None
    assert book.asked == []


@pytest.mark.django_db
def test_an_integrations_key_opens_the_door_until_it_is_revoked(now: datetime) -> None:
    worlds.process(now=now)
    service = worlds.service("checkout")
    row, key = actions.add_integration(SYSTEM, kind="alertmanager", service="checkout", now=now)
    sender = lookups.sender_of(key)
    assert sender is not None
    assert (sender.source, sender.kind, sender.service_id) == (f"integration:{row.pk}", "alertmanager", service.pk)
    assert sender.rights == {Right.ALERT_SEND, Right.COUNTS_SEND}
    actions.revoke_integration(SYSTEM, row.pk, now=now)
    assert lookups.sender_of(key) is None


@pytest.mark.django_db
def test_a_persons_token_opens_the_door_with_the_persons_rights(now: datetime) -> None:
    worlds.administrator("ada")
    worlds.person("rob")
    for username, may_count in (("ada", True), ("rob", False)):
        _, token = people.create_token(SYSTEM, username=username, name="amtool", now=now)
        sender = lookups.sender_of(token)
        assert sender is not None
        assert sender.source == f"person:{username}"
        assert Right.ALERT_SEND in sender.rights
        assert (Right.COUNTS_SEND in sender.rights) is may_count
    assert lookups.sender_of("tocsin_nobody") is None
