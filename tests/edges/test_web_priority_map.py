"""The priority map as a form: many decisions for one reason, from a moment on, taken back, or shown as a file."""

from __future__ import annotations

import html
import re
from datetime import timedelta

import pytest
from django.test import Client

from tests.domains import slo_worlds, worlds
from tests.domains.worlds import NOW
from tocsin.config.apply import apply_texts
from tocsin.core.access import SYSTEM
from tocsin.people import queries as people
from tocsin.platform.clock import WoundClock
from tocsin.slo import actions, queries
from tocsin.slo.models import PriorityAssignment

pytestmark = pytest.mark.django_db

MAP = "/priorities/map"


@pytest.fixture
def ada(client: Client, clock: WoundClock) -> Client:
    worlds.process()
    worlds.person("ada", in_team="identity", is_owner=True, time_zone="Europe/Berlin")
    worlds.service("log-on", of_team="identity", display_name="Log-on")
    worlds.service("payments", of_team="payments", display_name="Payments")
    for name in ("log-on-speed", "log-on-success", "profile-saved"):
        slo_worlds.objective(name, service="log-on")
    slo_worlds.objective("paid", service="payments")
    actions.assign_priority(
        SYSTEM,
        objective="log-on-success",
        decision="set",
        priority=4,
        groups=["customer-support"],
        reason="Users wait",
        raise_rule={"more_than": 3, "within_seconds": 3600, "to": 2},
        now=NOW - timedelta(days=1),
    )
    client.force_login(people.person("ada"), backend="django.contrib.auth.backends.ModelBackend")
    return client


def held(name: str, *, later: timedelta = timedelta(0)) -> tuple[str, int | None]:
    row = queries.assignment_at(queries.objective(SYSTEM, name), NOW + later)
    return ("unset", None) if row is None else (row.decision, row.priority)


def page_of(client: Client, address: str = MAP) -> str:
    return client.get(address).content.decode()


@pytest.mark.req("R-9.2.1-8")
def test_several_choices_are_decided_together_for_one_reason(ada: Client) -> None:
    choices = {"slo:log-on-speed": "3", "slo:profile-saved": "none", "slo:log-on-success": "4"}
    answer = ada.post(f"{MAP}/decide", {**choices, "reason": "Agreed with support", "team": "identity"}, follow=True)
    page = answer.content.decode()
    assert answer.redirect_chain[-1][0] == f"{MAP}?team=identity"
    assert "Decided for 2 SLOs." in page
    assert [held(name) for name in ("log-on-speed", "profile-saved")] == [("set", 3), ("none", None)]
    assert PriorityAssignment.objects.get(objective__name="log-on-speed").reason == "Agreed with support"
    assert PriorityAssignment.objects.filter(objective__name="log-on-success").count() == 1


def test_what_was_decided_is_taken_back_with_one_press(ada: Client) -> None:
    ada.post(f"{MAP}/decide", {"slo:log-on-speed": "3", "slo:log-on-success": "unset"})
    assert held("log-on-success") == ("unset", None)
    assert "map-undo-notice" in page_of(ada)
    page = ada.post(f"{MAP}/undo", follow=True).content.decode()
    assert "Taken back for 2 SLOs." in page
    assert "map-undo-notice" not in page
    assert held("log-on-success") == ("set", 4)
    assert held("log-on-speed") == ("unset", None)
    assert "nothing to take back" in ada.post(f"{MAP}/undo", follow=True).content.decode()


def test_what_somebody_decided_since_stays(ada: Client, clock: WoundClock) -> None:
    ada.post(f"{MAP}/decide", {"slo:log-on-speed": "3"})
    clock.wind(timedelta(minutes=1))
    actions.assign_priority(SYSTEM, objective="log-on-speed", decision="set", priority=1, now=clock.now())
    assert "Somebody has decided on log-on-speed since" in ada.post(f"{MAP}/undo", follow=True).content.decode()
    assert held("log-on-speed", later=timedelta(minutes=2)) == ("set", 1)


def test_it_may_hold_from_a_wall_time_of_the_viewer_on(ada: Client) -> None:
    ada.post(f"{MAP}/decide", {"slo:log-on-success": "1", "from": "2026-11-24T09:00"})
    row = PriorityAssignment.objects.get(objective__name="log-on-success", valid_until=None)
    assert row.valid_from.isoformat() == "2026-11-24T08:00:00+00:00"
    assert held("log-on-success") == ("set", 4)
    assert "from" in page_of(ada).split('data-testid="map-log-on-success"')[1].split("</th>")[0]


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"slo:log-on-speed": "9"}, "There is no priority 9; the organisation has P1, P2, P3, P4"),
        ({"slo:log-on-speed": "soon"}, "choose one of the priorities"),
        ({"slo:nowhere": "1"}, "no SLO called"),
        ({"slo:log-on-speed": "1", "from": "tomorrow"}, "Give the day and the time"),
        ({"slo:log-on-speed": "1", "from": "2020-01-01T09:00"}, "lies in the past"),
        ({"slo:log-on-speed": "1", "whom": "these", "groups": "nobody"}, "no stakeholder group"),
        ({"slo:paid": "1"}, "may not"),
    ],
)
def test_what_cannot_be_decided_is_said_and_what_was_typed_stays(
    ada: Client, typed: dict[str, str], words: str
) -> None:
    answer = ada.post(f"{MAP}/decide", {"slo:profile-saved": "2", "reason": "Because", **typed})
    page = html.unescape(answer.content.decode())
    assert answer.status_code == 422
    assert words in page
    assert 'value="Because"' in page
    assert re.search(r'value="2" checked aria-label="[^"]*" data-testid="decide-profile-saved-2"', page)
    assert held("profile-saved") == ("unset", None)


@pytest.mark.req("R-9.2.3-10")
def test_groups_are_chosen_with_the_priority_for_all_that_change(ada: Client) -> None:
    typed = {"slo:log-on-speed": "3", "slo:log-on-success": "4", "picked": "log-on-success", "whom": "these"}
    ada.post(f"{MAP}/decide", {**typed, "groups": ["product-owners"]})
    for name in ("log-on-speed", "log-on-success"):
        row = queries.assignment_at(queries.objective(SYSTEM, name), NOW)
        assert row is not None
        assert [group.code for group in row.groups.all()] == ["product-owners"]


def test_without_a_change_nothing_is_decided(ada: Client) -> None:
    page = ada.post(f"{MAP}/decide", {"slo:log-on-success": "4"}, follow=True).content.decode()
    assert "Nothing was changed" in page


def test_who_may_not_decide_sees_the_marks_and_no_form(ada: Client) -> None:
    row = page_of(ada).split('data-testid="map-paid"')[1].split("</tr>")[0]
    assert "decide-paid" not in row
    worlds.person("guest", role="reader")
    ada.force_login(people.person("guest"), backend="django.contrib.auth.backends.ModelBackend")
    page = page_of(ada)
    assert "map-decide" not in page
    assert ada.post(f"{MAP}/decide", {"slo:log-on-speed": "1"}).status_code == 422
    assert held("log-on-speed") == ("unset", None)


def test_the_same_choices_open_as_a_file_that_says_just_that_when_applied(ada: Client, clock: WoundClock) -> None:
    typed = {"slo:log-on-speed": "3", "slo:log-on-success": "4", "slo:profile-saved": "none", "reason": "It's: agreed"}
    page = html.unescape(ada.post(f"{MAP}/change", typed).content.decode())
    text = page.split('data-testid="change-file">')[1].split("</pre>")[0]
    assert "+    - {slo: log-on-speed, priority: 3" in page
    assert "paid" not in text
    assert held("log-on-speed") == ("unset", None)
    assert "raise: [{when: breaches > 3 in 1h, to: 2}]" in text
    plan = apply_texts(SYSTEM, {"map.yaml": text}, dry_run=False, now=clock.now() + timedelta(minutes=1))
    assert plan.errors == []
    later = timedelta(minutes=2)
    assert [held(one, later=later) for one in ("log-on-speed", "log-on-success", "profile-saved")] == [
        ("set", 3),
        ("set", 4),
        ("none", None),
    ]
    assert PriorityAssignment.objects.filter(objective__name="log-on-success").count() == 1


def test_a_change_of_nothing_asks_for_a_choice(ada: Client) -> None:
    answer = ada.post(f"{MAP}/change", {"slo:log-on-success": "4"})
    assert answer.status_code == 422
    assert "Choose a priority for at least one SLO" in answer.content.decode()


def test_an_undecided_slo_is_left_out_of_the_file_and_named(ada: Client) -> None:
    page = ada.post(f"{MAP}/change", {"slo:log-on-success": "unset"}).content.decode()
    assert "A file decides; it does not take a decision back." in page
    assert "log-on-success" in page.split("nobody has decided")[1]
