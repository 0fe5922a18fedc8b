"""One incident in plain words, from the first alert to the last obligation, under a wound clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.domains import incident_worlds as world
from tests.domains.incident_worlds import MINUTE, House
from tocsin.alerts.changes import AlertChange, ChangeKind
from tocsin.core.facts import Kind
from tocsin.incidents import actions, queries
from tocsin.incidents.models import Incident, Obligation

pytestmark = pytest.mark.django_db

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def at(minute: int) -> datetime:
    return START + minute * MINUTE


def update(house: House, incident: Incident) -> None:
    """The communicator keeps the promise to every audience that is owed an update."""
    rows = Obligation.objects.filter(incident=incident, state="open", kind__startswith="update")
    for row in rows:
        actions.fulfil_obligation(house.ada, row.pk, reference="update", now=house.now)


@pytest.mark.req("R-9.2.1-7")
def test_a_burning_slo_is_answered_judged_anew_and_closed(caplog: pytest.LogCaptureFixture) -> None:
    house = House(now=START)
    house.rotation("coordinators", "incident_coordinator", "cora")
    house.rotation("communicators", "incident_communicator", "mia")
    slo = world.objective(house.service, now=START)

    # Minute 40: the SLO breaches, the rule lets an alert through, one incident with the SLO's priority, one page.
    house.now = at(40)
    said = world.signal(slo, now=house.now, priority=2, groups=["consumer-teams", "product-owners"])
    alert = world.slo_alert(said, now=house.now)
    [incident] = world.tell(AlertChange(alert, ChangeKind.OPENED, "new", said), now=house.now)
    assert (incident.ref, incident.priority, incident.severity) == ("INC-1", 2, "warning")
    assert (world.paged(), world.owed(incident)["update_opening:groups:0"]) == (["ada"], at(55))

    # Minute 42: ada takes it from the page.
    house.run(2 * MINUTE)
    actions.take_page(world.token_of(world.mails()[0]), now=house.now)

    # Minute 50: the opening goes out, so the next is due four hours later.
    house.run(8 * MINUTE)
    update(house, incident)
    assert world.owed(incident)["update_progress:groups:1"] == at(290)

    # Minute 55: a second team is needed; the coordinator on call is asked and comes.
    house.run(5 * MINUTE)
    actions.change_severity(house.ada, incident.ref, severity="error", reason="two teams search", now=house.now)
    actions.take_page(world.token_of(world.mails("role")[0]), now=house.now)
    owner = world.obligation(incident, "update_progress:groups:1").owner
    assert owner is not None
    assert owner.username == "cora"

    # Minutes 160 and 280: still true, told again: occurrences, no second incident and no further page.
    for minute in (160, 280):
        house.run(at(minute) - house.now)
        again = world.signal(slo, "renotified", now=house.now)
        world.tell(AlertChange(alert, ChangeKind.REPEATED, "renotified", again), now=house.now)
    assert (Incident.objects.count(), world.fresh(incident).alert_count, world.paged()) == (1, 3, ["ada"])

    # Minute 305: the update is late on purpose; the coordinator heard so within a minute after the grace.
    house.run(at(305) - house.now)
    [late] = [one for one in world.entries(incident, Kind.OBLIGATION_LATE) if "groups" in one["key"]]
    assert late["key"] == "update_progress:groups:1"
    assert world.obligation(incident, "update_progress:groups:1").told_late_at == at(301)
    assert "cora@harbor.example" in [mail.address for mail in world.mails("late")]
    update(house, incident)
    assert world.owed(incident)["update_progress:groups:2"] == at(545)

    # Minute 310: raised, so the promise moves forward and a fix and a postmortem are owed.
    house.run(5 * MINUTE)
    actions.change_priority(house.ada, incident.ref, priority=1, reason="all regions", now=house.now)
    owed = world.owed(incident)
    assert owed["update_progress:groups:2"] == max(at(310), min(at(545), at(305 + 120)))
    assert {"hotfix", "postmortem"} <= set(owed)
    assert {one.priority for one in slo.breaches.all()} == {2}

    # Graver still: the communicator is asked as well.
    actions.change_severity(house.ada, incident.ref, severity="critical", reason="most users", now=house.now)
    assert world.mails("role")[-1].address == "mia@harbor.example"

    # Minute 360 mitigated, 390 resolved; the closing update is due at once.
    house.run(at(360) - house.now)
    actions.move(house.ada, incident.ref, "mitigated", now=house.now)
    house.run(at(390) - house.now)
    actions.resolve(house.ada, incident.ref, category="deploy", note="rolled back", now=house.now)
    assert world.owed(incident)["update_closing:groups:2"] == at(390)

    # What is left is done, and then it is closed.
    update(house, incident)
    for key in ("hotfix", "postmortem"):
        row = world.obligation(incident, key)
        actions.fulfil_obligation(house.ada, row.pk, reference="change 4711", deployed_at=house.now, now=house.now)
    assert actions.close(house.ada, incident.ref, now=house.now + timedelta(days=1)).state == "closed"

    texts = [line.text for line in queries.timeline(house.ada, incident.ref)]
    assert texts[0] == "38% of log-ons fail"
    assert "Priority P2 -> P1: all regions" in texts
    assert texts[-1] == "Closed"
    assert caplog.records == []
