"""What the evaluation of SLOs says becomes alerts: one for each SLO and urgency, with the priority of its moment."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction

from tests.domains import slo_worlds, worlds
from tocsin.alerts import actions
from tocsin.alerts.changes import AlertChange, ChangeKind
from tocsin.alerts.models import Alert, AlertState
from tocsin.core.access import SYSTEM
from tocsin.slo.models import Objective
from tocsin.slo.specs import SignalKind, SloSignal

pytestmark = pytest.mark.django_db


@pytest.fixture
def slo(now: datetime) -> Objective:
    worlds.process(now=now)
    return slo_worlds.objective(now=now, display_name="Checkout works")


def signal(slo: Objective, kind: SignalKind, **more: Any) -> SloSignal:
    facts = {
        "urgency": "page",
        "priority": 2,
        "priority_state": "set",
        "priority_rule": "assignment",
        "summary": "Checkout fails for 3 in 100",
        "explanation": "burn rate 10 over an hour",
    }
    return SloSignal(objective=slo, kind=kind, **{**facts, **more})


def take(now: datetime, *signals: SloSignal) -> list[AlertChange]:
    with transaction.atomic():
        return actions.take_slo_signals(signals, now=now)


def told(changes: list[AlertChange]) -> list[tuple[str, str]]:
    return [(change.kind.value, change.reason) for change in changes]


def test_an_alert_carries_the_priority_and_the_words_of_its_signal(slo: Objective, now: datetime) -> None:
    (change,) = take(now, signal(slo, SignalKind.OPENED))
    alert = Alert.objects.get()
    assert (change.kind, change.alert, change.signal is not None) == (ChangeKind.OPENED, alert, True)
    assert (alert.objective, alert.service, alert.urgency) == (slo, slo.service, "page")
    assert (alert.name, alert.summary) == ("Checkout works", "Checkout fails for 3 in 100")
    assert (alert.priority, alert.priority_state, alert.ends_at) == (2, "set", None)
    assert alert.labels["slo"] == slo.name
    assert alert.labels["service"] == "checkout"


def test_each_urgency_of_an_slo_has_an_alert_of_its_own(slo: Objective, now: datetime) -> None:
    opened = take(now, signal(slo, SignalKind.OPENED), signal(slo, SignalKind.OPENED, urgency="ticket"))
    assert [change.kind for change in opened] == [ChangeKind.OPENED, ChangeKind.OPENED]
    take(now, signal(slo, SignalKind.CLOSED))
    assert Alert.objects.get(state=AlertState.FIRING).urgency == "ticket"


def test_telling_again_repeats_the_same_alert(slo: Objective, now: datetime) -> None:
    take(now, signal(slo, SignalKind.OPENED))
    assert told(take(now, signal(slo, SignalKind.RENOTIFIED, priority=1))) == [("repeated", "renotified")]
    alert = Alert.objects.get()
    assert (alert.occurrences, alert.priority) == (2, 1)


def test_growth_is_noted_on_the_alert_that_fires_and_never_starts_one(slo: Objective, now: datetime) -> None:
    assert take(now, signal(slo, SignalKind.GROWN)) == []
    take(now, signal(slo, SignalKind.OPENED))
    assert told(take(now, signal(slo, SignalKind.GROWN))) == [("noted", "grown")]
    assert Alert.objects.get().occurrences == 1


def test_growth_of_what_is_kept_quiet_is_said_to_nobody(slo: Objective, now: datetime) -> None:
    nothing = {"priority": None, "priority_state": "none"}
    take(now, signal(slo, SignalKind.OPENED, **nothing))
    assert take(now, signal(slo, SignalKind.GROWN)) == []
    other = slo_worlds.objective("log-on", now=now)
    take(now, signal(other, SignalKind.OPENED))
    matchers = [{"name": "slo", "value": other.name, "isRegex": False}]
    actions.add_silence(SYSTEM, matchers=matchers, starts_at=now, ends_at=now + timedelta(hours=1), now=now)
    assert take(now, signal(other, SignalKind.GROWN)) == []


def test_calm_ends_the_alert_and_a_recurrence_is_a_new_one(slo: Objective, now: datetime) -> None:
    take(now, signal(slo, SignalKind.OPENED))
    assert told(take(now, signal(slo, SignalKind.CLOSED)))[0][0] == "resolved"
    later = now + timedelta(minutes=20)
    assert told(take(later, signal(slo, SignalKind.REOPENED))) == [("opened", "reopened")]
    assert list(Alert.objects.order_by("id").values_list("state", flat=True)) == ["resolved", "firing"]


def test_what_neither_starts_nor_ends_is_noted_on_the_alert_that_fires(slo: Objective, now: datetime) -> None:
    quiet = [signal(slo, kind) for kind in (SignalKind.BREACHED, SignalKind.NO_DATA, SignalKind.CLOSED)]
    assert take(now, *quiet) == []
    take(now, signal(slo, SignalKind.OPENED))
    noted = take(now, *quiet[:2], signal(slo, SignalKind.DATA_BACK))
    assert told(noted) == [("noted", "breached"), ("noted", "no_data"), ("noted", "data_back")]


def test_a_breach_without_meaning_is_recorded_and_opens_nothing(slo: Objective, now: datetime) -> None:
    nothing = {"priority": None, "priority_state": "none"}
    assert told(take(now, signal(slo, SignalKind.OPENED, **nothing))) == [("suppressed", "opened")]
    assert Alert.objects.get().suppressed_by == "priority none"
    assert told(take(now, signal(slo, SignalKind.RENOTIFIED, **nothing))) == [("noted", "renotified")]


def test_a_breach_that_gets_a_meaning_opens_when_it_is_told_again(slo: Objective, now: datetime) -> None:
    take(now, signal(slo, SignalKind.OPENED, priority=None, priority_state="none"))
    assert told(take(now, signal(slo, SignalKind.RENOTIFIED))) == [("opened", "renotified")]
    alert = Alert.objects.get()
    assert (alert.suppressed_by, alert.priority) == ("", 2)


def test_a_silence_on_the_slo_keeps_its_alert_quiet(slo: Objective, now: datetime) -> None:
    matchers = [{"name": "slo", "value": slo.name, "isRegex": False}]
    actions.add_silence(SYSTEM, matchers=matchers, starts_at=now, ends_at=now + timedelta(hours=1), now=now)
    assert told(take(now, signal(slo, SignalKind.OPENED))) == [("suppressed", "opened")]
    assert Alert.objects.get().suppressed_by.startswith("silence:")


def test_an_undecided_priority_opens(slo: Objective, now: datetime) -> None:
    undecided = signal(slo, SignalKind.OPENED, priority=None, priority_state="unset")
    assert told(take(now, undecided)) == [("opened", "opened")]


def test_an_slo_alert_has_no_end_of_its_own_that_could_pass(slo: Objective, now: datetime) -> None:
    take(now, signal(slo, SignalKind.OPENED))
    with transaction.atomic():
        assert actions.end_overdue(now=now + timedelta(days=30)) == []
