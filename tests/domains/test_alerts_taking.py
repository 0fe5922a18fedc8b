"""Alerts of other tools: one episode from start to end, nothing lost, repeats counted, silences heard."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from tests.domains import worlds
from tocsin.alerts import actions, queries
from tocsin.alerts.actions import repeats
from tocsin.alerts.changes import AlertChange, ChangeKind
from tocsin.alerts.models import Alert, AlertState, Integration
from tocsin.alerts.posted_alerts import PostedAlert
from tocsin.audit.models import Entry
from tocsin.catalog import queries as catalog
from tocsin.core.access import SYSTEM
from tocsin.core.facts import Kind

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def world(now: datetime) -> None:
    worlds.process(now=now)


@pytest.fixture
def prometheus(now: datetime) -> Integration:
    worlds.service("checkout")
    row, _ = actions.add_integration(SYSTEM, kind="alertmanager", service="checkout", name="prom", now=now)
    return row


def posted(at: datetime, *, starts: datetime | None = None, ends: datetime | None = None, **more: Any) -> PostedAlert:
    labels = more.pop("labels", None) or {"alertname": "Down", "instance": "a"}
    facts = {"annotations": {"summary": "It is down"}, "generator_url": "http://prom.example/graph", **more}
    return PostedAlert(labels=labels, starts_at=starts, ends_at=ends, received_at=at, **facts)


def take(integration: Integration | None, alerts: Sequence[PostedAlert], now: datetime) -> list[AlertChange]:
    with transaction.atomic():
        return actions.take_alertmanager(integration, alerts, now=now)


def kinds(changes: Sequence[AlertChange]) -> list[str]:
    return [change.kind.value for change in changes]


def test_an_alert_that_starts_is_one_open_episode(prometheus: Integration, now: datetime) -> None:
    labels = {"alertname": "Down", "severity": "critical", "priority": "P2"}
    (change,) = take(prometheus, [posted(now, starts=now - MINUTE, labels=labels)], now)
    alert = Alert.objects.get()
    assert (change.kind, change.alert) == (ChangeKind.OPENED, alert)
    assert (alert.name, alert.summary, alert.state) == ("Down", "It is down", AlertState.FIRING)
    assert (alert.labels, alert.signal_severity) == (labels, "critical")
    assert (alert.priority, alert.priority_state) == (2, "set")
    assert (alert.starts_at, alert.ends_at, alert.end_said) == (now - MINUTE, now + 5 * MINUTE, False)
    assert alert.service == catalog.find_service("checkout")


def test_the_fingerprint_is_alertmanagers_own(prometheus: Integration, now: datetime) -> None:
    take(prometheus, [posted(now, labels={"alertname": "ToPD", "severity": "critical"})], now)
    assert Alert.objects.get().fingerprint == "74342b4f08d3f939"


def test_repeats_add_nothing_but_a_count_and_a_later_end(prometheus: Integration, now: datetime) -> None:
    first = posted(now, starts=now, ends=now + 4 * MINUTE)
    take(prometheus, [first], now)
    for minute in range(1, 4):
        at = now + minute * MINUTE
        assert take(prometheus, [posted(at, starts=now, ends=at + 4 * MINUTE)], at) == []
    alert = Alert.objects.get()
    assert (alert.occurrences, alert.ends_at, alert.last_received_at) == (4, now + 7 * MINUTE, now + 3 * MINUTE)


def test_the_end_resolves_once_however_often_it_is_said(prometheus: Integration, now: datetime) -> None:
    take(prometheus, [posted(now, starts=now)], now)
    end = now + MINUTE
    assert kinds(take(prometheus, [posted(end, starts=now, ends=end)], end)) == ["resolved"]
    assert take(prometheus, [posted(end + MINUTE, starts=now, ends=end)], end + MINUTE) == []
    alert = Alert.objects.get()
    assert (alert.state, alert.resolved_at) == (AlertState.RESOLVED, end)


def test_a_new_start_after_the_end_is_a_new_episode(prometheus: Integration, now: datetime) -> None:
    take(prometheus, [posted(now, starts=now), posted(now, starts=now, ends=now)], now)
    later = now + 2 * MINUTE
    assert kinds(take(prometheus, [posted(later, starts=later)], later)) == ["opened"]
    assert list(Alert.objects.order_by("id").values_list("state", flat=True)) == ["resolved", "firing"]


def test_start_end_and_new_start_in_one_batch_are_told_in_their_order(prometheus: Integration, now: datetime) -> None:
    batch = [posted(now), posted(now, ends=now), posted(now, starts=now)]
    assert kinds(take(prometheus, batch, now)) == ["opened", "resolved", "opened"]
    assert Alert.objects.filter(state=AlertState.FIRING).count() == 1


def test_an_episode_that_was_firing_may_end_and_start_again_in_one_batch(
    prometheus: Integration, now: datetime
) -> None:
    take(prometheus, [posted(now, starts=now)], now)
    at = now + MINUTE
    assert kinds(take(prometheus, [posted(at, ends=at), posted(at, starts=at)], at)) == ["resolved", "opened"]
    assert list(Alert.objects.order_by("id").values_list("state", flat=True)) == ["resolved", "firing"]


def test_many_copies_in_one_batch_are_one_alert(prometheus: Integration, now: datetime) -> None:
    assert kinds(take(prometheus, [posted(now, starts=now)] * 8, now)) == ["opened"]
    assert Alert.objects.get().occurrences == 8


def test_the_end_of_an_alert_never_seen_is_remembered_so_that_its_late_start_opens_nothing(
    prometheus: Integration, now: datetime
) -> None:
    assert take(prometheus, [posted(now, starts=now - 3 * MINUTE, ends=now - MINUTE)], now) == []
    late = posted(now + MINUTE, starts=now - 3 * MINUTE, ends=now + 5 * MINUTE)
    assert take(prometheus, [late], now + MINUTE) == []
    assert list(queries.alerts(SYSTEM, state=None)) == []


def test_two_senders_cannot_take_over_each_others_alerts(prometheus: Integration, now: datetime) -> None:
    other, _ = actions.add_integration(SYSTEM, kind="alertmanager", now=now)
    take(prometheus, [posted(now)], now)
    take(other, [posted(now)], now)
    assert Alert.objects.filter(state=AlertState.FIRING).count() == 2
    assert kinds(take(other, [posted(now + MINUTE, ends=now + MINUTE)], now + MINUTE)) == ["resolved"]
    assert Alert.objects.get(state=AlertState.FIRING).integration == prometheus


@pytest.mark.parametrize(
    ("label", "expected"), [("search", "search"), ("SEARCH", "search"), ("nobody-knows", "checkout"), ("", "checkout")]
)
def test_the_label_service_decides_else_the_senders_service(
    prometheus: Integration, now: datetime, label: str, expected: str
) -> None:
    worlds.service("search")
    labels = {"alertname": "Down"} | ({"service": label} if label else {})
    take(prometheus, [posted(now, labels=labels)], now)
    assert Alert.objects.get().service == catalog.find_service(expected)


def test_an_alert_without_any_known_service_goes_to_the_catch_all(now: datetime) -> None:
    take(None, [posted(now, labels={"alertname": "Down", "service": "nobody-knows"})], now)
    assert Alert.objects.get().service == catalog.catch_all()


@pytest.mark.parametrize(
    ("label", "priority", "state"),
    [("P1", 1, "set"), ("p4", 4, "set"), ("P5", 4, "set"), ("urgent", None, "unset"), ("", None, "unset")],
)
def test_the_label_priority_is_read_in_the_words_of_other_tools(
    prometheus: Integration, now: datetime, label: str, priority: int | None, state: str
) -> None:
    labels = {"alertname": "Down"} | ({"priority": label} if label else {})
    take(prometheus, [posted(now, labels=labels)], now)
    alert = Alert.objects.get()
    assert (alert.priority, alert.priority_state) == (priority, state)


def test_the_senders_default_priority_holds_where_the_alert_names_none(now: datetime) -> None:
    sender, _ = actions.add_integration(SYSTEM, kind="alertmanager", default_priority=3, now=now)
    take(sender, [posted(now), posted(now, labels={"alertname": "Grave", "priority": "P1"})], now)
    assert list(Alert.objects.order_by("name").values_list("name", "priority")) == [("Down", 3), ("Grave", 1)]


def silence(now: datetime, **more: Any) -> str:
    matchers = [{"name": "alertname", "value": "Down", "isRegex": False}]
    row = actions.add_silence(
        SYSTEM, **{"matchers": matchers, "starts_at": now, "ends_at": now + 10 * MINUTE, "now": now, **more}
    )
    return str(row.uuid)


def test_a_silenced_alert_is_kept_and_opens_nothing(prometheus: Integration, now: datetime) -> None:
    uuid = silence(now)
    labels = {"alertname": "Other"}
    assert kinds(take(prometheus, [posted(now), posted(now, labels=labels)], now)) == ["suppressed", "opened"]
    assert Alert.objects.get(name="Down").suppressed_by == f"silence:{uuid}"
    entry = Entry.objects.get(kind=Kind.ALERT_SUPPRESSED)
    assert entry.data["rule"] == f"silence:{uuid}"


def test_what_still_fires_when_its_silence_ends_is_heard(prometheus: Integration, now: datetime) -> None:
    silence(now)
    take(prometheus, [posted(now, ends=now + 60 * MINUTE)], now)
    with transaction.atomic():
        assert actions.hear_unsilenced(now=now + 9 * MINUTE) == []
        (change,) = actions.hear_unsilenced(now=now + 10 * MINUTE)
        assert actions.hear_unsilenced(now=now + 10 * MINUTE) == []
    assert (change.kind, change.reason) == (ChangeKind.OPENED, "silence_ended")
    assert Alert.objects.get().suppressed_by == ""


def test_a_silence_that_ends_early_is_heard_at_once_unless_another_one_holds(
    prometheus: Integration, now: datetime
) -> None:
    first = silence(now)
    take(prometheus, [posted(now, ends=now + 60 * MINUTE)], now)
    second = silence(now, ends_at=now + 30 * MINUTE)
    actions.expire_silence(SYSTEM, first, now=now + MINUTE)
    with transaction.atomic():
        assert actions.hear_unsilenced(now=now + MINUTE) == []
    assert Alert.objects.get().suppressed_by == f"silence:{second}"


def test_an_announced_end_that_passes_ends_the_alert_and_silence_of_the_sender_is_told_apart(
    prometheus: Integration, now: datetime
) -> None:
    said = posted(now, ends=now + 4 * MINUTE, labels={"alertname": "Said"})
    take(prometheus, [said, posted(now, labels={"alertname": "Unsaid"})], now)
    with transaction.atomic():
        assert actions.end_overdue(now=now + 4 * MINUTE - timedelta(seconds=1)) == []
        first = actions.end_overdue(now=now + 4 * MINUTE)
        second = actions.end_overdue(now=now + 5 * MINUTE)
    assert [(change.alert.name, change.reason) for change in first + second] == [
        ("Said", "ended"),
        ("Unsaid", "silent"),
    ]
    assert Alert.objects.filter(state=AlertState.RESOLVED).count() == 2


def test_a_source_that_comes_back_opens_anew_even_with_the_old_start(prometheus: Integration, now: datetime) -> None:
    take(prometheus, [posted(now, starts=now)], now)
    with transaction.atomic():
        actions.end_overdue(now=now + 5 * MINUTE)
    back = now + 6 * MINUTE
    assert kinds(take(prometheus, [posted(back, starts=now)], back)) == ["opened"]


def test_a_thousand_repeats_cost_few_statements(prometheus: Integration, now: datetime) -> None:
    alerts = [posted(now, starts=now, labels={"alertname": "Down", "instance": f"i{n}"}) for n in range(1000)]
    take(prometheus, alerts, now)
    with CaptureQueriesContext(connection) as asked:
        assert take(prometheus, alerts, now + MINUTE) == []
    selects = [query for query in asked if query["sql"].startswith("SELECT")]
    assert len(selects) <= 4
    assert set(Alert.objects.values_list("occurrences", flat=True)) == {2}


class TestWhatIsRememberedBetweenBatches:
    """These run in real transactions, because what fires is remembered at the commit."""

    pytestmark = pytest.mark.django_db(transaction=True)

    def firing(self, sender: Integration, now: datetime, number: int = 3) -> list[PostedAlert]:
        alerts = [posted(now, starts=now, labels={"alertname": f"A{n}"}) for n in range(number)]
        take(sender, alerts, now)
        return alerts

    def test_mere_repeats_ask_nothing(self, prometheus: Integration, now: datetime) -> None:
        alerts = self.firing(prometheus, now)
        with CaptureQueriesContext(connection) as asked:
            assert take(prometheus, alerts, now) == []
        assert [query for query in asked if query["sql"].startswith("SELECT")] == []
        assert set(Alert.objects.values_list("occurrences", flat=True)) == {2}

    def test_an_end_between_repeats_keeps_its_place(self, prometheus: Integration, now: datetime) -> None:
        self.firing(prometheus, now)
        at, labels = now + MINUTE, {"alertname": "A1"}
        batch = [
            posted(at, starts=now, labels=labels),
            posted(at, starts=now, ends=at, labels=labels),
            posted(at, starts=at, labels=labels),
            posted(at, starts=at, labels=labels),
        ]
        assert kinds(take(prometheus, batch, at)) == ["resolved", "opened"]
        rows = Alert.objects.filter(name="A1").order_by("id").values_list("state", "occurrences")
        assert list(rows) == [("resolved", 2), ("firing", 2)]

    def test_what_ended_behind_its_back_is_found_out(self, prometheus: Integration, now: datetime) -> None:
        alerts = self.firing(prometheus, now)
        Alert.objects.filter(name="A1").update(state=AlertState.RESOLVED, resolved_at=now)
        later = now + 30 * MINUTE
        fresh = [posted(later, starts=later, labels=dict(alert.labels)) for alert in alerts]
        assert kinds(take(prometheus, fresh, later)) == ["opened"]
        rows = Alert.objects.order_by("id").values_list("name", "state", "occurrences")
        assert list(rows) == [("A0", "firing", 2), ("A1", "resolved", 1), ("A2", "firing", 2), ("A1", "firing", 1)]

    def test_what_was_rolled_back_is_not_remembered(self, prometheus: Integration, now: datetime) -> None:
        with transaction.atomic():
            actions.take_alertmanager(prometheus, [posted(now)], now=now)
            transaction.set_rollback(True)
        assert kinds(take(prometheus, [posted(now, labels={"alertname": "Other"})], now)) == ["opened"]
        assert kinds(take(prometheus, [posted(now)], now)) == ["opened"]


@pytest.mark.parametrize("text", ["2026-11-23T02:12:00+00:00", "2026-11-23T02:12:00.000100+00:00"])
def test_the_quick_way_to_store_an_instant_is_djangos(text: str) -> None:
    instant = datetime.fromisoformat(text).astimezone(UTC)
    if connection.vendor == "sqlite":
        assert repeats._stored(instant) == connection.ops.adapt_datetimefield_value(instant)
    else:
        assert connection.ops.adapt_datetimefield_value(instant) == instant


def test_hostile_text_is_stored_as_text(prometheus: Integration, now: datetime) -> None:
    labels = {"alertname": "<script>alert(1)</script>" + "x" * 400, "severity": "y" * 100, "team": "\u202eevil"}
    take(prometheus, [posted(now, labels=labels, annotations={"summary": "=1+1\x1b[31m"})], now)
    alert = Alert.objects.get()
    assert alert.name == labels["alertname"][:300]
    assert alert.labels == labels
    assert len(alert.signal_severity) == 63


def test_the_sender_is_noted_as_seen_but_not_at_every_message(prometheus: Integration, now: datetime) -> None:
    for seconds in (0, 5, 10):
        take(prometheus, [posted(now)], now + timedelta(seconds=seconds))
        prometheus.refresh_from_db()
    assert prometheus.last_seen_at == now + timedelta(seconds=10)


def test_a_message_that_could_not_be_read_is_an_alert_of_its_own(prometheus: Integration, now: datetime) -> None:
    with transaction.atomic():
        first = actions.tell_poisoned(prometheus, row=7, error="ValueError: odd", now=now)
        again = actions.tell_poisoned(prometheus, row=8, error="ValueError: odd", now=now)
    assert (kinds(first), kinds(again)) == (["opened"], [])
    alert = Alert.objects.get()
    assert "Message 7" in alert.summary
    assert alert.service == prometheus.service
