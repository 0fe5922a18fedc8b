"""Taken and then forgotten: where the process says so, an incident goes back to its people after a time of silence."""

from __future__ import annotations

import copy
from datetime import timedelta

import pytest

from tests.domains import incident_worlds as world
from tests.domains.incident_worlds import HOUR, MINUTE, House
from tocsin.core.access import SYSTEM
from tocsin.core.errors import Invalid
from tocsin.core.facts import Kind
from tocsin.incidents import actions
from tocsin.incidents.models import Escalation, Incident
from tocsin.process import actions as process
from tocsin.process import queries as processes

pytestmark = pytest.mark.django_db
HALF = 30 * MINUTE


def let_quiet(house: House, minutes: int | None, *, rank: int = 1) -> None:
    document = copy.deepcopy(processes.current().document)
    [row] = [one for one in document["priorities"]["priorities"] if one["rank"] == rank]
    row["acknowledged_quiet_minutes"] = minutes
    process.publish_version(SYSTEM, document, note="Nothing is forgotten", now=house.now)


@pytest.fixture
def house() -> House:
    made = House()
    let_quiet(made, 30)
    return made


def taken(house: House, **fields: int) -> Incident:
    incident = house.declare(**fields)
    actions.acknowledge(house.ada, incident.ref, now=house.now)
    return incident


def later(house: House, by: timedelta) -> None:
    house.pass_time(by)
    actions.advance_escalations(now=house.now)


def is_taken(incident: Incident) -> bool:
    row = world.fresh(incident)
    return row.state == "acknowledged" and row.acknowledged_by is not None


def test_silence_takes_it_back_says_why_and_pages_the_first_step(house: House) -> None:
    incident = taken(house)
    later(house, HALF - timedelta(seconds=1))
    assert is_taken(incident)
    assert world.paged() == ["ada"]
    later(house, timedelta(seconds=1))
    row = world.fresh(incident)
    assert (row.state, row.acknowledged_at, row.acknowledged_by) == ("triggered", None, None)
    [why] = world.entries(incident, Kind.INCIDENT_UNACKNOWLEDGED)
    assert why["reason"] == "Nothing was written down for 30 minutes."
    assert world.paged() == ["ada", "ada"]
    assert "nothing was written down since" in world.mails()[-1].payload["text"]
    later(house, 5 * MINUTE)
    assert world.paged() == ["ada", "ada", "ben"]


def test_a_word_of_a_person_gives_the_whole_time_anew_and_one_of_a_machine_does_not(house: House) -> None:
    incident = taken(house)
    later(house, 20 * MINUTE)
    actions.annotate(house.ada, incident.ref, text="Looking at the certificates", now=house.now)
    later(house, 29 * MINUTE)
    assert is_taken(incident)
    world.change(world.alert(now=house.now), now=house.now)
    later(house, MINUTE)
    assert not is_taken(incident)
    assert len(world.entries(incident, Kind.INCIDENT_UNACKNOWLEDGED)) == 1


def test_taking_it_again_begins_anew_and_taking_it_twice_changes_nothing(house: House) -> None:
    incident = taken(house)
    later(house, 10 * MINUTE)
    actions.acknowledge(house.ben, incident.ref, now=house.now)
    assert len(world.entries(incident, Kind.INCIDENT_ACKNOWLEDGED)) == 1
    later(house, 20 * MINUTE)
    assert not is_taken(incident)
    actions.acknowledge(house.ada, incident.ref, now=house.now)
    later(house, 29 * MINUTE)
    assert is_taken(incident)
    later(house, MINUTE)
    assert not is_taken(incident)


@pytest.mark.parametrize("on", ["moved_on", "resolved", "calmer"])
def test_what_has_moved_on_is_over_or_may_be_quiet_stays(house: House, on: str) -> None:
    incident = taken(house)
    if on == "moved_on":
        actions.move(house.ada, incident.ref, "investigating", now=house.now)
    elif on == "resolved":
        actions.resolve(house.ada, incident.ref, category="deploy", now=house.now)
    else:
        actions.change_priority(house.ada, incident.ref, priority=2, reason="Fewer people than thought", now=house.now)
    later(house, 3 * HOUR)
    assert world.entries(incident, Kind.INCIDENT_UNACKNOWLEDGED) == []
    assert world.paged() == ["ada"]
    assert Escalation.objects.get(incident=incident).next_at is None


def test_a_graver_priority_brings_its_own_patience(house: House) -> None:
    incident = taken(house, priority=2)
    assert Escalation.objects.get(incident=incident).next_at is None
    later(house, HOUR)
    actions.change_priority(house.ada, incident.ref, priority=1, reason="Everybody is out", now=house.now)
    later(house, HALF)
    assert not is_taken(incident)


def test_as_shipped_nothing_is_ever_taken_back() -> None:
    house = House()
    incident = taken(house)
    later(house, timedelta(days=3))
    assert is_taken(incident)
    assert world.paged() == ["ada"]


def test_no_minutes_at_all_are_refused(house: House) -> None:
    with pytest.raises(Invalid) as refused:
        let_quiet(house, 0)
    assert any("acknowledged_quiet_minutes" in where for where in refused.value.fields)


def test_a_merge_does_not_hurry_the_other_by_the_patience_of_the_one_that_was_taken(house: House) -> None:
    house.chain(["user:ada"], ["user:ben"], wait=60)
    first, second = taken(house), house.declare("The same, seen from elsewhere")
    due = Escalation.objects.get(incident=second).next_at
    actions.merge(house.ada, first.ref, into=second.ref, now=house.now)
    assert Escalation.objects.get(incident=second).next_at == due
