"""What the front says about itself, and which part answers which path."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.domains import worlds
from tests.edges.front_client import Answer, ask, request, scope
from tocsin.core.access import SYSTEM
from tocsin.intake.protocol import Receive, Scope, Send, answer
from tocsin.people import actions as people
from tocsin.wiring import watching
from tocsin.wiring.asgi import Front
from tocsin.wiring.health import Checks, Health


def page(path: str, *, method: str = "GET", **checks: Any) -> Answer:
    async def told() -> Answer:
        with ThreadPoolExecutor(1) as threads:
            facts: dict[str, Any] = {
                "ready": lambda: None,
                "engine": lambda: (True, {"last_cycle_age_seconds": 0.1}),
                "version": {"name": "tocsin", "version": "1"},
            }
            health = Health(Checks(**{**facts, **checks}), threads)
            given = scope(method, path)
            found = health.page_for(given)
            assert found is not None
            return await request(found, given)

    return asyncio.run(told())


def broken() -> Any:
    raise OSError("password=secret host=db")


def test_a_process_that_answers_is_alive_whatever_the_database_does() -> None:
    assert page("/healthz", ready=broken, engine=broken).status == 200


def test_it_is_ready_when_the_database_is() -> None:
    assert (page("/readyz").status, page("/readyz").document) == (200, {"ready": True})


@pytest.mark.parametrize("path", ["/readyz", "/health/engine", "/metrics"])
def test_trouble_is_a_503_that_gives_no_secret_away(path: str) -> None:
    told = page(path, ready=broken, engine=broken)
    assert told.status == 503
    assert b"secret" not in told.body


def test_the_engine_says_how_old_its_last_cycle_is() -> None:
    assert page("/health/engine").document == {"healthy": True, "last_cycle_age_seconds": 0.1}
    ill: tuple[bool, Mapping[str, Any]] = (False, {"last_cycle_age_seconds": 99.0})
    assert page("/health/engine", engine=lambda: ill).status == 503


def test_the_version_is_told() -> None:
    assert page("/version").document["name"] == "tocsin"
    assert set(watching.version()) == {"name", "version", "commit"}


REPORT = {
    "last_cycle_age_seconds": 0.1,
    "journal_waiting": 3,
    "loops": {"main": 0.1},
    "turns": {"fold": {"handled": 7, "failures": 1, "failing": False}},
}


def test_the_figures_are_what_prometheus_reads() -> None:
    told = page("/metrics", engine=lambda: (True, REPORT))
    assert told.header("content-type").startswith("text/plain; version=0.0.4")
    families = {family.name: family for family in text_string_to_metric_families(told.body.decode())}
    assert families["tocsin_journal_waiting"].samples[0].value == 3
    assert families["tocsin_engine_healthy"].samples[0].value == 1
    handled = families["tocsin_turn_handled"].samples[0]
    assert (handled.labels, handled.value) == ({"turn": "fold"}, 7)


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded"])
def test_the_figures_are_not_for_strangers_behind_a_proxy(header: str) -> None:
    async def told(key: str) -> Answer:
        with ThreadPoolExecutor(1) as threads:
            checks = Checks(
                ready=lambda: None,
                engine=lambda: (True, REPORT),
                version={"version": "1"},
                may_scrape=lambda key: key == "good",
            )
            given = scope(path="/metrics", headers={header: "203.0.113.9", "Authorization": f"Bearer {key}"})
            found = Health(checks, threads).page_for(given)
            assert found is not None
            return await request(found, given)

    assert asyncio.run(told("bad")).status == 401
    assert asyncio.run(told("good")).status == 200


@pytest.mark.django_db
def test_a_persons_token_opens_the_figures(now: datetime) -> None:
    worlds.person("mara")
    _, token = people.create_token(SYSTEM, username="mara", name="prometheus", now=now)
    assert watching.may_scrape(token)
    assert not watching.may_scrape("tocsin_nobody")
    assert not watching.may_scrape("")


@pytest.mark.django_db
def test_a_migrated_database_is_ready() -> None:
    watching.ready()


@pytest.mark.django_db
def test_a_schema_older_than_the_program_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db.migrations.executor import MigrationExecutor

    watching._schema_fits.cache_clear()
    with monkeypatch.context() as patch:
        patch.setattr(MigrationExecutor, "migration_plan", lambda *_: ["one to go"])
        with pytest.raises(watching.NotReady):
            watching.ready()
    watching.ready()


class Part:
    """Stands for a part of the front and says its own name."""

    def __init__(self, name: str) -> None:
        self.name = name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await answer(send, 200, self.name.encode())

    def door_for(self, given: Scope) -> Part | None:
        return self if given["method"] == "POST" and given["path"].endswith("/api/v2/alerts") else None

    def page_for(self, given: Scope) -> Part | None:
        return self if given["path"] == "/healthz" else None


@pytest.mark.parametrize(
    ("method", "path", "who"),
    [
        ("POST", "/api/v2/alerts", "doors"),
        ("GET", "/api/v2/alerts", "django"),
        ("GET", "/healthz", "health"),
        ("GET", "/live", "live"),
        ("POST", "/live", "django"),
        ("GET", "/", "django"),
        ("GET", "/livery", "django"),
    ],
)
def test_each_path_has_one_part_that_answers_it(method: str, path: str, who: str) -> None:
    parts = {name: Part(name) for name in ("doors", "health", "live", "django")}
    assert ask(Front(**parts), method, path).body == who.encode()  # type: ignore[arg-type]


def test_what_is_no_request_is_passed_over() -> None:
    async def told() -> None:
        await Front(None, None, None, None)({"type": "lifespan"}, None, None)  # type: ignore[arg-type]

    asyncio.run(told())
