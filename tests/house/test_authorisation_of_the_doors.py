"""The doors that the front answers before Django: who gets through with a token, a key, a session, or nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from tests.edges.front_client import Answer, request, scope
from tests.edges.metric_bodies import otlp_sum, remote_write
from tests.edges.test_intake_doors import FakeJournal
from tests.house.authorisation_file import DOOR, compare, expected
from tests.house.visitors import WHO, Visitor, everybody
from tocsin.alerts import actions as alerts
from tocsin.core.access import SYSTEM
from tocsin.intake import doors as hot
from tocsin.intake import event_doors, lookups
from tocsin.intake.keys import KeyRing, Sender
from tocsin.platform.clock import WoundClock
from tocsin.slo.pushed_series import Selection
from tocsin.wiring import asgi, watching
from tocsin.wiring.health import Checks, Health
from tocsin.wiring.live import Live

pytestmark = pytest.mark.django_db

AWAY = ("203.0.113.7", 40000)
EVENT = {"summary": "Disk full", "source": "db1", "severity": "critical"}


@dataclass(frozen=True, slots=True)
class Door:
    """What is sent to a door, and the kind of integration that it is for."""

    kind: str
    body: bytes
    headers: Mapping[str, str]
    other: str = "grafana"

    def with_key(self, key: str) -> bytes:
        """The key of an event stands in its body."""
        return self.body.replace(b"THE-KEY", key.encode())


def doors(now_ms: int) -> dict[str, Door]:
    json_body = {"Content-Type": "application/json"}
    protobuf = {"Content-Type": "application/x-protobuf"}
    change = {"routing_key": "THE-KEY", "payload": {"summary": "A deploy"}}
    event = {"routing_key": "THE-KEY", "event_action": "trigger", "dedup_key": "disk", "payload": EVENT}
    return {
        hot.ALERTS_PATH: Door("alertmanager", b'[{"labels": {"alertname": "Down"}}]', json_body),
        hot.COUNTS_PATH: Door("sli", b'{"slo": "checkout", "good": 9, "bad": 1}', json_body),
        hot.METRICS_PATH: Door("otlp", otlp_sum("sales", 1.0, now_ms), protobuf),
        hot.WRITE_PATH: Door(
            "remote-write", remote_write({"__name__": "x"}, [(now_ms, 1.0)]), protobuf | {"Content-Encoding": "snappy"}
        ),
        event_doors.ENQUEUE_PATH: Door("events-v2", json.dumps(event).encode(), json_body),
        event_doors.CHANGE_PATH: Door("events-v2", json.dumps(change).encode(), json_body),
    }


@pytest.fixture
def visitors(clock: WoundClock) -> list[Visitor]:
    return everybody(clock.now())


def sign(answer: Answer) -> str:
    refused = answer.status in {401, 403} or b"'routing_key'" in answer.body
    return "-" if refused else "+" if answer.status < 300 else f"!{answer.status}"


def posted(path: str, door: Door, key: str, sender: Sender | None, clock: WoundClock) -> str:
    """What the door says to a key; who is behind it was looked up in the database beforehand."""

    async def names(asked: Sequence[str], _service: int | None) -> Mapping[str, int]:
        return dict.fromkeys(asked, 1)

    async def selection() -> Selection:
        return Selection([])

    async def told() -> Answer:
        with ThreadPoolExecutor(1) as threads:
            house = hot.Doors(
                keys=KeyRing({key: sender}.get, threads, lambda: 0.0),
                journal=FakeJournal(),  # type: ignore[arg-type]
                names=names,
                selection=selection,
                clock=clock.now,
            )
            sent = {**door.headers, **({"Authorization": f"Bearer {key}"} if key else {})}
            given = scope("POST", path, headers=sent)
            opened = house.door_for(given)
            assert opened is not None
            return await request(opened, given, door.with_key(key))

    return sign(asyncio.run(told()))


def test_each_door_of_the_intake_takes_what_its_own_key_sends(clock: WoundClock, visitors: list[Visitor]) -> None:
    """Whoever may send by hand (settled by the table), and the integration whose kind it is; nobody else."""
    found = {}
    for path, door in doors(int(clock.now().timestamp() * 1000)).items():
        own, key = alerts.add_integration(SYSTEM, kind=door.kind, now=clock.now())
        _, other = alerts.add_integration(SYSTEM, kind=door.other, now=clock.now())
        keys = {one.name: one.token for one in visitors} | {"integration": key}
        signs = {name: posted(path, door, keys[name], lookups.sender_of(keys[name]), clock) for name in WHO}
        also = posted(path, door, other, lookups.sender_of(other), clock)
        alerts.revoke_integration(SYSTEM, own.pk, now=clock.now())
        signs["revoked"] = posted(path, door, key, lookups.sender_of(key), clock)
        found[f"{DOOR}POST {path}"] = " ".join([*signs.values(), f"other{also}"])
    compare(found, doors=True)


def test_what_the_front_answers_itself(visitors: list[Visitor]) -> None:
    """Health is for every machine; figures from afar and the live stream are for people who may read."""
    found = {}
    for path, asks in fronts().items():
        signs = []
        for one in visitors:
            cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in one.client.cookies.items())
            headers = {"Cookie": cookies} if cookies else one.headers
            allowed = watching.may_watch(cookies), watching.may_scrape(one.token)
            signs.append(sign(asyncio.run(asks(path, headers if path == asgi.LIVE_PATH else one.headers, *allowed))))
        found[f"{DOOR}GET {path}"] = " ".join(signs)
    compare(found, doors=True)


Asks = Callable[[str, Mapping[str, str], bool, bool], Awaitable[Answer]]


def fronts() -> dict[str, Asks]:
    return dict.fromkeys([*HEALTH, "/metrics"], health) | {asgi.LIVE_PATH: live}


HEALTH = ("/healthz", "/readyz", "/health/engine", "/version")


async def health(path: str, headers: Mapping[str, str], _watch: bool, scrape: bool) -> Answer:
    with ThreadPoolExecutor(1) as threads:
        checks = Checks(
            ready=lambda: None, engine=lambda: (True, {}), version={"version": "1"}, may_scrape=lambda _key: scrape
        )
        given = {**scope("GET", path, headers=headers), "client": AWAY}
        page = Health(checks, threads).page_for(given)
        assert page is not None
        return await request(page, given)


async def live(path: str, headers: Mapping[str, str], watch: bool, _scrape: bool) -> Answer:
    """Whoever asks hangs up at once; a stream that began has answered 200."""
    hung_up = asyncio.Event()
    hung_up.set()
    with ThreadPoolExecutor(1) as threads:
        stream = Live(threads=threads, latest=lambda: 0, may_watch=lambda _cookies: watch)
        try:
            return await request(stream, scope("GET", path, headers=headers), hang_up=hung_up)
        finally:
            stream.end()


def test_every_door_stands_in_the_file_and_no_other() -> None:
    paths = {value for part in (hot, event_doors) for name, value in vars(part).items() if name.endswith("_PATH")}
    assert {f"{DOOR}POST {path}" for path in paths} | {f"{DOOR}GET {path}" for path in fronts()} == set(
        expected(doors=True)
    )
