"""A source that has gone silent: unknown within two evaluations, told of by one alert, over when it is heard again."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction

from tests.domains import slo_worlds, worlds
from tests.domains.slo_worlds import MINUTE, NOON
from tocsin.alerts import actions as alerts
from tocsin.alerts.models import Alert, AlertState
from tocsin.alerts.posted_alerts import PostedAlert
from tocsin.alerts.queries import SILENT_SOURCE
from tocsin.core.access import SYSTEM
from tocsin.engine import silent_sources, turns
from tocsin.incidents import actions as incidents
from tocsin.incidents.models import Incident
from tocsin.oncall import actions as oncall
from tocsin.slo import actions, snapshots
from tocsin.slo.models import Health, Objective

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def seconds(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A new process, whose real clock the test moves."""
    real = [100.0]
    monkeypatch.setattr(silent_sources, "_watch", silent_sources._Watch())
    monkeypatch.setattr(silent_sources.clock, "monotonic", lambda: real[0])
    return real


def pushed(
    name: str = "shop", *, every: timedelta = timedelta(seconds=20), source: str = "counters", **fields: Any
) -> Objective:
    worlds.process(now=NOON)
    actions.save_source(SYSTEM, name=source, kind="push", every=every, now=NOON)
    return slo_worlds.objective(name, now=NOON, source=source, **fields)


def pass_time(seconds: list[float], start: datetime, minutes: int) -> datetime:
    """The engine's turns twice a minute."""
    now = start
    for _ in range(2 * minutes):
        now += timedelta(seconds=30)
        seconds[0] += 30
        turns.evaluate(now=now)
        silent_sources.turn(now=now)
        turns.let_time_pass(now=now)
    return now


def health(slo: Objective) -> str:
    return slo_worlds.state(slo).health


def hear(slo: Objective, now: datetime) -> None:
    slo_worlds.push(slo, now, good=100, bad=0)
    slo_worlds.judge(slo, now)


@pytest.mark.parametrize(
    ("every", "limit"),
    [(timedelta(seconds=5), MINUTE), (MINUTE, 3 * MINUTE), (10 * MINUTE, 30 * MINUTE)],
)
def test_a_sender_is_missed_after_three_of_its_rounds_and_one_evaluation_at_least(
    every: timedelta, limit: timedelta
) -> None:
    assert snapshots.silence_limit(pushed(every=every)) == limit


def test_within_two_evaluations_nothing_is_known_and_a_minute_later_somebody_is_told(seconds: list[float]) -> None:
    slo = pushed()
    hear(slo, NOON)
    assert health(slo) == Health.MET
    now = pass_time(seconds, NOON, 1)
    assert health(slo) == Health.MET
    now = pass_time(seconds, now, 1)
    assert health(slo) == Health.NO_DATA
    assert not Incident.objects.exists()
    now = pass_time(seconds, now, 1)
    incident = Incident.objects.get()
    assert incident.title.startswith("No data from counters")
    assert "2026-11-23 12:00 UTC" in incident.title
    assert "unknown, not green" in Alert.objects.get().annotations["description"]


def test_many_slos_of_one_source_make_one_alert(seconds: list[float]) -> None:
    slos = [pushed(f"slo-{number}") for number in range(8)]
    for slo in slos:
        hear(slo, NOON)
    pass_time(seconds, NOON, 10)
    alert = Alert.objects.get()
    assert "8 SLOs" in alert.summary
    assert "and 3 more" in alert.annotations["description"]
    assert Incident.objects.count() == 1


def test_the_alert_ends_when_every_slo_hears_again(seconds: list[float]) -> None:
    first, second = pushed("first"), pushed("second")
    for slo in (first, second):
        hear(slo, NOON)
    now = pass_time(seconds, NOON, 6)
    hear(first, now)
    now = pass_time(seconds, now, 1)
    assert Alert.objects.get().state == AlertState.FIRING
    for slo in (first, second):
        hear(slo, now)
    silent_sources.turn(now=now + timedelta(seconds=10))
    assert Alert.objects.get().state == AlertState.RESOLVED


def test_the_alert_lasts_as_long_as_the_silence_without_telling_anew(seconds: list[float]) -> None:
    hear(pushed(), NOON)
    pass_time(seconds, NOON, 120)
    assert Alert.objects.get().state == AlertState.FIRING
    assert Incident.objects.count() == 1


def test_a_clock_that_jumped_is_no_silence(seconds: list[float]) -> None:
    """The machine slept, or the demo's clock was wound: data come within a moment, and nobody is told."""
    slo = pushed()
    hear(slo, NOON)
    for jump in range(1, 4):
        later = NOON + jump * timedelta(hours=1)
        turns.evaluate(now=later)
        silent_sources.turn(now=later)
        seconds[0] += 0.3
    assert health(slo) == Health.NO_DATA
    assert not Alert.objects.exists()
    hear(slo, later)
    pass_time(seconds, later, 1)
    assert not Alert.objects.exists()


def test_the_alert_is_as_urgent_as_its_slos_but_never_of_the_highest_priority(seconds: list[float]) -> None:
    for name, priority in (("first", 1), ("second", 3)):
        slo = pushed(name)
        actions.assign_priority(SYSTEM, objective=slo, decision="set", priority=priority, now=NOON)
        hear(slo, NOON)
    pass_time(seconds, NOON, 5)
    assert Incident.objects.get().priority == 2


def on_call(service: str, *usernames: str) -> None:
    """Each of `usernames` stands alone in a step of the service's chain."""
    for name in usernames:
        worlds.person(name, in_team=f"team-{service}", now=NOON)
    worlds.service(service, of_team=f"team-{service}", now=NOON)
    steps = [{"wait_minutes": 5, "targets": [f"user:{name}"]} for name in usernames]
    oncall.save_policy(SYSTEM, {"name": service, "steps": steps}, now=NOON)
    oncall.set_service_escalation(SYSTEM, service=service, policy=service, now=NOON)


def paged(incident: Incident) -> list[str]:
    return sorted(page.person.username for page in incident.pages.all() if page.person)


def shared_source(*, priorities: dict[str, int]) -> None:
    """Search, pay and mail are measured by one source; ada is on call for two of them."""
    on_call("search", "ada", "sam")
    on_call("pay", "ada")
    on_call("mail", "moe")
    for service in ("search", "pay", "mail"):
        slo = pushed(f"{service}-works", source="others", service=service)
        if service in priorities:
            rank = priorities[service]
            actions.assign_priority(SYSTEM, objective=slo, decision="set", priority=rank, now=NOON)
        hear(slo, NOON)


def test_a_silence_of_several_services_is_one_incident_that_pages_the_people_of_each_once(
    seconds: list[float],
) -> None:
    shared_source(priorities={"search": 3, "pay": 2})
    now = pass_time(seconds, NOON, 5)
    incident = Incident.objects.get()
    assert incident.service is not None
    assert (incident.service.name, incident.priority) == ("pay", 2)
    assert incident.labels["services"] == "pay,search,mail"
    assert paged(incident) == ["ada", "moe"]
    incidents.acknowledge(worlds.actor("moe"), incident.number, now=now)
    later = now
    for _ in range(10):
        later += MINUTE
        incidents.advance_escalations(now=later)
    assert paged(incident) == ["ada", "moe"]  # the first to take it stops the paging of all


def test_whoever_stands_second_in_one_chain_is_asked_when_nobody_answers(seconds: list[float]) -> None:
    shared_source(priorities={"pay": 2})
    now = pass_time(seconds, NOON, 5)
    incidents.advance_escalations(now=now + 6 * MINUTE)
    assert paged(Incident.objects.get()) == ["ada", "moe", "sam"]


def test_a_service_without_a_chain_has_its_team_and_one_without_a_team_does_no_harm(seconds: list[float]) -> None:
    on_call("search", "ada")
    worlds.person("tea", in_team="tea", now=NOON)
    worlds.service("shop", of_team="tea", now=NOON)
    for service in ("search", "shop", "orphan"):
        hear(pushed(f"{service}-works", source="others", service=service), NOON)
    pass_time(seconds, NOON, 5)
    assert set(paged(Incident.objects.get())) >= {"ada", "tea"}


def test_no_sender_from_outside_pages_the_people_of_others_by_a_label(seconds: list[float]) -> None:
    shared_source(priorities={})
    integration, _ = alerts.add_integration(SYSTEM, kind="alertmanager", name="Prometheus", now=NOON)
    labels = {"alertname": "x", "kind": SILENT_SOURCE, "service": "mail", "services": "mail,search,pay"}
    post = PostedAlert(labels=labels, annotations={}, starts_at=None, ends_at=None, generator_url="", received_at=NOON)
    with transaction.atomic():
        incidents.take_alert_changes(alerts.take_alertmanager(integration, [post], now=NOON), now=NOON)
    assert paged(Incident.objects.get()) == ["moe"]


def test_a_silence_of_one_service_is_that_services(seconds: list[float]) -> None:
    hear(pushed("one"), NOON)
    pass_time(seconds, NOON, 5)
    [row] = Alert.objects.select_related("service")
    assert row.service is not None
    assert (row.service.name, "services" in row.labels) == ("checkout", False)


def test_an_slo_that_never_had_data_or_is_retired_is_no_silence(seconds: list[float]) -> None:
    pushed("never")
    hear(pushed("gone"), NOON)
    actions.retire_objective(SYSTEM, "gone", now=NOON)
    pass_time(seconds, NOON, 10)
    assert not Alert.objects.exists()
