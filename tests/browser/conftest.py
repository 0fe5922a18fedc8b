"""Chromium in front of the running pages. The clock stands, so that every picture of a page is the same tomorrow."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from pytest_django.live_server_helper import LiveServer

from tests.browser import world as worlds
from tests.browser.world import World
from tests.programs import path_of
from tocsin.people.models import Person
from tocsin.platform.clock import WoundClock

FLAGS = ["--no-sandbox", "--disable-quic", "--disable-background-networking"]
DESK, PHONE = {"width": 1280, "height": 800}, {"width": 360, "height": 800}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser for the tests of a file; each test has a context of its own.

    Playwright's loop stays in this thread until the end of the file: Django would refuse the database beside it, and
    tests that run a loop of their own could not, if it lasted for the whole session.
    """
    program, patch = path_of("chromium"), pytest.MonkeyPatch()
    patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()
    patch.undo()


@pytest.fixture(scope="session", autouse=True)
def static_folder() -> None:
    """WhiteNoise wants its folder to be there, even when the files come from the packages."""
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The tests of a file stay in one process, where its browser is."""
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.xdist_group(item.nodeid.partition("::")[0]))


@pytest.fixture(scope="session")
def kept_worlds() -> Iterator[list[tuple[sqlite3.Connection, World]]]:
    kept: list[tuple[sqlite3.Connection, World]] = []
    yield kept
    for rows, _ in kept:
        rows.close()


@pytest.fixture
def world(transactional_db: None, clock: WoundClock, kept_worlds: list[tuple[sqlite3.Connection, World]]) -> World:
    """Built once by the real actions; every further test gets the very same rows back, which takes a hundredth."""
    connection.ensure_connection()
    if not kept_worlds:
        built = worlds.build(clock)
        rows = sqlite3.connect(":memory:")
        connection.connection.backup(rows)
        kept_worlds.append((rows, built))
    rows, built = kept_worlds[0]
    rows.backup(connection.connection)
    return built


@dataclass(slots=True)
class Visitor:
    """Somebody with a browser. `troubles` collects what the console, the network and the page's script complain of."""

    browser: Browser
    address: str
    troubles: list[str]

    def context(self, *, viewport: dict[str, int] = DESK, scheme: str = "light", **options: Any) -> BrowserContext:
        made = self.browser.new_context(
            viewport=viewport,  # type: ignore[arg-type]
            color_scheme=scheme,  # type: ignore[arg-type]
            reduced_motion="reduce",
            base_url=self.address,
            **options,
        )
        made.set_default_timeout(10_000)
        return made

    def page(self, *, user: str = "", **options: Any) -> Page:
        """A fresh page; signed in as `user` when one is named."""
        page = self.context(**options).new_page()
        page.on("console", lambda said: self._note(said.text) if said.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: self._note(str(error)))
        page.on("request", lambda asked: self._foreign(asked.url))
        if user:
            page.context.add_cookies([self._session(user)])
        return page

    def _session(self, username: str) -> Any:
        """The cookie of somebody who signed in."""
        client = Client()
        client.force_login(Person.objects.get(username=username), "django.contrib.auth.backends.ModelBackend")
        name = settings.SESSION_COOKIE_NAME
        return {"name": name, "value": client.cookies[name].value, "url": self.address}

    def _foreign(self, url: str) -> None:
        if not url.startswith((self.address, "data:", "blob:")):
            self._note(f"asked another host: {url}")

    def _note(self, text: str) -> None:
        # The live stream is answered by the front, which does not stand before this server.
        if "/live" not in text and "404 (Not Found)" not in text:
            self.troubles.append(text)


@pytest.fixture
def visitor(chromium: Browser, live_server: LiveServer, world: World) -> Iterator[Visitor]:
    one = Visitor(browser=chromium, address=live_server.url, troubles=[])
    yield one
    for context in chromium.contexts:
        context.close()


def photograph(page: Page, name: str) -> None:
    """A picture of the whole page into the folder TOCSIN_SCREENSHOTS, when there is one."""
    folder = os.environ.get("TOCSIN_SCREENSHOTS", "")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)
