"""The main job, end to end: a budget burns, somebody is woken, stakeholders hear, it ends, and something is learned."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import transaction

from tests.domains import slo_worlds, worlds
from tests.scenarios.stage import Stage
from tocsin.alerts import actions as alerts
from tocsin.alerts.models import Alert
from tocsin.audit import queries as audit
from tocsin.comms import actions as comms
from tocsin.core.access import SYSTEM
from tocsin.incidents import actions as incidents
from tocsin.incidents import kin, queries
from tocsin.incidents.actions import moving
from tocsin.incidents.models import Incident
from tocsin.people import actions as people
from tocsin.platform.clock import WoundClock
from tocsin.postmortems import queries as postmortems
from tocsin.process import actions as process
from tocsin.slo import actions as slo

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def stage(clock: WoundClock) -> Stage:
    stage = Stage(clock)
    stage.on_call("checkout", "mara", "noor")
    objective = slo_worlds.objective(now=stage.now)
    process.add_group_member(SYSTEM, group="management", email="boss@harbor.example", now=stage.now)
    process.add_group_member(SYSTEM, group="customer-support", email="desk@harbor.example", now=stage.now)
    slo.assign_priority(
        SYSTEM,
        objective=objective,
        decision="set",
        priority=1,
        groups=["customer-support"],
        reason="no sale without it",
        now=stage.now,
    )
    return stage


def burn(stage: Stage, minutes: int) -> None:
    for _ in range(minutes):
        stage.clock.wind(timedelta(minutes=1))
        stage.count("checkout-availability", good=700, bad=300)


@pytest.mark.req("R-9.5.3-4", "R-9.2.3-10")
def test_a_burning_slo_becomes_one_incident_that_wakes_somebody_and_ends_in_a_draft(stage: Stage) -> None:
    for _ in range(5):
        stage.clock.wind(timedelta(minutes=1))
        stage.count("checkout-availability", good=1000, bad=0)
    stage.phone.expect(to="mara@harbor.example", containing="P1", kind="page")
    burn(stage, 3)
    [incident] = Incident.objects.all()
    assert (incident.priority, incident.priority_state, incident.origin) == (1, "set", "slo")
    assert incident.objective is not None
    assert incident.objective.name == "checkout-availability"

    assert [group.code for group in incident.groups.all()] == ["customer-support"]

    incidents.take_page(stage.link_of(), now=stage.now)
    incident.refresh_from_db()
    assert incident.state == "acknowledged"
    assert incident.acknowledged_by is not None
    assert incident.acknowledged_by.username == "mara"
    burn(stage, 3)
    assert Incident.objects.count() == 1
    stage.phone.settle()

    mara = worlds.actor("mara")
    draft = comms.draft_update(mara, incident.number, now=stage.now)
    assert draft.kind == "opening"
    assert draft.next_update_at == stage.now + timedelta(hours=2)
    for address in ("boss@harbor.example", "desk@harbor.example"):
        stage.phone.expect(to=address, containing="Next update by", kind="update")
    comms.send_update(mara, incident.number, text=draft.text, next_update_at=draft.next_update_at, now=stage.now)
    stage.cycle()
    stage.phone.settle()
    dues = {row.obligation.due_at for row in queries.promises(SYSTEM, now=stage.now)}
    assert dues == {draft.next_update_at}

    incidents.resolve(mara, incident.number, category="software", note="rolled back", now=stage.now)
    stage.cycle()
    drafted = postmortems.postmortem(mara, incident.number)
    assert drafted.state == "draft"
    recorded = [entry for entry in audit.timeline_entries(incident.ref) if not entry.kind.startswith("postmortem.")]
    assert drafted.timeline.count() == len(recorded)
    assert audit.verify().ok


def test_a_sender_of_counts_is_known_to_have_been_heard(stage: Stage) -> None:
    stage.count("checkout-availability", good=1000, bad=0)
    stage.sources["sli"].refresh_from_db()
    assert stage.sources["sli"].last_seen_at == stage.now


def test_nobody_answers_and_the_next_one_is_asked_and_at_last_the_fallback(stage: Stage) -> None:
    people.set_fallback_contact(SYSTEM, email="night-desk@harbor.example", now=stage.now)
    stage.phone.expect(to="mara@harbor.example", kind="page")
    stage.alert("DiskFull", service="checkout", priority="P2")
    stage.phone.settle()
    stage.phone.expect(to="noor@harbor.example", kind="page")
    stage.pass_time(timedelta(minutes=5))
    stage.phone.settle()
    stage.phone.expect(to="night-desk@harbor.example", kind="fallback")
    stage.pass_time(timedelta(minutes=6))
    stage.phone.settle()


@pytest.mark.req("R-9.2.11-1")
def test_an_alert_that_repeats_adds_nothing_and_its_end_resolves(stage: Stage) -> None:
    stage.phone.expect(to="mara@harbor.example", containing="P2", kind="page")
    stage.alert("QueueLong", service="checkout", priority="P2", severity="critical")
    stage.alert("QueueLong", service="checkout", priority="P2", severity="critical")
    [incident] = Incident.objects.all()
    assert (incident.priority, incident.signal_severity, incident.labels["alertname"]) == (2, "critical", "QueueLong")
    stage.phone.settle()
    stage.clock.wind(timedelta(minutes=2))
    stage.phone.expect(to="mara@harbor.example", containing="working again", kind="stand_down")
    stage.alert("QueueLong", ends=True, service="checkout", priority="P2", severity="critical")
    incident.refresh_from_db()
    assert incident.state == "resolved"


@pytest.mark.parametrize("quiet", ["silenced", "snoozed"])
def test_a_page_that_waits_is_withheld_when_the_incident_is_quiet_by_then(stage: Stage, quiet: str) -> None:
    second = "mara.home@harbor.example"
    people.add_contact_method(
        SYSTEM, username="mara", channel="email", address=second, delay=timedelta(minutes=8), now=stage.now
    )
    stage.phone.expect(to="mara@harbor.example", kind="page")
    stage.alert("QueueLong", service="checkout", priority="P2")
    later = stage.now + timedelta(hours=1)
    if quiet == "silenced":
        matchers = [{"name": "alertname", "value": "QueueLong", "isRegex": False, "isEqual": True}]
        alerts.add_silence(
            SYSTEM, matchers=matchers, starts_at=stage.now, ends_at=later, comment="known", now=stage.now
        )
    else:
        incidents.snooze(SYSTEM, stage.incident().number, until=later, now=stage.now)
    stage.pass_time(timedelta(minutes=10))
    stage.phone.settle()


def test_a_page_that_waits_goes_out_when_nobody_has_answered(stage: Stage) -> None:
    second = "mara.home@harbor.example"
    people.add_contact_method(
        SYSTEM, username="mara", channel="email", address=second, delay=timedelta(minutes=8), now=stage.now
    )
    stage.phone.expect(to="mara@harbor.example", kind="page")
    stage.phone.expect(to="noor@harbor.example", kind="page")
    stage.phone.expect(to=second, kind="page")
    stage.alert("QueueLong", service="checkout", priority="P2")
    stage.pass_time(timedelta(minutes=9))
    stage.phone.settle()


def test_an_incident_resolved_while_its_slo_burns_on_comes_back_and_pages(stage: Stage) -> None:
    stage.clock.wind(timedelta(minutes=1))
    stage.count("checkout-availability", good=1000, bad=0)
    stage.phone.expect(to="mara@harbor.example", kind="page")
    burn(stage, 3)
    incident = stage.incident()
    incidents.take_page(stage.link_of(), now=stage.now)
    incidents.resolve(worlds.actor("mara"), incident.number, category="software", now=stage.now)
    burn(stage, 9)
    incident.refresh_from_db()
    assert incident.state == "resolved"
    stage.phone.expect(to="mara@harbor.example", kind="page")
    burn(stage, 2)
    incident.refresh_from_db()
    assert (incident.is_open, incident.generation) == (True, 2)
    assert Incident.objects.count() == 1
    texts = [line.text for line in queries.timeline(worlds.actor("mara"), incident.number)]
    assert "Reopened. The SLO still burns." in texts
    stage.phone.settle()


def test_an_incident_closed_while_its_slo_burns_on_goes_on_as_a_new_one_that_pages(stage: Stage) -> None:
    slo.assign_priority(
        SYSTEM,
        objective="checkout-availability",
        decision="set",
        priority=2,
        groups=["customer-support"],
        now=stage.now,
    )
    stage.clock.wind(timedelta(minutes=1))
    stage.count("checkout-availability", good=1000, bad=0)
    stage.phone.expect(to="mara@harbor.example", kind="page")
    burn(stage, 3)
    closed = stage.incident()
    mara = worlds.actor("mara")
    incidents.take_page(stage.link_of(), now=stage.now)
    incidents.resolve(mara, closed.number, category="software", now=stage.now)
    for owed in closed.obligations.filter(state="open"):
        incidents.waive_obligation(mara, owed.pk, reason="It was nothing.", now=stage.now)
    incidents.close(mara, closed.number, now=stage.now)
    burn(stage, 9)
    assert Incident.objects.count() == 1
    stage.phone.expect(to="mara@harbor.example", kind="page")
    burn(stage, 2)
    stage.phone.settle()
    closed.refresh_from_db()
    fresh = stage.incident()
    assert (closed.state, fresh.number, fresh.state, fresh.priority) == ("closed", closed.number + 1, "triggered", 2)
    assert (kin.continues(fresh), kin.continued_by(closed)) == (closed, fresh)
    assert [group.code for group in fresh.groups.all()] == ["customer-support"]
    assert kin.causes(fresh) == kin.dependents(closed) == []
    for row in (closed, fresh):
        texts = [line.text for line in queries.timeline(mara, row.number)]
        assert f"{closed.ref} goes on as {fresh.ref}: The SLO still burns." in texts
    burn(stage, 5)
    assert Incident.objects.count() == 2
    assert audit.verify().ok


def test_what_a_machine_ended_and_a_person_closed_does_not_come_back(stage: Stage) -> None:
    incident = burning(stage)
    with transaction.atomic():
        moving.end(SYSTEM, incident, note="The alert ended.", by_person=False, now=stage.now)
    Incident.objects.filter(pk=incident.pk).update(state="closed", closed_at=stage.now)
    assert incidents.reopen_still_burning(now=stage.now + timedelta(minutes=11)) == 0
    assert Incident.objects.count() == 1


def burning(stage: Stage) -> Incident:
    """An incident of an SLO that burns, taken by mara."""
    stage.clock.wind(timedelta(minutes=1))
    stage.count("checkout-availability", good=1000, bad=0)
    stage.phone.expect(to="mara@harbor.example", kind="page")
    burn(stage, 3)
    incidents.take_page(stage.link_of(), now=stage.now)
    return stage.incident()


@pytest.mark.parametrize("quiet", [{"suppressed_by": "silence:1"}, {"urgency": "ticket"}, {"state": "resolved"}])
def test_what_wakes_nobody_does_not_bring_an_incident_back(stage: Stage, quiet: dict[str, str]) -> None:
    incident = burning(stage)
    assert queries.still_burns(incident)
    incidents.resolve(worlds.actor("mara"), incident.number, category="software", now=stage.now)
    Alert.objects.update(**quiet)
    assert not queries.still_burns(incident)
    assert incidents.reopen_still_burning(now=stage.now + timedelta(minutes=10)) == 0


def test_an_incident_that_no_person_resolved_is_not_brought_back(stage: Stage) -> None:
    incident = burning(stage)
    with transaction.atomic():
        moving.end(SYSTEM, incident, note="", by_person=False, now=stage.now)
    assert incidents.reopen_still_burning(now=stage.now + timedelta(minutes=10)) == 0


def test_a_burning_slo_brings_back_the_incident_that_took_it_over(stage: Stage) -> None:
    child = burning(stage)
    mara = worlds.actor("mara")
    parent = incidents.declare(mara, title="Paying is slow", service="checkout", now=stage.now)
    incidents.merge(mara, child.number, into=parent.number, now=stage.now)
    incidents.resolve(mara, parent.number, category="software", now=stage.now)
    assert incidents.reopen_still_burning(now=stage.now + timedelta(minutes=9)) == 0
    assert incidents.reopen_still_burning(now=stage.now + timedelta(minutes=10)) == 1
    parent.refresh_from_db()
    assert (parent.is_open, parent.generation) == (True, 2)


def test_many_that_are_worked_on_do_not_hide_one_that_is_not(stage: Stage) -> None:
    incident = burning(stage)
    incidents.resolve(worlds.actor("mara"), incident.number, category="software", now=stage.now)
    burns = Alert.objects.get(state="firing")
    for number in range(3):
        earlier = Alert.objects.get(pk=burns.pk)
        earlier.pk, earlier.dedup_key = burns.pk - 10 + number, f"slo:other-{number}"
        earlier.save(force_insert=True)
    assert incidents.reopen_still_burning(now=stage.now + timedelta(minutes=10), limit=1) == 1
