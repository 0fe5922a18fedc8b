"""The fold: what was accepted becomes alerts, counts and incidents, once, in order, and no row stops the others."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError

from tests.domains import slo_worlds, worlds
from tocsin.alerts import actions as alerts
from tocsin.alerts.changes import AlertChange
from tocsin.alerts.models import Alert, Integration
from tocsin.core.access import SYSTEM
from tocsin.engine import fold, fold_pieces
from tocsin.engine.fold_pieces import Piece
from tocsin.incidents.models import Incident
from tocsin.intake import journal
from tocsin.platform import clock as clocks
from tocsin.platform.models import Journal, JournalState, OutboxMessage
from tocsin.slo import actions as slo_actions
from tocsin.slo.models import Bucket

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow machine must not cut a turn short; what was learnt of the pace by other tests is forgotten."""
    monkeypatch.setattr(fold, "_pace", fold.Pace())
    monkeypatch.setattr(fold, "TURN_SECONDS", 3600.0)


@pytest.fixture
def prometheus(clock: clocks.WoundClock) -> Integration:
    worlds.process(now=clock.now())
    row, _ = alerts.add_integration(SYSTEM, kind="alertmanager", now=clock.now())
    return row


@pytest.fixture
def pusher(clock: clocks.WoundClock) -> Integration:
    worlds.process(now=clock.now())
    row, _ = alerts.add_integration(SYSTEM, kind="sli", now=clock.now())
    return row


def accept(integration: Integration, kind: str, *documents: Any) -> None:
    source = f"integration:{integration.pk}"
    journal.append_now([(kind, source, json.dumps(document).encode()) for document in documents])


def alert(name: str = "Down", **more: Any) -> dict[str, Any]:
    return {"labels": {"alertname": name}, **more}


def states() -> list[str]:
    return list(Journal.objects.order_by("id").values_list("state", flat=True))


def test_an_accepted_alert_becomes_one_incident(prometheus: Integration, now: datetime) -> None:
    accept(prometheus, "alertmanager", [alert()])
    assert fold.turn(now=now) == 1
    incident = Incident.objects.get()
    assert incident.title == "Down"
    assert incident.labels == {"alertname": "Down"}
    assert states() == [JournalState.FOLDED]
    assert fold.turn(now=now) == 0


def test_the_same_body_accepted_many_times_is_one_incident(prometheus: Integration, now: datetime) -> None:
    accept(prometheus, "alertmanager", *[[alert()]] * 8)
    assert fold.turn(now=now) == 8
    assert (Incident.objects.count(), Alert.objects.get().occurrences) == (1, 8)


def test_rows_are_folded_in_the_order_of_their_arrival(prometheus: Integration, now: datetime) -> None:
    end = (now + timedelta(seconds=-1)).isoformat()
    accept(prometheus, "alertmanager", [alert()], [alert(endsAt=end)])
    fold.turn(now=now)
    assert Incident.objects.get().state == "resolved"
    assert Alert.objects.get().state == "resolved"


def test_what_fires_is_judged_by_when_it_arrived_and_not_by_when_it_is_folded(
    prometheus: Integration, clock: clocks.WoundClock
) -> None:
    accept(prometheus, "alertmanager", [alert(endsAt=(clock.now() + MINUTE).isoformat())])
    clock.wind(5 * MINUTE)
    fold.turn(now=clock.now())
    assert Alert.objects.get().state == "firing"


def test_valid_alerts_of_a_partly_wrong_body_are_taken(prometheus: Integration, now: datetime) -> None:
    accept(prometheus, "alertmanager", [alert(), {"labels": {}}, {"odd": 1}, alert("Slow")])
    fold.turn(now=now)
    assert sorted(Incident.objects.values_list("title", flat=True)) == ["Down", "Slow"]


def test_a_person_may_send_and_what_fits_no_service_goes_to_the_catch_all(now: datetime) -> None:
    worlds.process(now=now)
    journal.append_now([("alertmanager", "person:ada", json.dumps([alert()]).encode())])
    fold.turn(now=now)
    incident = Incident.objects.get()
    assert incident.service is not None
    assert incident.service.is_catch_all


def test_what_a_sender_accepted_before_its_revocation_still_counts(prometheus: Integration, now: datetime) -> None:
    accept(prometheus, "alertmanager", [alert()])
    alerts.revoke_integration(SYSTEM, prometheus.pk, now=now)
    fold.turn(now=now)
    assert Incident.objects.count() == 1


def test_pushed_counts_are_added_and_judged_at_once_and_a_page_leaves(
    pusher: Integration, clock: clocks.WoundClock
) -> None:
    slo = slo_worlds.objective(now=clock.now())
    slo_actions.assign_priority(SYSTEM, objective=slo, decision="set", priority=2, now=clock.now())
    worlds.administrator("ada")
    for _ in range(20):
        accept(pusher, "sli", {"slo": slo.name, "good": 400, "bad": 600})
        fold.turn(now=clock.now())
        if Incident.objects.exists():
            break
        clock.wind(MINUTE)
    incident = Incident.objects.get()
    assert (incident.objective, incident.priority, incident.origin) == (slo, 2, "slo")
    assert OutboxMessage.objects.filter(incident=incident.ref).exists()


def test_a_row_without_a_time_counts_for_when_it_arrived(pusher: Integration, clock: clocks.WoundClock) -> None:
    slo = slo_worlds.objective(now=clock.now())
    arrived = clock.now()
    accept(pusher, "sli", [{"slo": slo.name, "good": 5, "bad": 1}])
    clock.wind(7 * MINUTE)
    fold.turn(now=clock.now())
    minute = Bucket.objects.get(width=60)
    assert (minute.start, minute.good, minute.bad) == (int(arrived.timestamp()) // 60 * 60, 5, 1)


def test_counts_for_an_slo_that_is_gone_or_of_another_service_are_left_out(
    prometheus: Integration, now: datetime
) -> None:
    slo = slo_worlds.objective(now=now)
    worlds.service("search")
    bound, _ = alerts.add_integration(SYSTEM, kind="sli", service="search", now=now)
    accept(bound, "sli", [{"slo": slo.name, "good": 5, "bad": 1}, {"slo": "gone", "good": 1, "bad": 1}])
    assert fold.turn(now=now) == 1
    assert not Bucket.objects.exists()
    assert states() == [JournalState.FOLDED]


def make_allergic(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on an alert called Poison cannot be taken in."""
    really = alerts.take_alertmanager

    def allergic(integration: Integration | None, posted: Sequence[Any], *, now: datetime) -> list[AlertChange]:
        if any(one.labels["alertname"] == "Poison" for one in posted):
            raise ValueError("cannot digest this")
        return really(integration, posted, now=now)

    monkeypatch.setattr(alerts, "take_alertmanager", allergic)


def test_a_poison_row_is_put_aside_and_the_others_are_folded(
    prometheus: Integration, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_allergic(monkeypatch)
    accept(prometheus, "alertmanager", *([alert(name)] for name in ("A", "B", "Poison", "C", "D")))
    fold.turn(now=now)
    assert states() == ["folded", "folded", "poisoned", "folded", "folded"]
    assert "cannot digest this" in Journal.objects.get(state=JournalState.POISONED).error
    titles = sorted(Incident.objects.values_list("title", flat=True))
    assert titles[:4] == ["A", "B", "C", "D"]
    assert "could not be taken in" in titles[4]


def test_one_poisonous_alert_does_not_take_the_others_of_its_body_with_it(
    prometheus: Integration, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_allergic(monkeypatch)
    names = ["A", "B", "C", "Poison", "D", "E", "Poison", "F"]
    accept(prometheus, "alertmanager", [alert(name) for name in names], [alert("G")])
    fold.turn(now=now)
    assert states() == ["poisoned", "folded"]
    error = Journal.objects.get(state=JournalState.POISONED).error
    assert error.count("cannot digest this") == 2
    assert "part 3:" in error
    assert "part 6:" in error
    titles = sorted(Incident.objects.values_list("title", flat=True))
    assert titles[:7] == list("ABCDEFG")
    assert len(titles) == 8


def test_a_large_body_is_folded_piece_by_piece_and_a_fault_between_repeats_nothing(
    prometheus: Integration, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fold, "_pace", fold.Pace(size=4, smallest=4, largest=4))
    accept(prometheus, "alertmanager", [alert(f"A{n}") for n in range(10)])
    really, calls = fold_pieces.take, []

    def dies(pieces: Sequence[Any], *, now: datetime) -> None:
        calls.append(len(pieces))
        if len(calls) == 2:
            raise OperationalError("the connection is gone")
        really(pieces, now=now)

    with monkeypatch.context() as patch:
        patch.setattr(fold_pieces, "take", dies)
        with pytest.raises(OperationalError):
            fold.turn(now=now)
    row = Journal.objects.get()
    assert (row.state, row.taken) == ("new", 4)
    fold.turn(now=now)
    row.refresh_from_db()
    assert (row.state, row.taken) == ("folded", 10)
    assert set(Alert.objects.values_list("occurrences", flat=True)) == {1}
    assert Incident.objects.count() == 10


def test_a_turn_that_has_lasted_long_enough_leaves_the_rest_to_the_next_one(
    prometheus: Integration, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fold, "TURN_SECONDS", -1.0)
    monkeypatch.setattr(fold, "_pace", fold.Pace(size=2, smallest=2, largest=2))
    accept(prometheus, "alertmanager", [alert(f"A{n}") for n in range(5)], [alert("B")])
    assert [fold.turn(now=now) for _ in range(5)] == [1, 1, 2, 0, 0]
    assert Incident.objects.count() == 6


def test_the_pace_aims_at_a_tenth_of_a_second() -> None:
    pace = fold.Pace(size=32)
    pace.learn(32, 0.001)
    assert pace.size == 128
    pace.learn(128, 1.28)
    assert pace.size == 10
    pace.learn(10, 10.0)
    assert pace.size == pace.smallest
    for _ in range(10):
        pace.learn(pace.size, 0.0)
    assert pace.size == pace.largest


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([3, 3], [[3], [3]]),
        ([2, 2, 2], [[2, 2], [2]]),
        ([10], [[4], [4], [2]]),
        ([3, 6], [[3], [4], [2]]),
        ([0, 0], [[0, 0]]),
    ],
)
def test_chunks_keep_the_order_and_cut_what_is_too_large(sizes: list[int], expected: list[list[int]]) -> None:
    pieces = [Piece(Journal(pk=n), None, alerts=["x"] * size) for n, size in enumerate(sizes)]  # type: ignore[list-item]
    cut = list(fold_pieces.chunks(pieces, size=4))
    assert [[piece.size for piece in chunk] for chunk in cut] == expected
    flat = [piece for chunk in cut for piece in chunk]
    assert sum(piece.last for piece in flat) == len(sizes)
    assert [piece.row.pk for piece in flat] == sorted(piece.row.pk for piece in flat)


def test_a_row_of_an_unknown_kind_is_put_aside(prometheus: Integration, now: datetime) -> None:
    accept(prometheus, "smoke-signals", [alert()])
    accept(prometheus, "alertmanager", [alert()])
    fold.turn(now=now)
    assert states() == ["poisoned", "folded"]


def test_trouble_of_the_database_poisons_nothing_and_is_tried_again(
    prometheus: Integration, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> list[AlertChange]:
        raise OperationalError("the connection is gone")

    accept(prometheus, "alertmanager", [alert()])
    with monkeypatch.context() as patch:
        patch.setattr(alerts, "take_alertmanager", broken)
        with pytest.raises(OperationalError):
            fold.turn(now=now)
    assert states() == ["new"]
    assert fold.turn(now=now) == 1
    assert Incident.objects.count() == 1


def test_a_failure_after_the_alerts_were_written_leaves_no_alert_without_incident(
    prometheus: Integration, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tocsin.incidents import actions as incidents

    def broken(*_: object, **__: object) -> None:
        raise OperationalError("the connection is gone")

    accept(prometheus, "alertmanager", [alert()])
    monkeypatch.setattr(incidents, "take_alert_changes", broken)
    with pytest.raises(OperationalError):
        fold.turn(now=now)
    assert (Alert.objects.count(), states()) == (0, ["new"])


def test_rows_that_another_node_has_folded_meanwhile_are_left_alone(
    prometheus: Integration, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    accept(prometheus, "alertmanager", [alert()])
    stale = list(Journal.objects.all())
    fold.turn(now=now)
    monkeypatch.setattr(fold, "_next_rows", lambda: stale)
    assert fold.turn(now=now) == 0
    assert Alert.objects.get().occurrences == 1


def test_a_batch_is_bounded_by_what_is_in_it(
    prometheus: Integration, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fold, "MOST_BYTES", 100)
    accept(prometheus, "alertmanager", *[[alert("x" * 60)]] * 5)
    assert [fold.turn(now=now) for _ in range(4)] == [2, 2, 1, 0]


def test_the_lag_says_how_much_waits_and_since_when(prometheus: Integration, clock: clocks.WoundClock) -> None:
    assert fold.lag(now=clock.now()) == (0, 0.0)
    accept(prometheus, "alertmanager", [alert()], [alert()])
    clock.wind(timedelta(seconds=3))
    assert fold.lag(now=clock.now()) == (2, 3.0)
    fold.turn(now=clock.now())
    assert fold.lag(now=clock.now()) == (0, 0.0)
