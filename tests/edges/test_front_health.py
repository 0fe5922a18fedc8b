"""What the front says about itself, and which part answers which path."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.edges.front_client import Answer, ask, request, scope
from tocsin.intake.protocol import Receive, Scope, Send, answer
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


@pytest.mark.parametrize("path", ["/readyz", "/health/engine"])
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
