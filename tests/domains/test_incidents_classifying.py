"""Raising and lowering, with a reason; the matrix; the roles that follow."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.domains import incident_worlds as world
from tests.domains.incident_worlds import MINUTE, House
from tocsin.alerts.changes import AlertChange, ChangeKind
from tocsin.core.access import Actor, ActorKind, Role
from tocsin.core.errors import Conflict, Invalid, NotAllowed, Refused
from tocsin.core.facts import Kind
from tocsin.incidents import actions, queries
from tocsin.incidents.models import Obligation, Page, RoleHeld
from tocsin.slo.models import Breach

pytestmark = pytest.mark.django_db


@pytest.fixture
def house() -> House:
    return House()


@pytest.mark.req("R-9.2.2-1")
def test_a_change_of_priority_records_old_new_when_who_why_and_what_was_learnt(house: House) -> None:
    incident = house.declare(priority=3)
    house.pass_time(MINUTE)
    actions.change_priority(
        house.ada, incident.ref, priority=1, reason="all regions", learnt="the cache was not the cause", now=house.now
    )
    [told] = world.entries(incident, Kind.PRIORITY_CHANGED)
    assert (told["old"], told["new"], told["reason"]) == ("P3", "P1", "all regions")
    assert told["learnt"] == "the cache was not the cause"
    [line] = [line for line in queries.timeline(house.ada, incident.ref) if line.kind == Kind.PRIORITY_CHANGED]
    assert (line.at, line.actor, line.text) == (house.now, "ada", "Priority P3 -> P1: all regions")


@pytest.mark.req("R-9.2.2-1")
@pytest.mark.parametrize("reason", ["", "   "])
def test_a_change_of_priority_needs_a_reason(house: House, reason: str) -> None:
    incident = house.declare()
    with pytest.raises(Invalid) as wrong:
        actions.change_priority(house.ada, incident.ref, priority=2, reason=reason, now=house.now)
    assert "reason" in wrong.value.fields
    assert world.fresh(incident).priority == 1


@pytest.mark.parametrize(
    "fields", [{"priority": None}, {"priority": 1, "state": "none"}, {"priority": 1, "state": "unset"}, {"priority": 7}]
)
def test_a_priority_says_one_thing(house: House, fields: dict[str, Any]) -> None:
    incident = house.declare()
    with pytest.raises(Invalid):
        actions.change_priority(house.ada, incident.ref, reason="x", now=house.now, **fields)


@pytest.mark.req("R-9.2.1-6")
def test_the_priorities_of_slo_and_breach_stay_when_the_incident_is_raised(house: House) -> None:
    row = world.objective(house.service, now=house.now)
    said = world.signal(row, now=house.now, priority=3, groups=["product-owners"])
    [incident] = world.tell(
        AlertChange(world.slo_alert(said, now=house.now), ChangeKind.OPENED, "new", said), now=house.now
    )
    actions.change_priority(house.ada, incident.ref, priority=1, reason="worse", now=house.now)
    assert world.fresh(incident).priority == 1
    assert Breach.objects.get().priority == 3
    assert row.assignments.get().priority == 3


@pytest.mark.req("R-9.2.1-5")
def test_an_incident_from_a_breach_has_its_priority_or_waits_for_a_person(house: House) -> None:
    row = world.objective(house.service, now=house.now)
    by_itself = world.signal(row, now=house.now, priority=2)
    [one] = world.tell(
        AlertChange(world.slo_alert(by_itself, now=house.now), ChangeKind.OPENED, "new", by_itself), now=house.now
    )
    assert (one.priority, one.priority_state) == (2, "set")
    other = world.objective(house.service, now=house.now, name="other")
    left = world.signal(other, now=house.now, priority=None, state="unset")
    [two] = world.tell(AlertChange(world.slo_alert(left, now=house.now), ChangeKind.OPENED, "new", left), now=house.now)
    assert (two.priority, two.priority_state) == (None, "unset")
    assert "set_priority" in world.owed(two)
    actions.change_priority(house.ada, two.ref, priority=3, reason="as agreed", now=house.now)
    decided = world.obligation(two, "set_priority")
    assert (decided.state, decided.evidence_seq is not None) == ("fulfilled", True)


def test_a_responder_may_and_a_reader_may_not(house: House) -> None:
    incident = house.declare()
    reader = Actor(kind=ActorKind.PERSON, ident="rita", role=Role.READER)
    with pytest.raises(NotAllowed):
        actions.change_priority(reader, incident.ref, priority=2, reason="x", now=house.now)
    with pytest.raises(NotAllowed):
        actions.change_severity(reader, incident.ref, severity="error", now=house.now)


def test_who_looked_at_an_older_version_is_told_what_changed(house: House) -> None:
    incident = house.declare()
    seen = world.fresh(incident).version
    actions.change_priority(house.ben, incident.ref, priority=2, reason="few users", version=seen, now=house.now)
    with pytest.raises(Conflict) as stale:
        actions.change_priority(house.ada, incident.ref, priority=3, reason="x", version=seen, now=house.now)
    assert "Priority P1 -> P2: few users, by ben" in stale.value.message
    assert world.fresh(incident).priority == 2


class TestByMachine:
    def test_a_graver_alert_of_the_same_cause_raises(self, house: House) -> None:
        row = world.alert(now=house.now, priority=3)
        [incident] = world.change(row, now=house.now)
        row.priority = 1
        world.change(row, ChangeKind.REPEATED, now=house.now)
        assert (world.fresh(incident).priority, world.paged()) == (1, ["ada"])
        assert world.entries(incident, Kind.PRIORITY_CHANGED)[0]["new"] == "P1"

    @pytest.mark.req("R-9.2.11-10")
    def test_it_never_lowers_and_leaves_a_persons_choice_until_something_graver_than_ever_comes(
        self, house: House
    ) -> None:
        row = world.alert(now=house.now, priority=2)
        [incident] = world.change(row, now=house.now)
        row.priority = 4
        world.change(row, ChangeKind.REPEATED, now=house.now)
        assert world.fresh(incident).priority == 2
        actions.change_priority(house.ada, incident.ref, priority=3, reason="few users", now=house.now)
        row.priority = 2
        world.change(row, ChangeKind.REPEATED, now=house.now)
        assert world.fresh(incident).priority == 3
        row.priority = 1
        world.change(row, ChangeKind.REPEATED, now=house.now)
        assert world.fresh(incident).priority == 1

    @pytest.mark.req("R-9.2.4-4")
    def test_a_further_breach_of_a_higher_priority_raises_the_open_incident(self, house: House) -> None:
        row = world.objective(house.service, now=house.now)
        said = world.signal(row, now=house.now, priority=4)
        alert = world.slo_alert(said, now=house.now)
        [incident] = world.tell(AlertChange(alert, ChangeKind.OPENED, "new", said), now=house.now)
        fourth = world.signal(row, "breached", now=house.now + MINUTE, priority=2)
        world.tell(AlertChange(alert, ChangeKind.NOTED, "breached", fourth), now=house.now + MINUTE)
        assert world.fresh(incident).priority == 2
        assert sorted(Breach.objects.values_list("priority", flat=True)) == [2, 4]


class TestSeverity:
    def test_a_pair_that_is_not_allowed_is_refused_with_the_nearest_ones(self, house: House) -> None:
        incident = house.declare(priority=3)
        with pytest.raises(Refused) as no:
            actions.change_severity(house.ada, incident.ref, severity="critical", now=house.now)
        assert no.value.reason == "not_allowed"
        assert "P2 and critical" in no.value.message
        assert "P3 and error" in no.value.message

    def test_a_conditional_pair_needs_a_reason(self, house: House) -> None:
        incident = house.declare(priority=4)
        with pytest.raises(Refused) as no:
            actions.change_severity(house.ada, incident.ref, severity="error", now=house.now)
        assert no.value.reason == "reason_missing"
        changed = actions.change_severity(
            house.ada, incident.ref, severity="error", reason="two teams search", now=house.now
        )
        assert changed.severity == "error"

    @pytest.mark.req("R-9.3.8-1")
    @pytest.mark.parametrize(
        ("severity", "roles"),
        [
            ("warning", {"technical_expert"}),
            ("error", {"technical_expert", "incident_coordinator"}),
            ("critical", {"technical_expert", "incident_coordinator", "incident_communicator"}),
        ],
    )
    def test_who_is_paged_equals_the_table(self, house: House, severity: str, roles: set[str]) -> None:
        people = {"incident_coordinator": "cora", "incident_communicator": "mia", "technical_expert": "ada"}
        for role, name in people.items():
            house.rotation(f"rota-{role.replace('_', '-')}", role, name)
        incident = house.declare(priority=1)
        if severity != "warning":
            actions.change_severity(house.ada, incident.ref, severity=severity, reason="wide", now=house.now)
        asked = {page.person.username for page in Page.objects.select_related("person") if page.person}
        assert asked == {people[role] for role in roles}
        called = {row.owner_role for row in Obligation.objects.filter(kind="fill_role", state="open")}
        assert called == roles

    @pytest.mark.req("R-9.3.8-1")
    def test_a_role_that_nobody_takes_in_time_is_late_and_somebody_hears(self, house: House) -> None:
        incident = house.declare(priority=1)
        actions.acknowledge(house.ada, incident.ref, now=house.now)
        actions.change_severity(house.ada, incident.ref, severity="error", now=house.now)
        house.run(timedelta(minutes=21))
        assert "fill_role:incident_coordinator" in [row["key"] for row in world.entries(incident, Kind.OBLIGATION_LATE)]
        assert [mail.address for mail in world.mails("late")] == ["ada@harbor.example"]

    def test_nobody_on_call_for_a_role_is_written_down(self, house: House) -> None:
        incident = house.declare(severity="error")
        [asked] = world.entries(incident, Kind.ROLE_ASKED)
        assert (asked["gap"], asked["persons"]) == (True, [])

    def test_what_the_former_severity_called_is_not_asked_twice(self, house: House) -> None:
        house.rotation("coordinators", "incident_coordinator", "cora")
        incident = house.declare(severity="error")
        actions.change_severity(house.ada, incident.ref, severity="critical", now=house.now)
        assert Page.objects.filter(kind="role", person__username="cora").count() == 1

    def test_a_milder_severity_releases_the_roles_it_does_not_call_and_asks_again_later(self, house: House) -> None:
        house.rotation("coordinators", "incident_coordinator", "cora")
        incident = house.declare(severity="error")
        actions.assign_role(house.ada, incident.ref, role="technical_expert", username="ada", now=house.now)
        actions.assign_role(house.ada, incident.ref, role="incident_coordinator", username="cora", now=house.now)
        actions.change_severity(house.ada, incident.ref, severity="warning", reason="one team", now=house.now)
        assert RoleHeld.objects.get(role="incident_coordinator").until_at == house.now
        house.pass_time(MINUTE)
        actions.change_severity(house.ada, incident.ref, severity="error", now=house.now)
        assert Page.objects.filter(kind="role", person__username="cora").count() == 2
        assert "fill_role:incident_coordinator" in world.owed(incident)

    def test_the_same_severity_again_changes_nothing(self, house: House) -> None:
        incident = house.declare()
        same = actions.change_severity(house.ada, incident.ref, severity="warning", reason="x", now=house.now)
        assert same.version == world.fresh(incident).version
        assert world.entries(incident, Kind.SEVERITY_CHANGED) == []


class TestRoles:
    def test_a_role_has_one_holder_and_the_former_is_released(self, house: House) -> None:
        incident = house.declare(severity="error")
        for name in ("ada", "ben"):
            actions.assign_role(house.ada, incident.ref, role="incident_coordinator", username=name, now=house.now)
        held = RoleHeld.objects.filter(incident=incident, role="incident_coordinator")
        assert [row.person.username for row in held.filter(until_at=None)] == ["ben"]
        house.assert_log(incident, Kind.ROLE_TAKEN, Kind.ROLE_RELEASED)

    def test_a_role_that_takes_a_whole_person_is_not_combined(self, house: House) -> None:
        incident = house.declare(severity="error")
        actions.acknowledge(house.ada, incident.ref, now=house.now)
        with pytest.raises(Refused) as no:
            actions.assign_role(house.ada, incident.ref, role="incident_coordinator", username="ada", now=house.now)
        assert "Ada" in no.value.message

    def test_a_role_given_up_is_asked_for_again(self, house: House) -> None:
        incident = house.declare(severity="error")
        actions.assign_role(house.ada, incident.ref, role="incident_coordinator", username="ben", now=house.now)
        assert world.obligation(incident, "fill_role:incident_coordinator").state == "fulfilled"
        actions.release_role(house.ben, incident.ref, role="incident_coordinator", username="ben", now=house.now)
        assert "fill_role:incident_coordinator" in world.owed(incident)

    def test_an_unknown_role_is_named(self, house: House) -> None:
        incident = house.declare()
        with pytest.raises(Invalid):
            actions.assign_role(house.ada, incident.ref, role="wizard", username="ada", now=house.now)

    def test_obligations_follow_whoever_holds_the_role(self, house: House) -> None:
        incident = house.declare(severity="error", groups=["product-owners"])
        for name in ("ada", "ben"):
            actions.assign_role(house.ada, incident.ref, role="incident_coordinator", username=name, now=house.now)
        owner = world.obligation(incident, "update_opening:groups:0").owner
        assert owner is not None
        assert owner.username == "ben"
