"""Route by verb by who asks: what `authorisation.yaml` says of each is what happens, in a world with one of each thing.

`+` it happened (or was shown), `-` refused or sent to sign in, `.` neither: nothing there, or something to say first.
A route that is not in the file fails, and so does a line whose route is gone. With AUTHORISATION_WRITE=1 in the
environment the file is written anew; read what changed before you keep it.
"""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.db import transaction
from django.template.backends.django import Template
from django.test import Client

from tests.domains import worlds
from tests.house.route_table import address, as_json, body, table
from tocsin.alerts import actions as alerts
from tocsin.core.access import SYSTEM, Role
from tocsin.incidents import actions as incidents
from tocsin.people import actions as people
from tocsin.platform.clock import WoundClock

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(600)]

EXPECTED = Path(__file__).with_name("authorisation.yaml")
WHO = (
    "anonymous",
    "other_team",
    "reader",
    "responder",
    "owner",
    "process_owner",
    "auditor",
    "admin",
    "integration",
    "revoked",
)
HEADING = f"""# Who gets through where. One line a route and verb; the columns are, in this order:
#   {" ".join(WHO)}
# + it happened or was shown, - refused or sent to sign in, . neither (nothing there, or something to say first).
# AUTHORISATION_WRITE=1 pytest tests/house/test_authorisation.py writes it anew; read what changed before you keep it.
"""
REFUSED = {401, 403}
PARTS = 6
"""The routes are asked in so many tests, so that several processes share them."""


class Visitor:
    """Somebody who asks: pages with a browser's session, the API with a token or an integration's key."""

    def __init__(self, name: str, token: str = "") -> None:
        self.name = name
        self.client = Client(raise_request_exception=False)
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}

    def ask(self, verb: str, path: str, sent: dict[str, Any]) -> str:
        """The sign for what came of it; whatever it changed is taken back."""
        with transaction.atomic():
            if path.startswith("/api/"):
                data = "" if verb == "GET" else as_json(sent)
                answer = self.client.generic(verb, path, data, content_type="application/json", headers=self.headers)
            elif verb == "GET":
                answer = self.client.get(path, headers=self.headers)
            else:
                answer = self.client.post(path, sent, headers=self.headers)
            transaction.set_rollback(True)
        if answer.status_code >= 500:
            return f"!{answer.status_code}"
        away = answer.status_code == 302 and answer["Location"].startswith("/accounts/login/")
        if answer.status_code in REFUSED or away:
            return "-"
        return "+" if answer.status_code < 400 else "."


@pytest.fixture
def visitors(clock: WoundClock, monkeypatch: pytest.MonkeyPatch) -> list[Visitor]:
    """One of each, in a house with an incident that nobody has taken. What pages look like is not asked here."""
    now = clock.now()
    worlds.process(now=now)
    worlds.service("checkout", of_team="tickets", now=now)
    worlds.team("payments", now=now)
    roles = {
        "other_team": {"in_team": "payments", "is_owner": True},
        "reader": {"role": Role.READER.value},
        "responder": {},
        "owner": {"in_team": "tickets", "is_owner": True},
        "process_owner": {"role": Role.PROCESS_OWNER.value},
        "auditor": {"role": Role.AUDITOR.value},
        "admin": {"role": Role.ADMIN.value},
        "revoked": {},
    }
    found = {name: _person(name, now=now, **facts) for name, facts in roles.items()}
    incidents.declare(SYSTEM, title="Checkout fails", service="checkout", priority=2, now=now)
    _, key = alerts.add_integration(SYSTEM, kind="cloudevents", service="checkout", now=now)
    people.disable_person(SYSTEM, username="revoked", now=now)
    found |= {"anonymous": Visitor("anonymous"), "integration": Visitor("integration", key)}
    monkeypatch.setattr(Template, "render", lambda *_args, **_kwargs: "")
    clock.wind(timedelta(minutes=1))
    return [found[name] for name in WHO]


def _person(name: str, **facts: object) -> Visitor:
    person = worlds.person(name, **facts)  # type: ignore[arg-type]
    _, token = people.create_token(SYSTEM, username=name, name="matrix", now=worlds.NOW)
    visitor = Visitor(name, token)
    visitor.client.force_login(person, "django.contrib.auth.backends.ModelBackend")
    return visitor


def signs(visitors: list[Visitor], part: int) -> dict[str, str]:
    found = {}
    for verb, route in table()[part::PARTS]:
        path, sent = address(route), body(verb, route)
        found[f"{verb} {route}"] = " ".join(one.ask(verb, path, sent) for one in visitors)
    return found


def expected() -> dict[str, str]:
    lines: dict[str, str] = yaml.safe_load(EXPECTED.read_text(encoding="utf-8"))
    return lines


def keep(found: dict[str, str]) -> None:
    """Write what was found beside what the file says of the routes that are still there."""
    names = {f"{verb} {route}" for verb, route in table()}
    lines = {name: marks for name, marks in {**expected(), **found}.items() if name in names}
    ordered = sorted(lines.items(), key=lambda line: line[0].split(" ")[::-1])
    EXPECTED.write_text(HEADING + "".join(f'"{name}": "{marks}"\n' for name, marks in ordered), encoding="utf-8")


def test_every_route_stands_in_the_file_and_no_other() -> None:
    assert {f"{verb} {route}" for verb, route in table()} == set(expected())


@pytest.mark.req("R-X-5")
@pytest.mark.parametrize("part", range(PARTS))
def test_everybody_gets_through_where_the_file_says_and_nowhere_else(visitors: list[Visitor], part: int) -> None:
    found = signs(visitors, part)
    if os.environ.get("AUTHORISATION_WRITE"):
        keep(found)
    said = expected()
    wrong = [
        f"{name}: {said.get(name)} expected, {marks} found" for name, marks in found.items() if said.get(name) != marks
    ]
    assert not wrong, "\n".join([" ".join(WHO), *wrong])
