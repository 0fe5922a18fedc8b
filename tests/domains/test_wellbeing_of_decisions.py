"""Well-being checks that look at decisions and rank: each fires on what was really done, and is quiet once it is right."""

from __future__ import annotations

import pytest

from tests.domains import worlds
from tests.domains.incident_worlds import House
from tocsin.core.errors import NotAllowed
from tocsin.incidents import actions
from tocsin.incidents.models import Incident
from tocsin.insights import wellbeing

pytestmark = pytest.mark.django_db
COORDINATOR = "incident_coordinator"


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
def incident(house: House) -> Incident:
    """Ada does the work, Ben coordinates."""
    row = house.declare(severity="error", priority=2)
    actions.acknowledge(house.ada, row.ref, now=house.now)
    actions.assign_role(house.ben, row.ref, role=COORDINATOR, username="ben", now=house.now)
    return row


def says(house: House, incident: Incident, check: str) -> list[str]:
    view = wellbeing.people_of(house.ben, incident.ref, now=house.now)
    return [one.text for one in view.unanswered if one.check == check]


def test_a_risky_decision_without_a_round_of_objections_prompts_and_one_with_a_round_does_not(
    house: House, incident: Incident
) -> None:
    actions.record_decision(
        house.ben, incident.ref, text="Fail over", addressees=["ada"], risky=True, objections="None.", now=house.now
    )
    actions.record_decision(house.ben, incident.ref, text="Look at the log", addressees=["ada"], now=house.now)
    assert says(house, incident, "WB-Q1") == []
    actions.record_decision(
        house.ben, incident.ref, text="Drop the cache", addressees=["ada"], risky=True, now=house.now
    )
    [said] = says(house, incident, "WB-Q1")
    assert "round of objections" in said


def test_a_decision_for_nobody_prompts_and_one_for_somebody_does_not(house: House, incident: Incident) -> None:
    actions.record_decision(house.ben, incident.ref, text="Fail over", addressees=["ada"], now=house.now)
    assert says(house, incident, "WB-T2") == []
    actions.record_decision(house.ben, incident.ref, text="Somebody should look", now=house.now)
    [said] = says(house, incident, "WB-T2")
    assert "somebody who carries it out" in said


def test_directing_from_outside_prompts_and_looking_on_does_not(house: House, incident: Incident) -> None:
    vic = worlds.actor("vic", now=house.now)
    assert says(house, incident, "WB-Q2") == []
    with pytest.raises(NotAllowed):
        actions.escalate_to_management(vic, incident.ref, to="ada", reason="Now", now=house.now)
    [said] = says(house, incident, "WB-Q2")
    assert "1 refused" in said
