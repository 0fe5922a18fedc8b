"""Sort incidents into the categories of the process, list them by each, and take apart what was merged."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.domains import incident_worlds as world
from tests.domains import worlds
from tests.domains.incident_worlds import HOUR, MINUTE, House, alert, change, entries, fresh, paged
from tocsin.alerts.changes import AlertChange, ChangeKind
from tocsin.alerts.posted_events import PostedChange
from tocsin.core.adherence_outcomes import Verdict
from tocsin.core.errors import Invalid, NotAllowed, NotFound, Refused
from tocsin.core.facts import Kind
from tocsin.core.incident_phases import Phase
from tocsin.incidents import actions, course, queries
from tocsin.incidents.links import links_of
from tocsin.incidents.models import Incident, IncidentBreach, State
from tocsin.insights import adherence
from tocsin.slo.models import ObjectiveState

pytestmark = pytest.mark.django_db


@pytest.fixture
def house() -> House:
    return House()


def slo_incident(house: House, name: str = "log-on-availability", **labels: str) -> Incident:
    row = world.objective(house.service, now=house.now, name=name)
    row.sli_kind = "availability"
    row.save()
    ObjectiveState.objects.get_or_create(objective=row)
    said = world.signal(row, now=house.now)
    found = world.slo_alert(said, now=house.now)
    found.labels = labels
    found.save()
    [incident] = world.tell(AlertChange(found, ChangeKind.OPENED, "opened", signal=said), now=house.now)
    return incident


@pytest.mark.req("R-9.1-4")
def test_a_list_is_cut_by_each_category_and_each_keeps_apart_what_is_not_of_it(house: House) -> None:
    one = slo_incident(house, environment="production", region="eu", tenant="acme")
    actions.categorize(house.ada, one.ref, category="deploy", now=house.now)
    worlds.service("checkout", of_team="tickets", now=house.now)
    two = house.declare("Another", service="checkout")
    actions.categorize(house.ada, two.ref, category="capacity", environment="staging", scope="us", now=house.now)
    asked: list[dict[str, Any]] = [
        {"service": "log-on"},
        {"sli": "availability"},
        {"environment": "production"},
        {"scope": "acme"},
        {"category": "deploy"},
        {"origin": "slo"},
    ]
    for filters in asked:
        found = queries.incidents(house.ada, **filters).rows
        assert [row.ref for row in found] == [one.ref], filters
    assert len(queries.incidents(house.ada, sli="", scope="").rows) == 2


def test_what_labels_say_fills_environment_and_scope_and_a_person_may_say_otherwise(house: House) -> None:
    labels = {"alertname": "Full", "env": "prod", "region": "eu-1", "cluster": "b"}
    [incident] = change(alert("am:7", now=house.now, labels=labels), now=house.now)
    assert (incident.environment, incident.felt_in) == ("prod", "region eu-1, cluster b")
    actions.categorize(house.ada, incident.ref, scope="everywhere", now=house.now)
    actions.categorize(house.ada, incident.ref, scope="everywhere", now=house.now)
    [told] = entries(incident, Kind.INCIDENT_CATEGORIZED)
    assert (told["scope"], told["environment"], told["service"]) == ("everywhere", "prod", "log-on")


def test_an_incident_may_be_outside_our_control_with_a_reason(house: House) -> None:
    incident = house.declare(priority=2, groups=["product-owners"])
    with pytest.raises(Invalid) as without:
        actions.categorize(house.ada, incident.ref, outside_our_control=True, now=house.now)
    assert set(without.value.fields) == {"reason"}
    told = actions.categorize(
        house.ada, incident.ref, outside_our_control=True, reason="The power company", now=house.now
    )
    assert told.outside_our_control
    [said] = entries(incident, Kind.INCIDENT_CONTROL_STATED)
    assert (said["outside"], said["reason"]) == (True, "The power company")
    actions.categorize(house.ada, incident.ref, outside_our_control=False, now=house.now)
    assert not fresh(incident).outside_our_control


def test_who_may_not_classify_may_not_sort(house: House) -> None:
    incident = house.declare()
    reader = worlds.actor("rea", role="reader", now=house.now)
    with pytest.raises(NotAllowed):
        actions.categorize(reader, incident.ref, category="deploy", now=house.now)
    with pytest.raises(NotFound):
        actions.categorize(house.ada, incident.ref, service="nowhere", now=house.now)
    assert entries(incident, Kind.INCIDENT_CATEGORIZED) == []


@pytest.mark.req("R-9.2.11-9")
def test_merged_incidents_point_to_the_survivor_and_the_merge_is_undone_with_both_in_the_log(house: House) -> None:
    child = slo_incident(house)
    actions.acknowledge(house.ada, child.ref, now=house.now)
    parent = house.declare("Log-on is slow", priority=2)
    house.pass_time(5 * MINUTE)
    actions.merge(house.ada, child.ref, into=parent.ref, now=house.now)
    assert (fresh(child).state, fresh(child).merged_into) == (State.MERGED, parent)
    assert IncidentBreach.objects.filter(incident=parent).count() == 1
    house.pass_time(10 * MINUTE)
    actions.unmerge(house.ada, child.ref, reason="Two things", now=house.now)
    back = fresh(child)
    assert (back.state, back.merged_into, back.resolved_at, back.generation) == (State.ACKNOWLEDGED, None, None, 1)
    assert IncidentBreach.objects.filter(incident=child).count() == 1
    assert not IncidentBreach.objects.filter(incident=parent).exists()
    assert child.alert_links.count() == 1
    assert (fresh(parent).alert_count, fresh(child).alert_count) == (0, 1)
    for one in (child, parent):
        kinds = world.kinds_of(one)
        assert kinds.index(Kind.INCIDENT_MERGED) < kinds.index(Kind.INCIDENT_UNMERGED)


def test_taken_apart_it_runs_on_where_it_stood_and_its_checks_judge_again(house: House) -> None:
    child, parent = house.declare("One", priority=1), house.declare("Two", priority=1)
    house.chain(["user:ada"], ["user:ben"])
    actions.merge(house.ada, child.ref, into=parent.ref, now=house.now)
    found = adherence.of_incident(house.ada, child.ref, now=house.now).outcomes
    assert found["AC09"].verdict is Verdict.NOT_APPLICABLE
    before = len(paged())
    house.pass_time(MINUTE)
    actions.unmerge(house.ada, child.ref, now=house.now)
    house.run(MINUTE)
    assert fresh(child).state == State.TRIGGERED
    assert len(paged()) > before
    found = adherence.of_incident(house.ada, child.ref, now=house.now).outcomes
    assert found["AC10"].verdict is not Verdict.NOT_APPLICABLE
    actions.acknowledge(house.ada, child.ref, now=house.now)
    steps = {one.phase: one for one in course.course(house.ada, fresh(child)).phases}
    assert steps[Phase.INITIAL_DIAGNOSIS].is_running


def test_what_was_not_merged_or_is_open_elsewhere_is_not_taken_apart(house: House) -> None:
    child = slo_incident(house)
    with pytest.raises(Refused):
        actions.unmerge(house.ada, child.ref, now=house.now)
    parent = house.declare("Other", priority=2)
    actions.merge(house.ada, child.ref, into=parent.ref, now=house.now)
    actions.resolve(house.ada, parent.ref, category="deploy", now=house.now)
    Incident.objects.filter(pk=parent.pk).update(state=State.TRIGGERED, dedup_key=child.dedup_key)
    with pytest.raises(Refused) as elsewhere:
        actions.unmerge(house.ada, child.ref, now=house.now)
    assert elsewhere.value.reason == "open_elsewhere"


def test_an_incident_is_linked_to_its_breaches_changes_fix_and_neighbours(house: House) -> None:
    sender = world.integration(now=house.now)
    sender.service = house.service
    sender.save()
    for ago, text in ((timedelta(days=2), "old"), (HOUR, "release 41")):
        told = PostedChange(summary=text, source="ci", url="https://ci.example/41", details="")
        actions.note_change(sender, told, now=house.now - ago)
    incident = slo_incident(house)
    house.pass_time(MINUTE)
    actions.note_change(sender, PostedChange(summary="release 42", source="ci", url="", details=""), now=house.now)
    actions.change_priority(house.ada, incident.ref, priority=1, state="set", reason="More", now=house.now)
    fix = world.obligation(incident, "hotfix")
    actions.fulfil_obligation(house.ada, fix.pk, reference="change 7", deployed_at=house.now, now=house.now)
    found = links_of(house.ada, fresh(incident))
    assert [(one.summary, one.during) for one in found.changes] == [("release 42", True), ("release 41", False)]
    assert [one.reference for one in found.fixes] == ["change 7"]
    assert (len(found.breaches), found.breach_count) == (1, 1)
    assert found.runbook.url.endswith("/runbook")
