"""The desk and the timeline of an incident as pages: parts, pictures as files, and queries that do not grow."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.domains import worlds
from tests.domains.incident_worlds import MINUTE, House
from tests.edges.web_client import has, read, signed_in
from tocsin.incidents import actions
from tocsin.incidents.models import Decision, Incident
from tocsin.web import incident_page, incidents

pytestmark = pytest.mark.django_db


@pytest.fixture
def house() -> House:
    return House(now=worlds.NOW)


@pytest.fixture
def ada(house: House) -> Client:
    return signed_in("ada")


@pytest.fixture
def incident(house: House) -> Incident:
    found = house.declare(severity="error", priority=2)
    actions.acknowledge(house.ada, found.ref, now=house.now)
    actions.assign_role(house.ada, found.ref, role="incident_coordinator", username="ben", now=house.now)
    return found


def fill(house: House, incident: Incident, times: int) -> None:
    for place in range(times):
        for line in (
            f"seen {place}",
            "/d Roll back @ada @identity",
            "/q Why? @ben in 5m",
            "/t Look @ada",
            "/c A: b | c | d",
        ):
            actions.enter_line(house.ada, incident.ref, line, now=house.now)


def counted(ada: Client, path: str) -> int:
    read(ada, path)  # what is kept in memory is there now
    with CaptureQueriesContext(connection) as found:
        read(ada, path)
    return len(found)


PINNED = {
    ("ada", ""): 39,
    ("ada", "/desk"): 30,
    ("ada", "/timeline"): 9,
    ("ben", ""): 41,
    ("ben", "/desk"): 32,
}
"""So many queries at most, for somebody who takes part and for whoever coordinates; who needs more says so here.

PostgreSQL is asked once more."""


@pytest.mark.parametrize(("who", "page"), list(PINNED))
def test_the_number_of_queries_does_not_grow_with_the_events(
    house: House, incident: Incident, who: str, page: str
) -> None:
    path, reader = f"/i/{incident.number}{page}", signed_in(who)
    fill(house, incident, 2)
    few = counted(reader, path)
    fill(house, incident, 30)
    assert counted(reader, path) == few
    assert few - (connection.vendor == "postgresql") <= PINNED[who, page]


def test_the_newest_entries_are_shown_and_earlier_ones_page_by_page(
    house: House, ada: Client, incident: Incident, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(incidents, "LINES", 20)
    monkeypatch.setattr(incident_page, "TAIL", 10)
    for place in range(50):
        actions.annotate(house.ada, incident.ref, text=f"seen {place:02}", now=house.now)

    def seen(path: str) -> list[str]:
        return re.findall(r'note-text">(seen \d\d)', read(ada, path))

    assert seen(f"/i/{incident.number}") == [f"seen {place}" for place in range(40, 50)]
    path, found = f"/i/{incident.number}/timeline", []
    while path:
        shown = read(ada, path)
        found = list(re.findall(r'note-text">(seen \d\d)', shown)) + found
        earlier = re.search(r'href="(\?before=\d+)"[^>]*timeline-earlier', shown)
        path = f"/i/{incident.number}/timeline{earlier[1]}" if earlier else ""
    assert found == [f"seen {place:02}" for place in range(50)]


def test_the_timeline_is_drawn_with_a_table_beside_it_and_leaves_as_a_file(
    house: House, ada: Client, incident: Incident
) -> None:
    fill(house, incident, 1)
    actions.change_priority(house.ada, incident.ref, priority=1, reason="more users", now=house.now + 31 * MINUTE)
    shown = read(ada, f"/i/{incident.number}/timeline")
    assert has(shown, "incident-lanes")
    assert has(shown, "incident-lanes-table")
    answer = ada.get(f"/i/{incident.number}/timeline.svg")
    assert answer.headers["Content-Type"].startswith("image/svg+xml")
    drawn = answer.content.decode()
    assert "raised to P1 at T+0:31" in drawn
    for word in ("Priority", "Severity", "On call", "Incident coordinator", "sign-decision", "more users"):
        assert word in drawn, word
    assert len(drawn) < 30_000
    assert ada.get(f"/i/{incident.number}/timeline.png").content.startswith(b"\x89PNG")
    assert ada.get(f"/i/{incident.number}/timeline.gif").status_code == 404


def test_a_line_that_cannot_be_read_comes_back_with_what_is_wrong(ada: Client, incident: Incident) -> None:
    answer = ada.post(f"/i/{incident.number}/desk", {"line": "/z <b>what</b>"})
    assert answer.status_code == 422
    text = answer.content.decode()
    assert "There is no /z" in text
    assert 'value="/z &lt;b&gt;what&lt;/b&gt;"' in text
    assert not Decision.objects.exists()
    assert ada.post("/i/999/desk", {"line": "x"}).status_code == 404


def test_a_decision_of_the_note_form_is_one_that_is_followed(ada: Client, incident: Incident) -> None:
    ada.post(f"/i/{incident.number}/note", {"text": "Roll back", "kind": "decision"})
    assert Decision.objects.get().text == "Roll back"


def test_a_reader_sees_the_desk_and_types_nothing(house: House, incident: Incident) -> None:
    fill(house, incident, 1)
    worlds.person("rita", role="reader", now=house.now)
    rita = signed_in("rita")
    shown = read(rita, f"/i/{incident.number}/desk")
    assert has(shown, "decision-1")
    assert not has(shown, "desk-line")
    assert rita.post(f"/i/{incident.number}/desk", {"line": "x"}).status_code == 403


@pytest.mark.parametrize("people", [7, 8])
def test_the_desk_warns_of_too_many_reports(house: House, ada: Client, incident: Incident, people: int) -> None:
    for place in range(people - 1):
        worlds.person(f"e{place}", now=house.now)
        actions.assign_role(house.ben, incident.ref, role="technical_expert", username=f"e{place}", now=house.now)
    assert has(read(ada, f"/i/{incident.number}/desk"), "span-warning") is (people > 7)
