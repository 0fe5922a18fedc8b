"""Events whose sender chooses the key: one open incident a key, triggers counted, an acknowledgement kept, an end said."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db import transaction

from tests.domains.incident_worlds import House
from tocsin.alerts import actions as alerts
from tocsin.alerts.models import Alert, Integration
from tocsin.alerts.posted_events import EventAction, PostedChange, PostedEvent
from tocsin.api import shapes
from tocsin.core.access import SYSTEM
from tocsin.incidents import actions as incidents
from tocsin.incidents import queries
from tocsin.incidents.models import Incident

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
def sender(house: House) -> Integration:
    return alerts.add_integration(SYSTEM, kind="events-v2", name="Nagios", service="log-on", now=house.now)[0]


def event(action: str = "trigger", key: str = "disk", **labels: str) -> PostedEvent:
    given = {"alertname": "DiskFull", "source": "db1", "severity": "critical", "dedup_key": key, **labels}
    return PostedEvent(
        action=EventAction(action), dedup_key=key, summary="Disk full", severity="critical", labels=given,
        annotations={"summary": "Disk full on db1"},
    )  # fmt: skip


def take(sender: Integration, *events: PostedEvent, now: datetime) -> None:
    with transaction.atomic():
        incidents.take_alert_changes(alerts.take_events(sender, events, now=now), now=now)


def test_a_trigger_opens_one_incident_and_its_repeats_are_counted(house: House, sender: Integration) -> None:
    take(sender, event(), now=house.now)
    take(sender, event(), event(), now=house.now + MINUTE)
    [incident] = Incident.objects.select_related("service", "process_version")
    assert (incident.title, incident.alert_count, incident.signal_severity) == ("Disk full on db1", 3, "critical")
    assert incident.service is not None
    assert incident.service.name == "log-on"
    shown = shapes.incident(queries.incident(house.ada, incident.number))
    assert (shown["dedup_key"], shown["source"], shown["status"]) == ("disk", "db1", "triggered")
    assert Alert.objects.get().occurrences == 3
    assert incident.pages.count() == 1


def test_several_triggers_of_one_key_in_one_batch_are_one_incident(house: House, sender: Integration) -> None:
    take(sender, event(), event(key="other"), event(), event(), now=house.now)
    counts = {row.labels["dedup_key"]: row.alert_count for row in Incident.objects.all()}
    assert counts == {"disk": 3, "other": 1}


def test_an_acknowledgement_of_the_sender_stops_the_chain_and_no_trigger_undoes_it(
    house: House, sender: Integration
) -> None:
    take(sender, event(), now=house.now)
    take(sender, event("acknowledge"), now=house.now + MINUTE)
    incident = Incident.objects.get()
    assert (incident.state, incident.acknowledged_by, incident.acknowledged_at) == (
        "acknowledged", None, house.now + MINUTE,
    )  # fmt: skip
    take(sender, event(), now=house.now + 2 * MINUTE)
    for minute in range(3, 15):
        incidents.advance_escalations(now=house.now + minute * MINUTE)
    incident.refresh_from_db()
    assert (incident.state, incident.alert_count, incident.pages.count()) == ("acknowledged", 2, 1)
    texts = [line.text for line in queries.timeline(house.ada, incident.number)]
    assert "Nagios is on it" in texts
    incidents.acknowledge(house.ben, incident.number, now=house.now + 20 * MINUTE)
    take(sender, event("acknowledge"), now=house.now + 21 * MINUTE)
    incident.refresh_from_db()
    assert incident.acknowledged_at == house.now + MINUTE


def test_an_end_resolves_and_a_trigger_after_it_opens_anew(house: House, sender: Integration) -> None:
    take(sender, event(priority="P1"), event("acknowledge"), now=house.now)
    take(sender, event("resolve"), now=house.now + MINUTE)
    first = Incident.objects.get()
    assert (first.state, first.priority) == ("resolved", 1)
    take(sender, event("resolve"), event("acknowledge"), now=house.now + 2 * MINUTE)
    assert Incident.objects.count() == 1
    take(sender, event(), now=house.now + 3 * MINUTE)
    assert [row.state for row in Incident.objects.order_by("number")] == ["resolved", "triggered"]


def test_what_a_person_resolved_opens_anew_when_it_is_triggered_again(house: House, sender: Integration) -> None:
    take(sender, event(), now=house.now)
    incidents.resolve(house.ada, 1, category="capacity", now=house.now + MINUTE)
    take(sender, event("acknowledge"), now=house.now + 2 * MINUTE)
    assert Incident.objects.count() == 1
    take(sender, event(), now=house.now + 3 * MINUTE)
    assert [row.state for row in Incident.objects.order_by("number")] == ["resolved", "triggered"]


def test_the_end_or_acknowledgement_of_what_nobody_triggered_is_dropped(house: House, sender: Integration) -> None:
    take(sender, event("resolve"), event("acknowledge", key="x"), now=house.now)
    assert not Incident.objects.exists()
    assert not Alert.objects.exists()


def test_a_key_belongs_to_its_sender_alone(house: House, sender: Integration) -> None:
    other, _ = alerts.add_integration(SYSTEM, kind="events-v2", name="Zabbix", service="log-on", now=house.now)
    take(sender, event(), now=house.now)
    take(other, event("resolve"), event("acknowledge"), now=house.now)
    assert Incident.objects.get().state == "triggered"
    take(other, event(), now=house.now)
    assert Incident.objects.filter(state="triggered").count() == 2


def test_an_event_lasts_until_its_end_is_said(house: House, sender: Integration) -> None:
    take(sender, event(), now=house.now)
    with transaction.atomic():
        assert alerts.end_overdue(now=house.now + timedelta(days=300)) == []


def test_a_silenced_event_opens_nothing_however_often_it_comes(house: House, sender: Integration) -> None:
    matchers = [{"name": "alertname", "value": "DiskFull", "isRegex": False, "isEqual": True}]
    alerts.add_silence(
        SYSTEM, matchers=matchers, starts_at=house.now, ends_at=house.now + timedelta(hours=1), comment="x", now=house.now
    )  # fmt: skip
    take(sender, event(), event(), event("acknowledge"), now=house.now)
    assert not Incident.objects.exists()
    assert Alert.objects.get().occurrences == 2


def test_a_change_is_kept_and_said_on_the_open_incidents_of_its_service(house: House, sender: Integration) -> None:
    incident = house.declare()
    with transaction.atomic():
        assert incidents.note_change(sender, PostedChange(summary="Deployed 1.2", source="ci"), now=house.now) == 1
    texts = [line.text for line in queries.timeline(house.ada, incident.number)]
    assert "Changed: Deployed 1.2 (ci)" in texts
