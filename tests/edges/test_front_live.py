"""The live stream: says that something changed, to whoever may know, until the server ends."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime

import pytest
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.db import transaction

from tests.domains import worlds
from tests.edges.front_client import Answer, scope
from tocsin.audit import actions as audit
from tocsin.core.access import SYSTEM
from tocsin.core.facts import Kind
from tocsin.intake.protocol import Message
from tocsin.people.models import Person
from tocsin.wiring import live as lives
from tocsin.wiring import watching
from tocsin.wiring.live import Live


@dataclass
class Log:
    """The event log's end, which the test moves on."""

    seq: int = 7

    def latest(self) -> int:
        return self.seq


@dataclass
class Client:
    """Somebody who watches; `said` can be awaited."""

    answer: Answer = field(default_factory=Answer)
    heard: asyncio.Condition = field(default_factory=asyncio.Condition)
    gone: asyncio.Event = field(default_factory=asyncio.Event)

    async def receive(self) -> Message:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        self.answer.take(message)
        async with self.heard:
            self.heard.notify_all()

    async def until(self, text: bytes) -> None:
        async with self.heard:
            await self.heard.wait_for(lambda: text in self.answer.body)

    def watch(self, live: Live, **headers: str) -> asyncio.Task[None]:
        given = scope("GET", "/live", headers={name.replace("_", "-"): value for name, value in headers.items()})
        return asyncio.ensure_future(live(given, self.receive, self.send))


def play(
    story: Callable[[Live, Log], Awaitable[None]], monkeypatch: pytest.MonkeyPatch, *, allowed: bool = True
) -> None:
    monkeypatch.setattr(lives, "LOOK_EVERY", 0.001)

    async def told() -> None:
        log = Log()
        with ThreadPoolExecutor(1) as threads:
            live = Live(threads=threads, latest=log.latest, may_watch=lambda _: allowed)
            await story(live, log)
            live.end()

    asyncio.run(told())


def test_a_change_is_told_with_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(live: Live, log: Log) -> None:
        client = Client()
        watching_task = client.watch(live)
        await client.until(b"retry:")
        assert b"changed" not in client.answer.body
        log.seq = 8
        await client.until(b'id: 8\nevent: changed\ndata: {"seq": 8}\n\n')
        client.gone.set()
        await watching_task
        assert client.answer.header("content-type") == "text/event-stream"

    play(story, monkeypatch)


def test_one_who_comes_back_hears_at_once_what_was_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(live: Live, log: Log) -> None:
        behind, level = Client(), Client()
        tasks = [behind.watch(live, last_event_id="5"), level.watch(live, last_event_id="7")]
        await behind.until(b"id: 7\n")
        await level.until(b"retry:")
        assert b"id:" not in level.answer.body
        for client in (behind, level):
            client.gone.set()
        await asyncio.gather(*tasks)

    play(story, monkeypatch)


@pytest.mark.parametrize("said", ["99999", "x", "-1", "9" * 40, ""])
def test_an_odd_last_number_starts_from_now(monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    async def story(live: Live, log: Log) -> None:
        client = Client()
        task = client.watch(live, last_event_id=said)
        await client.until(b"retry:")
        log.seq = 8
        await client.until(b"id: 8\n")
        client.gone.set()
        await task

    play(story, monkeypatch)


def test_the_end_of_the_server_ends_every_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(live: Live, log: Log) -> None:
        clients = [Client() for _ in range(3)]
        tasks = [client.watch(live) for client in clients]
        for client in clients:
            await client.until(b"retry:")
        live.end()
        await asyncio.gather(*tasks)
        assert all(client.answer.ended for client in clients)
        late = Client()
        await late.watch(live)
        assert late.answer.status == 503

    play(story, monkeypatch)


def test_a_quiet_stream_shows_that_it_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lives, "KEEP_ALIVE", 0.001)

    async def story(live: Live, log: Log) -> None:
        client = Client()
        task = client.watch(live)
        await client.until(b": still here")
        client.gone.set()
        await task

    play(story, monkeypatch)


def test_a_fault_of_the_database_does_not_end_the_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(live: Live, log: Log) -> None:
        client = Client()
        task = client.watch(live)
        await client.until(b"retry:")
        really, failed = log.latest, asyncio.Event()
        loop = asyncio.get_running_loop()

        def broken() -> int:
            loop.call_soon_threadsafe(failed.set)
            raise OSError("no database")

        monkeypatch.setattr(live, "_latest", broken)
        await failed.wait()
        monkeypatch.setattr(live, "_latest", really)
        log.seq = 8
        await client.until(b"id: 8\n")
        client.gone.set()
        await task

    play(story, monkeypatch)


def test_a_stranger_hears_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(live: Live, log: Log) -> None:
        client = Client()
        await client.watch(live)
        assert client.answer.status == 401

    play(story, monkeypatch, allowed=False)


def test_more_streams_than_there_is_room_for_are_asked_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lives, "MOST_STREAMS", 1)

    async def story(live: Live, log: Log) -> None:
        first, second = Client(), Client()
        task = first.watch(live)
        await first.until(b"retry:")
        await second.watch(live)
        assert (second.answer.status, second.answer.header("retry-after")) == (503, "30")
        first.gone.set()
        await task

    play(story, monkeypatch)


def cookie_of(person: Person) -> str:
    session = SessionStore()
    session[SESSION_KEY] = str(person.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = person.get_session_auth_hash()
    session.save()
    return f"other=1; {settings.SESSION_COOKIE_NAME}={session.session_key}"


@pytest.mark.django_db
def test_a_signed_in_person_may_watch_until_disabled() -> None:
    person = worlds.person("mara")
    cookie = cookie_of(person)
    assert watching.may_watch(cookie)
    person.is_active = False
    person.save(update_fields=["is_active"])
    assert not watching.may_watch(cookie)


@pytest.mark.django_db
@pytest.mark.parametrize("cookies", ["", "sessionid=nobody", "sessionid=", "other=1", "\x00=;;", "sessionid=a\x00b"])
def test_cookies_of_nobody_open_nothing(cookies: str) -> None:
    assert not watching.may_watch(cookies)


@pytest.mark.django_db
def test_the_latest_entry_is_the_end_of_the_event_log(now: datetime) -> None:
    assert watching.latest_entry() == 0
    with transaction.atomic():
        (entry,) = audit.record(SYSTEM, [audit.Fact(kind=Kind.SETTING_CHANGED)], now=now)
    assert watching.latest_entry() == entry.seq
