"""An engine at rest asks little: one small statement a turn, put together once, whatever is in the tables."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.db.models import F, QuerySet
from django.test.utils import CaptureQueriesContext

from tests.domains import slo_worlds, worlds
from tests.domains.slo_worlds import MINUTE, NOON
from tocsin.engine import close_periods, deliver, forget_counts, silent_sources, turns
from tocsin.platform.models import Journal, JournalState, Setting
from tocsin.platform.questions import Question
from tocsin.slo import actions as slo
from tocsin.slo import buckets
from tocsin.slo.models import Bucket, DayOfMinutes

FEW = 20
"""One statement for each kind of work, and none for what is looked at every few minutes."""

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _rounds_of_this_test(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forget_counts, "_round", forget_counts._Round())
    monkeypatch.setattr(close_periods, "_round", close_periods._Round())
    monkeypatch.setattr(silent_sources, "_watch", silent_sources._Watch())


def _received(at: datetime) -> None:
    Journal.objects.create(kind="sli", source="", body=b"[]", sha256="", received_at=at, state=JournalState.NEW)


def _younger_than(span: timedelta) -> Question:
    def rows(now: datetime) -> QuerySet[Journal]:
        return Journal.objects.filter(state=JournalState.NEW, received_at__gt=now - span)

    return Question(rows)


def test_a_question_is_answered_for_the_instant_it_is_asked_at() -> None:
    question = _younger_than(10 * MINUTE)
    assert not question(now=NOON)
    _received(NOON)
    assert [question(now=NOON + minute * MINUTE) for minute in (0, 9, 10, 11)] == [True, True, False, False]


def test_any_of_several_kinds_of_rows_is_enough() -> None:
    question = Question(lambda _: Journal.objects.all(), lambda _: Setting.objects.filter(name="x"))
    assert not question(now=NOON)
    Setting.objects.create(name="x", value={})
    assert question(now=NOON)


def test_a_question_that_moves_otherwise_than_now_is_refused_instead_of_answered_wrongly() -> None:
    def at_midnight(now: datetime) -> QuerySet[Journal]:
        return Journal.objects.filter(received_at__gt=now.replace(hour=0, minute=0, second=0, microsecond=0))

    with pytest.raises(ValueError, match="fixed distance"):
        Question(at_midnight)(now=NOON)


def test_a_question_leaves_conditions_between_columns_alone() -> None:
    _received(NOON)
    assert Question(lambda _: Journal.objects.filter(received_at=F("received_at")))(now=NOON)


def test_a_cycle_in_which_nothing_is_due_asks_one_small_thing_a_turn() -> None:
    worlds.process(now=NOON)
    main, _ = turns.loops(deliver=lambda *, now: deliver.turn({}, now=now))
    for turn in main.turns:
        turn.act(now=NOON)
    with CaptureQueriesContext(connection) as asked:
        assert [turn.name for turn in main.turns if turn.act(now=NOON + timedelta(seconds=1))] == []
    assert len(asked) <= FEW, [query["sql"] for query in asked]
    assert all(query["sql"].startswith("SELECT EXISTS") for query in asked), [query["sql"] for query in asked]


@pytest.mark.parametrize("many", [2, 12])
def test_outdated_counts_of_many_slos_go_in_as_many_statements_as_those_of_one(many: int) -> None:
    for number in range(many):
        row = slo_worlds.objective(f"slo-{number}", now=NOON)
        slo_worlds.push(row, NOON, good=99, bad=1)
    with CaptureQueriesContext(connection) as asked:
        slo.forget_counts(0, now=NOON + timedelta(days=10))
    assert len(asked) <= FEW, [query["sql"] for query in asked]
    assert list(Bucket.objects.values_list("width", flat=True).distinct()) == [buckets.HOUR]
    assert DayOfMinutes.objects.count() == many
