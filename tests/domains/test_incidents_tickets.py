"""What burns too slowly to wake anybody for waits for business hours (Monday to Friday, nine to five in the team's zone)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.domains import incident_worlds as world
from tests.domains.incident_worlds import HOUR, MINUTE, House
from tocsin.alerts.changes import AlertChange, ChangeKind
from tocsin.core.access import SYSTEM
from tocsin.incidents import actions
from tocsin.incidents.models import Escalation, EscalationState, Incident
from tocsin.people import actions as people
from tocsin.slo.models import Objective

pytestmark = pytest.mark.django_db

MONDAY_NINE = datetime(2026, 11, 23, 9, tzinfo=UTC)


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
def slo(house: House) -> Objective:
    return world.objective(house.service, now=house.now)


def burns(house: House, slo: Objective, urgency: str, *, priority: int = 1, reason: str = "new") -> Incident:
    said = world.signal(slo, now=house.now, urgency=urgency, priority=priority)
    row = world.slo_alert(said, now=house.now)
    [incident] = world.tell(AlertChange(row, ChangeKind.OPENED, reason, said), now=house.now)
    return incident


def test_a_ticket_at_night_opens_an_incident_and_wakes_nobody(house: House, slo: Objective) -> None:
    incident = burns(house, slo, "ticket")
    house.run(6 * HOUR, every=10 * MINUTE)
    assert world.paged() == []
    row = Escalation.objects.get(incident=incident)
    assert (row.state, row.next_at) == (EscalationState.WAITING, MONDAY_NINE)
    assert incident.priority == 1


def test_its_first_step_is_paged_when_business_hours_begin(house: House, slo: Objective) -> None:
    burns(house, slo, "ticket")
    house.run(MONDAY_NINE - house.now - MINUTE, every=10 * MINUTE)
    assert world.paged() == []
    house.run(MINUTE)
    assert world.paged() == ["ada"]
    house.run(5 * MINUTE)
    assert world.paged() == ["ada", "ben"]


def test_a_ticket_in_business_hours_is_told_at_once(house: House, slo: Objective) -> None:
    house.now = MONDAY_NINE + HOUR
    burns(house, slo, "ticket")
    assert world.paged() == ["ada"]


def test_a_page_is_told_at_any_hour(house: House, slo: Objective) -> None:
    burns(house, slo, "page")
    assert world.paged() == ["ada"]


def test_an_urgent_alert_that_joins_a_waiting_ticket_pages_at_once(house: House, slo: Objective) -> None:
    slow = burns(house, slo, "ticket", priority=2)
    house.run(HOUR, every=10 * MINUTE)
    assert world.paged() == []
    fast = burns(house, slo, "page", priority=2)
    assert (fast.pk, fast.urgency) == (slow.pk, "page")
    assert world.paged() == ["ada"]


def test_a_ticket_that_joins_a_page_holds_nothing_back(house: House, slo: Objective) -> None:
    burns(house, slo, "page")
    house.run(MINUTE)
    burns(house, slo, "ticket")
    house.run(5 * MINUTE)
    assert world.paged() == ["ada", "ben"]


def test_a_person_who_raises_the_priority_wakes_people(house: House, slo: Objective) -> None:
    incident = burns(house, slo, "ticket", priority=3)
    actions.change_priority(house.ada, incident.ref, priority=2, reason="It spreads.", now=house.now)
    assert world.paged() == ["ada"]


@pytest.mark.parametrize("urgency", ["page", "ticket"])
def test_what_waited_and_is_raised_owes_nothing_from_before_it_was_raised(
    house: House, slo: Objective, urgency: str
) -> None:
    incident = burns(house, slo, urgency, priority=3)
    house.run(3 * HOUR, every=10 * MINUTE)
    assert world.paged() == []
    actions.change_priority(house.ada, incident.ref, priority=1, reason="It spreads.", now=house.now)
    assert world.paged() == ["ada"]
    due = [row.due_at for row in incident.obligations.filter(state="open") if row.due_at is not None]
    assert due
    assert min(due) >= house.now


def test_a_person_who_lowers_the_priority_wakes_nobody(house: House, slo: Objective) -> None:
    incident = burns(house, slo, "ticket", priority=2)
    actions.change_priority(house.ada, incident.ref, priority=3, reason="It is small.", now=house.now)
    house.run(HOUR, every=10 * MINUTE)
    assert world.paged() == []


def test_a_hand_on_the_button_goes_through(house: House, slo: Objective) -> None:
    incident = burns(house, slo, "ticket")
    actions.escalate(house.ben, incident.ref, now=house.now)
    assert world.paged() == ["ada"]


def test_it_waits_for_the_hours_of_the_team_in_its_own_zone(house: House, slo: Objective) -> None:
    people.update_team(
        SYSTEM,
        name="identity",
        time_zone="America/New_York",
        business_hours={"days": [0, 1, 2], "from": "10:00", "to": "16:00", "holidays": ["2026-11-23"]},
        now=house.now,
    )
    slo.service.team.refresh_from_db()
    incident = burns(house, slo, "ticket")
    assert Escalation.objects.get(incident=incident).next_at == datetime(2026, 11, 24, 15, tzinfo=UTC)


def test_what_burns_slowly_again_after_a_fire_is_a_ticket_again(house: House, slo: Objective) -> None:
    said = world.signal(slo, now=house.now, urgency="page")
    row = world.slo_alert(said, now=house.now)
    [incident] = world.tell(AlertChange(row, ChangeKind.OPENED, "new", said), now=house.now)
    world.end(row, now=house.now)
    assert world.fresh(incident).state == "resolved"
    house.pass_time(timedelta(minutes=10))
    again = burns(house, slo, "ticket")
    assert (again.pk, again.urgency) == (incident.pk, "ticket")
    house.run(HOUR, every=10 * MINUTE)
    assert world.paged() == ["ada"]
