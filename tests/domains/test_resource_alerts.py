"""Resource alerts: registered, given a priority like an SLO, heard with it, and replaced by an SLO step by step."""

from __future__ import annotations

from datetime import datetime, timedelta
from fractions import Fraction

import pytest
from django.db import IntegrityError, transaction

from tests.domains import slo_worlds, worlds
from tests.domains.worlds import NOW
from tocsin.adoption import actions as adoption
from tocsin.adoption.models import Wish
from tocsin.adoption.queries import sli_for
from tocsin.alerts import actions as alerts
from tocsin.alerts.models import Alert, Integration
from tocsin.alerts.posted_alerts import PostedAlert
from tocsin.audit.models import Entry
from tocsin.core.access import SYSTEM
from tocsin.core.errors import Invalid, NotAllowed, NotFound, Refused
from tocsin.core.facts import Kind
from tocsin.incidents import actions as incidents
from tocsin.incidents.models import Incident
from tocsin.slo import actions, queries
from tocsin.slo.models import PriorityAssignment, ResourceAlert, ResourceAlertStep, TargetKind

pytestmark = pytest.mark.django_db

CPU = "CPU>90% on host ABC"
WEEK = timedelta(days=7)


@pytest.fixture(autouse=True)
def world() -> None:
    worlds.process()
    worlds.service("checkout", of_team="tickets")


def registered(alert_name: str = CPU, *, now: datetime = NOW, **fields: object) -> ResourceAlert:
    return adoption.register_alert(SYSTEM, alert_name=alert_name, service="checkout", now=now, **fields)  # type: ignore[arg-type]


def fire(alert_name: str = CPU, *, now: datetime = NOW, **labels: str) -> Alert:
    integration = (
        Integration.objects.first()
        or alerts.add_integration(SYSTEM, kind="alertmanager", service="checkout", name="prom", now=now)[0]
    )
    heard = PostedAlert(
        labels={"alertname": alert_name, **labels},
        annotations={},
        starts_at=now,
        ends_at=None,
        generator_url="",
        received_at=now,
    )
    with transaction.atomic():
        incidents.take_alert_changes(alerts.take_alertmanager(integration, [heard], now=now), now=now)
    return Alert.objects.order_by("-pk")[0]


@pytest.mark.req("R-9.2.6-1")
def test_a_resource_alert_has_the_same_record_of_priority_as_an_slo() -> None:
    slo, alert = slo_worlds.objective(), registered()
    for target in ({"objective": slo}, {"resource_alert": alert.name}):
        actions.assign_priority(
            SYSTEM, decision="set", priority=3, groups=["customer-support"], reason="agreed", now=NOW, **target
        )
    both = PriorityAssignment.objects.order_by("pk")
    assert [one.target_kind for one in both] == [TargetKind.SLO, TargetKind.RESOURCE_ALERT]
    assert both[1].resource_alert == alert
    # The same rules hold: one at a time, replacing closes the former, the first instant belongs to the new one.
    later = actions.assign_priority(SYSTEM, resource_alert=alert, decision="set", priority=2, now=NOW + WEEK)
    former = PriorityAssignment.objects.get(pk=both[1].pk)
    assert former.valid_until == later.valid_from == NOW + WEEK
    assert queries.alert_assignments_at([alert.pk], NOW + WEEK)[alert.pk] == later
    with pytest.raises(IntegrityError), transaction.atomic():
        PriorityAssignment.objects.create(
            target_kind="resource_alert", resource_alert=alert, decision="none", assigned_by="x", valid_from=NOW
        )
    entry = Entry.objects.filter(kind=Kind.PRIORITY_ASSIGNED).order_by("-seq")[0]
    assert entry.data is not None
    assert (entry.data["resource_alert"], entry.data["former"]) == (alert.name, "3")


@pytest.mark.parametrize("kind", ["slo", "resource_alert"])
def test_the_database_holds_no_assignment_without_its_target(kind: str) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        PriorityAssignment.objects.create(target_kind=kind, decision="none", assigned_by="x", valid_from=NOW)


def test_a_decision_is_about_one_thing_and_breaches_are_counted_for_slos_only() -> None:
    slo, alert = slo_worlds.objective(), registered()
    rule = {"more_than": 3, "within_seconds": 3600, "to": 2}
    for wrong in ({}, {"objective": slo, "resource_alert": alert}, {"resource_alert": alert, "raise_rule": rule}):
        with pytest.raises(Invalid):
            actions.assign_priority(SYSTEM, decision="set", priority=3, now=NOW, **wrong)
    with pytest.raises(NotFound):
        actions.assign_priority(SYSTEM, resource_alert="nobody", decision="none", now=NOW)
    assert not PriorityAssignment.objects.exists()


def test_only_those_who_may_write_slos_of_the_team_register_and_decide() -> None:
    eve = worlds.actor("eve", in_team="payments", is_owner=True)
    with pytest.raises(NotAllowed):
        adoption.register_alert(eve, alert_name=CPU, service="checkout", now=NOW)
    alert = registered()
    with pytest.raises(NotAllowed):
        actions.assign_priority(eve, resource_alert=alert, decision="none", now=NOW)
    with pytest.raises(NotAllowed):
        actions.move_resource_alert(eve, alert.name, "planned", now=NOW)


@pytest.mark.req("R-9.2.6-1")
def test_an_alert_that_fires_has_the_priority_and_the_groups_that_were_decided_beforehand() -> None:
    alert = registered()
    groups = ["customer-support"]
    actions.assign_priority(SYSTEM, resource_alert=alert, decision="set", priority=3, groups=groups, now=NOW)
    heard = fire(priority="P1")
    assert (heard.resource_alert, heard.priority, heard.priority_state) == (alert, 3, "set")
    incident = Incident.objects.get()
    assert (incident.priority, incident.priority_state, incident.origin) == (3, "set", "resource")
    assert [group.code for group in incident.groups.all()] == groups


def test_an_alert_decided_as_none_opens_nothing_and_one_left_to_a_person_is_undecided() -> None:
    quiet, manual = registered("Fan of rack 7"), registered()
    actions.assign_priority(SYSTEM, resource_alert=quiet, decision="none", now=NOW)
    actions.assign_priority(SYSTEM, resource_alert=manual, decision="set", priority=3, assign_mode="manual", now=NOW)
    assert fire("Fan of rack 7").suppressed_by == "priority none"
    assert not Incident.objects.exists()
    assert fire().priority_state == "unset"
    assert Incident.objects.get().priority is None


def test_an_alert_nobody_registered_is_taken_as_before() -> None:
    heard = fire("SomethingElse", priority="P3")
    assert (heard.resource_alert, heard.priority) == (None, 3)


@pytest.mark.req("R-9.2.6-2")
def test_a_replaced_alert_wakes_nobody_and_comes_back_when_the_slo_did_not_work_out() -> None:
    alert, slo = registered(), slo_worlds.objective()
    actions.move_resource_alert(SYSTEM, alert.name, "planned", reason="SLO in review", now=NOW)
    with pytest.raises(Invalid):
        actions.move_resource_alert(SYSTEM, alert.name, "replaced", now=NOW)
    moved = actions.move_resource_alert(SYSTEM, alert.name, "replaced", replaced_by=slo.name, now=NOW)
    assert (moved.state, moved.replaced_by) == ("replaced", slo)
    assert fire().suppressed_by == f"replaced by {slo.name}"
    assert not Incident.objects.exists()
    with pytest.raises(Refused):
        actions.move_resource_alert(SYSTEM, alert.name, "planned", now=NOW)
    back = actions.move_resource_alert(SYSTEM, alert.name, "active", reason="missed an outage", now=NOW)
    assert (back.state, back.replaced_by) == ("active", None)
    steps = ResourceAlertStep.objects.filter(alert=alert).order_by("pk")
    assert [one.state for one in steps] == ["active", "planned", "replaced", "active"]


@pytest.mark.req("R-9.2.6-2")
def test_the_share_of_replaced_alerts_of_a_team_over_time() -> None:
    slo = slo_worlds.objective()
    first, second, third = (registered(name) for name in (CPU, "Memory>90%", "Fan of rack 7"))
    worlds.service("search", of_team="payments")
    adoption.register_alert(SYSTEM, alert_name=CPU, service="search", now=NOW)
    actions.move_resource_alert(SYSTEM, first.name, "replaced", replaced_by=slo.name, now=NOW + WEEK)
    actions.move_resource_alert(SYSTEM, third.name, "retired", now=NOW + 2 * WEEK)
    actions.move_resource_alert(SYSTEM, second.name, "replaced", replaced_by=slo.name, now=NOW + 3 * WEEK)
    instants = [NOW + week * WEEK for week in range(-1, 4)]
    shares = queries.replacement_shares(SYSTEM, team="tickets", instants=instants)
    assert [one.ratio for one in shares] == [None, Fraction(0), Fraction(1, 3), Fraction(1, 2), Fraction(1)]


def test_registering_the_same_again_writes_nothing_and_a_change_is_kept() -> None:
    first = registered(metric="cpu")
    count = Entry.objects.count()
    assert registered(metric="cpu") == first
    assert Entry.objects.count() == count
    assert registered(metric="load").metric == "load"
    assert ResourceAlert.objects.count() == 1
    assert first.name == "cpu-90-on-host-abc"


def test_names_are_made_and_kept_apart() -> None:
    worlds.service("search", of_team="tickets")
    registered()
    other = adoption.register_alert(SYSTEM, alert_name=CPU, service="search", now=NOW)
    assert other.name == "cpu-90-on-host-abc-2"
    for wrong in ({"name": other.name}, {"name": "no spaces here"}, {"runbook_url": "ftp://x"}):
        with pytest.raises(Invalid):
            registered("Another", **wrong)
    for alert_name, service in ((" ", "checkout"), ("Another", "nobody")):
        with pytest.raises(Invalid):
            adoption.register_alert(SYSTEM, alert_name=alert_name, service=service, now=NOW)


@pytest.mark.req("R-9.2.6-6")
def test_an_alert_that_no_sli_could_replace_becomes_a_wish_once() -> None:
    matched, unmatched = registered(), registered("Fan of rack 7", metric="fan speed")
    found = sli_for(matched)
    assert found is not None
    assert found.code == "latency"
    assert sli_for(unmatched) is None
    wish = Wish.objects.get()
    assert (wish.resource_alert, wish.kind, wish.team.name if wish.team else "") == (unmatched, "new_sli", "tickets")
    registered("Fan of rack 7", metric="fan")
    assert Wish.objects.count() == 1
