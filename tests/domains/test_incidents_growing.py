"""A trouble that has eaten a further share of the budget: one incident, a line in its timeline, and who hears of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.domains import incident_worlds as world
from tests.domains.incident_worlds import HOUR, MINUTE, House
from tocsin.alerts.changes import AlertChange, ChangeKind
from tocsin.core.facts import Kind, sentence
from tocsin.incidents import actions
from tocsin.incidents.models import Incident, IncidentBreach
from tocsin.slo.models import Objective
from tocsin.slo.specs import SignalKind

pytestmark = pytest.mark.django_db


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
def slo(house: House) -> Objective:
    return world.objective(house.service, now=house.now)


@pytest.fixture
def burning(house: House, slo: Objective) -> Incident:
    said = world.signal(slo, now=house.now)
    [incident] = world.tell(
        AlertChange(world.slo_alert(said, now=house.now), ChangeKind.OPENED, "new", said), now=house.now
    )
    return incident


@pytest.fixture
def grow(house: House, slo: Objective) -> Callable[..., list[Incident]]:
    """It has grown, at the house's now."""

    def told(priority: int | None = 2) -> list[Incident]:
        said = world.signal(slo, SignalKind.GROWN.value, now=house.now, priority=priority)
        alert = world.slo_alert(said, now=house.now)
        return world.tell(AlertChange(alert, ChangeKind.NOTED, said.kind, said), now=house.now)

    return told


Grow = Callable[..., list[Incident]]


def test_it_is_one_incident_with_a_line_in_its_timeline(house: House, burning: Incident, grow: Grow) -> None:
    house.pass_time(HOUR)
    assert [one.pk for one in grow()] == [burning.pk]
    assert Incident.objects.count() == 1
    [data] = world.entries(burning, Kind.ALERT_GREW)
    assert sentence(Kind.ALERT_GREW, data) == "Worse: 38% of log-ons fail"
    assert IncidentBreach.objects.filter(incident=burning).count() == 2
    assert world.fresh(burning).alert_count == 1


def test_growth_without_an_open_incident_opens_none(house: House, burning: Incident, grow: Grow) -> None:
    actions.resolve(house.ada, burning.number, category="software", note="Restarted.", now=house.now)
    house.pass_time(HOUR)
    assert grow() == []
    assert Incident.objects.count() == 1
    assert not world.fresh(burning).is_open


def test_while_nobody_has_it_those_who_did_not_answer_are_paged_anew(
    house: House, burning: Incident, grow: Grow
) -> None:
    house.run(HOUR)
    assert world.paged() == ["ada", "ben"]
    grow()
    assert world.paged() == ["ada", "ben", "ada"]
    house.run(6 * MINUTE)
    assert world.paged() == ["ada", "ben", "ada", "ben"]


def test_a_chain_that_still_goes_through_its_people_goes_on_as_it_is(
    house: House, burning: Incident, grow: Grow
) -> None:
    house.pass_time(MINUTE)
    grow()
    assert world.paged() == ["ada"]
    house.run(5 * MINUTE)
    assert world.paged() == ["ada", "ben"]


def test_a_page_that_waits_for_hours_is_sent_again(house: House, slo: Objective, grow: Grow) -> None:
    house.chain(["user:ada"], ["user:ben"], wait=240)
    said = world.signal(slo, now=house.now)
    world.tell(AlertChange(world.slo_alert(said, now=house.now), ChangeKind.OPENED, "new", said), now=house.now)
    house.pass_time(HOUR)
    grow()
    assert world.paged() == ["ada", "ada"]


def test_whoever_has_it_gets_a_mail_and_no_page(house: House, burning: Incident, grow: Grow) -> None:
    actions.acknowledge(house.ada, burning.number, now=house.now)
    house.pass_time(HOUR)
    grow()
    assert world.paged() == ["ada"]
    [mail] = world.mails("follow_up")
    assert mail.address.startswith("ada@")
    assert mail.payload["subject"].endswith("Log-on is worse")
    assert "Worse: 38% of log-ons fail." in mail.payload["text"]
    house.pass_time(timedelta(hours=1))
    grow()
    assert len(world.mails("follow_up")) == 2


def test_a_snoozed_incident_only_notes_it(house: House, burning: Incident, grow: Grow) -> None:
    actions.snooze(house.ada, burning.number, until=house.now + 3 * HOUR, now=house.now)
    house.pass_time(HOUR)
    grow()
    assert world.paged() == ["ada"]
    assert world.mails("follow_up") == []
    house.assert_log(burning, Kind.ALERT_GREW)


def test_a_graver_priority_raises_the_incident(house: House, burning: Incident, grow: Grow) -> None:
    house.pass_time(HOUR)
    grow(priority=1)
    assert world.fresh(burning).priority == 1
