"""The same condition is true again soon after its end: the same incident comes back, and asks whoever is on call."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.domains import incident_worlds as world
from tests.domains.incident_worlds import MINUTE, House, fresh, paged
from tocsin.alerts.changes import AlertChange, ChangeKind
from tocsin.incidents import actions
from tocsin.incidents.models import Incident, State
from tocsin.slo.models import Objective

pytestmark = pytest.mark.django_db


@pytest.fixture
def house() -> House:
    return House()


def burns(house: House, row: Objective, kind: str, episode: int) -> Incident:
    said = world.signal(row, kind, now=house.now, episode=episode)
    [incident] = world.tell(
        AlertChange(world.slo_alert(said, now=house.now), ChangeKind.OPENED, kind, said), now=house.now
    )
    return incident


def ended_by_the_machine(house: House) -> tuple[Objective, Incident]:
    """An incident of an SLO that nobody took before its alert ended."""
    row = world.objective(house.service, now=house.now)
    incident = burns(house, row, "opened", 1)
    house.run(2 * MINUTE)
    [alert] = [link.alert for link in incident.alert_links.all()]
    world.end(alert, now=house.now)
    assert fresh(incident).state == State.RESOLVED
    return row, incident


@pytest.mark.req("R-9.2.11-7")
def test_within_half_an_hour_the_same_key_reopens_and_opens_nothing_new(house: House) -> None:
    row, incident = ended_by_the_machine(house)
    house.pass_time(30 * MINUTE)
    again = burns(house, row, "reopened", 2)
    assert again.pk == incident.pk
    assert Incident.objects.count() == 1
    assert (fresh(incident).state, fresh(incident).generation) == (State.INVESTIGATING, 2)


def test_after_half_an_hour_it_is_a_new_incident(house: House) -> None:
    row, incident = ended_by_the_machine(house)
    house.pass_time(30 * MINUTE + timedelta(seconds=1))
    assert burns(house, row, "reopened", 2).pk != incident.pk


def test_nobody_had_it_so_whoever_is_on_call_is_asked_again_and_once_for_each_coming_back(house: House) -> None:
    row, incident = ended_by_the_machine(house)
    assert paged() == ["ada"]
    house.pass_time(10 * MINUTE)
    burns(house, row, "reopened", 2)
    house.run(MINUTE)
    assert paged() == ["ada", "ada"]
    assert fresh(incident).generation == 2


def test_who_has_it_keeps_it_when_it_burns_again_and_nobody_is_paged(house: House) -> None:
    row = world.objective(house.service, now=house.now)
    incident = burns(house, row, "opened", 1)
    actions.acknowledge(house.ada, incident.ref, now=house.now)
    [alert] = [link.alert for link in incident.alert_links.all()]
    world.end(alert, now=house.now)
    assert fresh(incident).is_open
    house.pass_time(10 * MINUTE)
    assert burns(house, row, "reopened", 2).pk == incident.pk
    house.run(10 * MINUTE)
    assert paged() == ["ada"]
