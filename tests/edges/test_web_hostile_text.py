"""Text from outside stays text: no alert, name or note puts an element, an attribute or a foreign link into a page."""

from __future__ import annotations

import json
from datetime import datetime
from html.parser import HTMLParser

import pytest
from django.db import transaction
from django.test import Client

from tests.domains import slo_worlds, worlds
from tocsin.alerts import actions as alerts
from tocsin.alerts.posted_alerts import decode
from tocsin.catalog import actions as catalog
from tocsin.comms import actions as comms
from tocsin.core.access import SYSTEM
from tocsin.incidents import actions as incidents
from tocsin.people.models import Person
from tocsin.postmortems import actions as postmortems
from tocsin.slo import actions as slo

pytestmark = pytest.mark.django_db

PAYLOADS = (
    "<script>x-evil()</script>",
    '"><img src=x onerror=x-evil()>',
    "' autofocus onfocus='x-evil()",
    "</textarea><svg onload=x-evil()>",
    "</title><iframe src=//x-evil.example></iframe>",
    "{{ 7|add:7 }}{% load x-evil %}",
    "[press](javascript:x-evil()) javascript:x-evil()",
    "<a href='https://x-evil.example'>press</a>",
    "<style>@import '//x-evil.example'</style>",
    "<!--x-evil--><base href=//x-evil.example>",
)
WHOLE = " ".join(PAYLOADS)
NO_LINK = "javascript:x-evil()"


class Elements(HTMLParser):
    """Collects what a browser would act on: tags, attribute names, addresses."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in {"iframe", "base", "object", "embed", "style"}:
            self.found.append(tag)
        for name, value in attrs:
            if name.startswith("on") or name == "style":
                self.found.append(f"{tag} {name}={value}")
            if name in {"href", "src", "action", "formaction"} and "x-evil" in (value or ""):
                self.found.append(f"{tag} {name}={value}")
        if tag == "script" and not dict(attrs).get("src", "").startswith("/static/"):  # type: ignore[union-attr]
            self.found.append("inline script")


def acted_on(text: str) -> list[str]:
    elements = Elements()
    elements.feed(text)
    return elements.found


@pytest.fixture
def number(now: datetime) -> int:
    """An incident whose every field, and everything around it, was written by somebody who means harm."""
    worlds.process(now=now)
    worlds.person("mara", in_team="tickets", role="admin", display_name=WHOLE[:140], now=now)
    catalog.add_service(SYSTEM, name="checkout", display_name=WHOLE[:140], team="tickets", description=WHOLE, now=now)
    objective = slo_worlds.objective(display_name=WHOLE[:140], description=WHOLE, use_case=WHOLE[:290], now=now)
    slo.assign_priority(SYSTEM, objective=objective, decision="set", priority=1, reason=WHOLE, now=now)
    integration, _ = alerts.add_integration(SYSTEM, kind="alertmanager", name=WHOLE[:140], now=now)
    told = {
        "labels": {"alertname": WHOLE[:290], "service": "checkout"},
        "annotations": {"summary": WHOLE, "description": WHOLE, "runbook_url": NO_LINK},
        "generatorURL": NO_LINK,
        "startsAt": now.isoformat(),
    }
    with transaction.atomic():
        read = decode(json.dumps([told]).encode(), received_at=now)
        changes = alerts.take_alertmanager(integration, read.alerts, now=now)
        [row] = incidents.take_alert_changes(changes, now=now)
    mara = worlds.actor("mara")
    incidents.acknowledge(mara, row.number, now=now)
    incidents.annotate(mara, row.number, text=WHOLE, now=now)
    incidents.change_priority(mara, row.number, priority=1, reason=WHOLE[:290], now=now)
    comms.send_update(
        mara, row.number, text=WHOLE, subject=WHOLE[:200], next_update_at=now.replace(hour=now.hour + 1), now=now
    )
    postmortems.start_postmortem(mara, row.number, now=now)
    postmortems.edit_section(mara, row.number, section="summary", text=WHOLE, now=now)
    item = postmortems.add_action(mara, row.number, title=WHOLE[:290], driver="mara", now=now)
    assert item.pk
    return row.number


@pytest.mark.req("R-X-8")
def test_no_page_acts_on_text_from_outside(client: Client, number: int) -> None:
    client.force_login(Person.objects.get(username="mara"), "django.contrib.auth.backends.ModelBackend")
    shown = 0
    paths = [
        "/",
        "/i",
        "/updates",
        "/postmortems",
        "/actions",
        "/slos",
        "/oncall",
        "/setup/sources",
        "/me",
        "/priorities",
    ]
    steps = ["", "/timeline", "/priority", "/severity", "/roles", "/resolve", "/updates", "/review"]
    paths += [f"/i/{number}{step}" for step in steps]
    paths += [f"/i/{number}/review/sections/summary", "/slos/checkout/checkout-availability"]
    for path in paths:
        answer = client.get(path)
        assert answer.status_code == 200, path
        text = answer.content.decode()
        assert acted_on(text) == [], path
        assert "14{%" not in text, path
        shown += "x-evil" in text
    assert shown > len(paths) / 2, "the payloads have to be on the pages, or this proves nothing"


@pytest.mark.req("R-X-8")
def test_a_refused_form_shows_hostile_input_as_text(client: Client, number: int) -> None:
    client.force_login(Person.objects.get(username="mara"), "django.contrib.auth.backends.ModelBackend")
    told = {"title": WHOLE, "service": WHOLE, "description": WHOLE}
    answer = client.post("/i/new", told)
    assert answer.status_code == 422
    assert acted_on(answer.content.decode()) == []


def test_every_page_forbids_inline_code_and_foreign_hosts(client: Client, number: int) -> None:
    client.force_login(Person.objects.get(username="mara"), "django.contrib.auth.backends.ModelBackend")
    for path in ("/", f"/i/{number}", "/nowhere", "/accounts/login/"):
        answer = client.get(path)
        policy = answer["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'")
        assert "unsafe" not in policy
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["X-Frame-Options"] == "DENY"


def test_the_parser_of_this_test_sees_what_a_browser_would(number: int) -> None:
    """The test can fail: unescaped, the payloads are found."""
    assert len(acted_on(WHOLE)) >= 5
