"""The engine's loops: each turn is taken, one that fails takes nothing with it, a stuck loop is noticed."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from tests.domains import slo_worlds, worlds
from tocsin.engine import turns
from tocsin.engine.run import SAY_AGAIN_EVERY, Engine, Loop, Turn
from tocsin.engine.watchdog import Watchdog
from tocsin.incidents.models import Incident
from tocsin.platform import clock as clocks
from tocsin.platform import doorbell
from tocsin.slo.models import ObjectiveState


@pytest.fixture(autouse=True)
def kept_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """A failing turn drops its connection; the test's own one has to stay."""
    monkeypatch.setattr("tocsin.engine.run._drop_connection", lambda: None)


class Act:
    """A turn's work that does what it was told."""

    def __init__(self, *results: int | Exception) -> None:
        self.results = list(results)
        self.times: list[datetime] = []

    def __call__(self, *, now: datetime) -> int:
        self.times.append(now)
        result = self.results.pop(0) if self.results else 0
        if isinstance(result, Exception):
            raise result
        return result


def test_a_cycle_takes_each_turn_once_with_the_present_moment(clock: clocks.WoundClock) -> None:
    first, second = Act(2), Act(3)
    loop = Loop("main", [Turn("first", first), Turn("second", second)])
    assert loop.cycle() == 5
    assert first.times == second.times == [clock.now()]


def test_a_turn_that_fails_takes_nothing_with_it_and_is_tried_again(clock: clocks.WoundClock) -> None:
    failing, other = Turn("failing", Act(ValueError("odd"), 1)), Turn("other", Act(1, 1))
    loop = Loop("main", [failing, other])
    assert loop.cycle() == 1
    assert (failing.failures, failing.failing, failing.last_error) == (1, 1, "ValueError: odd")
    assert loop.cycle() == 2
    assert (failing.failures, failing.failing) == (1, 0)


def test_a_cycle_in_which_something_failed_is_not_complete_but_still_a_beat(
    clock: clocks.WoundClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    spans = iter(range(10**9, 10**9 + 100))
    monkeypatch.setattr(clocks, "monotonic", lambda: float(next(spans)))
    loop = Loop("main", [Turn("sometimes", Act(ValueError("odd"), 0))])
    begun = loop.completed_at
    loop.cycle()
    assert (loop.completed_at, loop.beats) == (begun, 1)
    loop.cycle()
    assert loop.completed_at > begun
    assert loop.beats == 2


def test_the_same_failure_is_logged_once_and_not_at_every_turn(
    clock: clocks.WoundClock, caplog: pytest.LogCaptureFixture
) -> None:
    turn = Turn("failing", Act(*[ValueError("odd")] * SAY_AGAIN_EVERY, KeyError("new")))
    for _ in range(SAY_AGAIN_EVERY):
        turn.take()
    assert len(caplog.records) == 1
    turn.take()
    assert len(caplog.records) == 2


def test_a_loop_rests_until_the_bell_rings_and_ends_when_it_is_asked(clock: clocks.WoundClock) -> None:
    rung = threading.Event()

    def work(*, now: datetime) -> int:
        if looks:
            rung.set()
        looks.append(now)
        return 0

    looks: list[datetime] = []
    loop = Loop("main", [Turn("work", work)], rest=60.0)
    engine = Engine([loop])
    engine.start()
    while not looks:
        clocks.pause(0.001)
    doorbell.ring()
    rung.wait()
    assert engine.stop()
    assert loop.thread is not None
    assert not loop.thread.is_alive()


def test_an_engine_that_does_not_end_in_time_says_so(clock: clocks.WoundClock) -> None:
    release = threading.Event()

    def stuck(*, now: datetime) -> int:
        release.wait()
        return 0

    engine = Engine([Loop("main", [Turn("stuck", stuck)])])
    engine.start()
    assert not engine.stop(seconds=0.02)
    release.set()
    assert engine.stop()


def test_the_report_is_healthy_while_each_loop_completes_its_cycles(clock: clocks.WoundClock) -> None:
    loop = Loop("main", [Turn("fold", Act(3))])
    engine = Engine([loop], overdue=lambda *, now: {"journal_waiting": 0})
    loop.cycle()
    healthy, report = engine.report(now=clock.now())
    assert healthy
    assert report["turns"]["fold"] == {"handled": 3, "failures": 0, "failing": False}
    assert report["journal_waiting"] == 0
    loop.completed_at -= 31.0
    healthy, report = engine.report(now=clock.now())
    assert not healthy
    assert report["last_cycle_age_seconds"] >= 31.0


def test_the_watchdog_names_a_loop_that_stands_still_and_forgives_one_that_moves() -> None:
    beats = {"main": 0, "deliver": 0}
    watchdog = Watchdog(lambda: beats, looks=3)
    for _ in range(3):
        beats["deliver"] += 1
        assert watchdog.look() is None
    beats["main"] += 1
    assert watchdog.look() is None
    beats["deliver"] += 1
    told = []
    for _ in range(3):
        beats["deliver"] += 1
        told.append(watchdog.look())
    assert told == [None, None, "main"]


@pytest.mark.django_db
class TestTurns:
    def test_an_slo_is_judged_when_its_time_has_come(self, clock: clocks.WoundClock) -> None:
        worlds.process(now=clock.now())
        slo = slo_worlds.objective(now=clock.now())
        slo_worlds.push(slo, clock.now(), good=99, bad=1)
        assert turns.evaluate(now=clock.now() + timedelta(minutes=10)) == 1
        assert ObjectiveState.objects.get(pk=slo.pk).evaluated_at == clock.now() + timedelta(minutes=10)
        assert turns.evaluate(now=clock.now() + timedelta(minutes=10)) == 0

    def test_time_alone_ends_an_alert_and_its_incident(self, clock: clocks.WoundClock) -> None:
        from django.db import transaction

        from tests.domains.test_alerts_taking import posted, take
        from tocsin.incidents import actions as incidents

        worlds.process(now=clock.now())
        changes = take(None, [posted(clock.now(), ends=clock.now() + timedelta(minutes=4))], clock.now())
        with transaction.atomic():
            incidents.take_alert_changes(changes, now=clock.now())
        assert turns.let_time_pass(now=clock.now()) == 0
        assert turns.let_time_pass(now=clock.now() + timedelta(minutes=4)) == 1
        assert Incident.objects.get().state == "resolved"

    @pytest.mark.parametrize(
        "name", ["evaluate", "alerts", "escalate", "promises", "status_mails", "postmortems", "fold"]
    )
    def test_an_idle_turn_asks_for_no_right_to_write(self, clock: clocks.WoundClock, name: str) -> None:
        worlds.process(now=clock.now())
        (turn,) = [turn for loop in turns.loops(deliver=_idle) for turn in loop.turns if turn.name == name]
        begun: list[str] = []

        def watch(execute: Any, sql: str, *rest: Any) -> Any:
            begun.append(sql.split(maxsplit=1)[0])
            return execute(sql, *rest)

        with connection.execute_wrapper(watch):
            assert turn.act(now=clock.now()) == 0
        assert {verb for verb in begun if verb not in {"SELECT", "PRAGMA"}} == set()

    def test_what_is_late_is_told_in_seconds(self, clock: clocks.WoundClock) -> None:
        worlds.process(now=clock.now())
        assert turns.overdue(now=clock.now()) == {
            "oldest_due_seconds": 0.0,
            "oldest_unsent_seconds": 0.0,
            "journal_waiting": 0,
            "journal_oldest_seconds": 0.0,
        }


def _idle(*, now: datetime) -> int:
    return 0
