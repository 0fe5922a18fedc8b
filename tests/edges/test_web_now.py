"""What is going on and what was: the page of now, and the list of incidents."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from tests.domains import incident_worlds as incidents
from tests.domains.incident_worlds import HOUR, House
from tests.edges.web_client import has, marks, read, signed_in, words
from tocsin.comms import actions as comms
from tocsin.incidents import actions
from tocsin.platform import clock as clocks
from tocsin.slo.models import ObjectiveState, PriorityAssignment

pytestmark = pytest.mark.django_db


@pytest.fixture
def house(clock: clocks.WoundClock) -> House:
    return House(now=clock.now())


@pytest.fixture
def ada(house: House) -> Client:
    return signed_in("ada")


def later(house: House, clock: clocks.WoundClock, by: timedelta) -> None:
    clock.wind(by)
    house.pass_time(by)


# Now


def test_a_calm_day_says_that_nothing_needs_you(ada: Client) -> None:
    page = read(ada, "/")
    assert "Nothing needs you." in words(page, "now-calm")
    assert not has(page, "now-at-once")


def test_a_late_closing_word_is_named_instead_of_a_calm_day_for_a_week(
    house: House, ada: Client, clock: clocks.WoundClock
) -> None:
    row = house.declare(priority=1, groups=["customer-support"])
    comms.send_update(house.ada, row.number, text="We look.", next_update_at=house.now + HOUR, now=house.now)
    actions.resolve(house.ada, row.number, category="deploy", now=house.now)
    assert has(read(ada, "/"), "now-calm")
    later(house, clock, timedelta(hours=1))
    page = read(ada, "/")
    assert "late" in words(page, "attention-late")
    assert not has(page, "now-calm")
    later(house, clock, timedelta(days=8))
    page = read(ada, "/")
    assert has(page, "now-calm")
    assert marks(page, "promise-") == []
    assert "late from before" in page
    assert "No update is owed" not in page
    assert has(read(ada, "/updates"), f"board-{row.number}")


@pytest.mark.parametrize(("priority", "named"), [(1, True), (None, False)])
def test_an_slo_that_burns_is_named_when_somebody_gave_it_a_priority(
    house: House, ada: Client, priority: int | None, named: bool
) -> None:
    objective = incidents.objective(house.service, now=house.now)
    ObjectiveState.objects.update_or_create(objective=objective, defaults={"health": "burning", "remaining": 0.5})
    decision = "none" if priority is None else "set"
    PriorityAssignment.objects.create(
        objective=objective, decision=decision, priority=priority, valid_from=house.now, assigned_by="ada"
    )
    page = read(ada, "/")
    assert has(page, "attention-log-on-availability") == named
    assert has(page, "now-calm") != named


@pytest.mark.req("R-9.3.5-8")
def test_now_tells_what_needs_focus_apart_from_what_can_wait(house: House, ada: Client) -> None:
    urgent = house.declare("38% of log-ons fail", priority=1)
    slow = house.declare("One retry path is slow", priority=4)
    page = read(ada, "/")
    assert marks(page.split('data-testid="now-can-wait"')[1], "incident-row-") == [str(slow.number)]
    before = page.split('data-testid="now-can-wait"')[0]
    assert marks(before, "incident-row-") == [str(urgent.number)]


def test_what_is_mine_stands_first(house: House, ada: Client) -> None:
    house.chain(["user:ben"])
    house.declare("Something graver of somebody else", priority=1)
    mine = house.declare("Mine", priority=2)
    actions.acknowledge(house.ada, mine.number, now=house.now)
    page = read(ada, "/")
    assert marks(page, "incident-row-")[0] == str(mine.number)
    assert "Ada has it" in words(page, f"state-{mine.number}")


def test_a_late_promise_is_on_the_page_with_its_minutes(house: House, ada: Client, clock: clocks.WoundClock) -> None:
    house.declare(priority=1)
    later(house, clock, timedelta(minutes=40))
    page = read(ada, "/")
    assert "late" in words(page, "now-promises")


# The list


@pytest.mark.req("R-9.2-6")
def test_open_incidents_are_sorted_by_priority_then_severity_then_age(house: House, ada: Client) -> None:
    second = house.declare("second", priority=2)
    older = house.declare("older", priority=1, description="Three teams are needed")
    younger = house.declare("younger", priority=1, severity="critical", description="Everybody is affected")
    page = read(ada, "/i?open=1")
    assert marks(page, "incident-row-") == [str(younger.number), str(older.number), str(second.number)]


def test_the_whole_list_shows_the_newest_first_and_filters_live_in_the_address(house: House, ada: Client) -> None:
    first, second = house.declare("first", priority=1), house.declare("second", priority=2)
    assert marks(read(ada, "/i"), "incident-row-") == [str(second.number), str(first.number)]
    assert marks(read(ada, "/i?priority=1"), "incident-row-") == [str(first.number)]
    assert has(read(ada, "/i?priority=3"), "empty")


def test_a_number_in_the_search_leads_to_its_incident(house: House, ada: Client) -> None:
    found = house.declare()
    assert ada.get(f"/i?q=inc-{found.number}")["Location"] == f"/i/{found.number}"
    assert "No incident is called" in words(read(ada, "/i?q=12345"), "no-match")


def test_a_long_list_is_shown_in_parts(house: House, ada: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tocsin.web.incidents.SHOWN", 2)
    numbers = [str(house.declare(f"number {index}").number) for index in range(3)]
    page = read(ada, "/i")
    assert marks(page, "incident-row-") == [numbers[2], numbers[1]]
    assert has(page, "page-after")
    assert marks(read(ada, "/i?after=2"), "incident-row-") == [numbers[0]]


@pytest.mark.parametrize(
    "query", ["priority=x", "after=-1", "status=sleepy", "after=99999", "open=2", "priority=99999999"]
)
def test_nonsense_in_the_address_breaks_nothing(house: House, ada: Client, query: str) -> None:
    house.declare()
    assert ada.get(f"/i?{query}").status_code == 200
