"""With its priority a team may decide the severity an incident of its SLO starts with, and whom it wakes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.domains import incident_worlds as world
from tests.domains import slo_worlds
from tests.domains.incident_worlds import HOUR, MINUTE, House, paged
from tests.domains.worlds import person
from tocsin.alerts.changes import AlertChange, ChangeKind
from tocsin.config.apply import apply_texts
from tocsin.config.export import export
from tocsin.core.access import SYSTEM
from tocsin.core.errors import Invalid
from tocsin.incidents.actions import alert_changes
from tocsin.incidents.models import Incident, State
from tocsin.oncall import actions as oncall
from tocsin.oncall.models import EscalationPolicy
from tocsin.slo import actions, queries
from tocsin.slo.actions import Decided
from tocsin.slo.models import Objective, PriorityAssignment

pytestmark = pytest.mark.django_db


@pytest.fixture
def house() -> House:
    house = House()
    person("cleo", in_team="identity", now=house.now)
    steps = [{"wait_minutes": 5, "targets": ["user:cleo"]}]
    oncall.save_policy(SYSTEM, {"name": "data-damage", "steps": steps}, now=house.now)
    return house


@pytest.fixture
def slo(house: House) -> Objective:
    return world.objective(house.service, now=house.now)


def decide(slo: Objective, house: House, **fields: Any) -> PriorityAssignment:
    given = {"decision": "set", "priority": 2, "severity": "error", "escalation_policy": "data-damage", **fields}
    return actions.assign_priority(SYSTEM, objective=slo, now=house.now, **given)


def breach(slo: Objective, house: House) -> Incident:
    said = replace(world.signal(slo, now=house.now), assignment=queries.assignment_at(slo, house.now))
    change = AlertChange(world.slo_alert(said, now=house.now), ChangeKind.OPENED, "opened", signal=said)
    [incident] = world.tell(change, now=house.now)
    return incident


@pytest.mark.req("R-9.2.3-10")
def test_a_breach_starts_with_the_severity_and_wakes_by_the_policy_that_were_decided(
    house: House, slo: Objective
) -> None:
    plain = breach(slo, house)
    assert (plain.severity, paged()) == ("warning", ["ada"])
    other = world.objective(house.service, now=house.now, name="orders-are-kept")
    decide(other, house)
    incident = breach(other, house)
    assert (incident.severity, incident.priority) == ("error", 2)
    assert paged() == ["ada", "cleo"]


@pytest.mark.req("R-9.2.3-10")
def test_an_incident_keeps_its_policy_when_it_comes_back_and_when_another_is_decided_meanwhile(
    house: House, slo: Objective
) -> None:
    decide(slo, house)
    incident = breach(slo, house)
    house.pass_time(MINUTE)
    decide(slo, house, severity="", escalation_policy="")
    incident.refresh_from_db()
    assert incident.escalation_policy == "data-damage"
    Incident.objects.filter(pk=incident.pk).update(state=State.CLOSED)
    fresh = alert_changes.open_anew(incident.alert_links.get().alert, now=house.now + HOUR)
    assert (fresh.severity, fresh.escalation_policy) == ("warning", "")


def test_a_policy_that_is_gone_leaves_waking_to_the_service(house: House, slo: Objective) -> None:
    decide(slo, house)
    EscalationPolicy.objects.filter(name="data-damage").delete()
    breach(slo, house)
    assert paged() == ["ada"]


def test_a_severity_the_process_no_longer_has_is_passed_over(house: House, slo: Objective) -> None:
    row = decide(slo, house)
    PriorityAssignment.objects.filter(pk=row.pk).update(severity="grave")
    assert breach(slo, house).severity == "warning"


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"severity": "grave"}, "severity", "grave"),
        ({"priority": 3, "severity": "critical"}, "severity", "Nearest allowed"),
        ({"priority": 1, "severity": "warning"}, "severity", "Give the reason"),
        ({"decision": "none", "priority": None}, "severity", "none means that no incident opens"),
        ({"decision": "none", "priority": None, "severity": ""}, "escalation_policy", "no incident opens"),
    ],
)
def test_what_does_not_go_together_is_refused_by_its_field(
    house: House, slo: Objective, fields: dict[str, Any], field: str, words: str
) -> None:
    with pytest.raises(Invalid) as refused:
        decide(slo, house, **fields)
    assert words in refused.value.fields[field]
    assert not PriorityAssignment.objects.exists()


def test_a_pair_that_asks_for_a_reason_has_the_reason_of_the_decision(house: House, slo: Objective) -> None:
    row = decide(slo, house, priority=1, severity="warning", reason="Few users; ada runs the postmortem")
    assert row.severity == "warning"


def test_another_priority_keeps_how_incidents_start_but_for_a_severity_it_cannot_go_with(
    house: House, slo: Objective
) -> None:
    decide(slo, house, priority=2, severity="critical")
    house.pass_time(MINUTE)
    actions.decide_many(SYSTEM, [Decided(slo.name, "set", 1)], now=house.now)
    assert held(slo, house) == (1, "critical", "data-damage")
    decided_at = house.now
    house.pass_time(MINUTE)
    actions.undo_decisions(SYSTEM, [slo.name], decided_at=decided_at, now=house.now)
    assert held(slo, house) == (2, "critical", "data-damage")
    house.pass_time(MINUTE)
    actions.decide_many(SYSTEM, [Decided(slo.name, "set", 3)], now=house.now)
    assert held(slo, house) == (3, "", "data-damage")


def held(slo: Objective, house: House) -> tuple[int | None, str, str]:
    row = queries.assignment_at(slo, house.now)
    assert row is not None
    return row.priority, row.severity, row.escalation_policy


def test_files_say_it_and_say_it_again(house: House) -> None:
    slo = slo_worlds.objective("orders-are-kept", service="log-on", now=house.now)
    entry = f"{{slo: {slo.name}, priority: P2, severity: error, escalationPolicy: data-damage}}"
    head = "apiVersion: tocsin/v1alpha1\nkind: PriorityMap\nmetadata: {name: m}\nspec:\n  slos:\n    - "
    plan = apply_texts(SYSTEM, {"map.yaml": head + entry}, dry_run=False, now=house.now)
    assert plan.errors == []
    assert held(slo, house) == (2, "error", "data-damage")
    written = export(SYSTEM, now=house.now).files["priorities-identity.yaml"]
    assert "severity: error" in written
    assert "escalationPolicy: data-damage" in written
    wrong = apply_texts(
        SYSTEM, {"map.yaml": head + entry.replace("data-damage", "nobody")}, dry_run=False, now=house.now
    )
    assert "There is no escalation policy 'nobody'" in str(wrong.errors[0])
    assert held(slo, house) == (2, "error", "data-damage")
