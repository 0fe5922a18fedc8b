"""The replay on real rows: it finds the breaches that were recorded, survives packing, and writes nothing."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.domains import slo_worlds, worlds
from tests.domains.slo_worlds import MINUTE
from tocsin.audit.models import Entry
from tocsin.core.access import SYSTEM
from tocsin.core.errors import Invalid
from tocsin.core.what_if import breach_priorities
from tocsin.insights.what_if import Change, Choice, Replayer, what_if
from tocsin.slo import actions, buckets, minutes, queries
from tocsin.slo.models import Breach, Bucket, DayOfMinutes, Objective
from tocsin.slo.queries.recorded import recorded_past
from tocsin.slo.snapshots import rule_of
from tocsin.slo.specs import SignalKind

pytestmark = pytest.mark.django_db

START = datetime.fromisoformat("2026-11-23T00:00:00+00:00")
# A quiet hour, a hard outage, a blip, an hour and more that smoulders, and an end in calm.
STORY = [0] * 70 + [900] * 12 + [0] * 50 + [30] * 4 + [0] * 40 + [60] * 90 + [0] * 30
END = START + len(STORY) * MINUTE
TOLD = (SignalKind.OPENED, SignalKind.RENOTIFIED, SignalKind.GROWN)


def lived(rule: str, *, every: int, **fields: Any) -> tuple[Objective, list[int]]:
    """An SLO that lived through the story, judged each minute as counts come in; the minutes at which people were told."""
    worlds.process()
    slo = slo_worlds.objective(rule={"name": rule}, evaluate_every=timedelta(minutes=every), **fields)
    signals = slo_worlds.run(slo, START, STORY, every=1)
    return slo, sorted({minute for minute, signal in signals if signal.kind in TOLD})


@pytest.mark.parametrize(("rule", "every"), [("tocsin", 1), ("tocsin", 5), ("workbook", 5), ("depletion", 1)])
def test_replaying_with_nothing_changed_finds_the_very_breaches_that_were_recorded(rule: str, every: int) -> None:
    slo, told = lived(rule, every=every)
    replayer = Replayer(SYSTEM, slo, days=1, now=END)
    found = replayer.findings(slo.target, rule_of(slo))
    recorded = list(Breach.objects.filter(objective=slo).order_by("at").values_list("at", "episode"))
    assert recorded, "the story must breach"
    assert [found.past.end_of(int(step)) for step in found.breaches] == [at for at, _ in recorded]
    first = recorded[0][1]
    assert found.episodes.tolist() == [episode - first for _, episode in recorded]
    assert [found.past.end_of(int(step)) for step in found.told] == [START + minute * MINUTE for minute in told]


def test_replayed_priorities_are_those_on_the_recorded_breaches() -> None:
    worlds.process()
    slo = slo_worlds.objective(rule={"name": "tocsin"}, evaluate_every=MINUTE)
    actions.assign_priority(
        SYSTEM,
        objective=slo,
        decision="set",
        priority=4,
        raise_rule={"more_than": 1, "within_seconds": 7200, "to": 2},
        now=START - MINUTE,
    )
    slo_worlds.run(slo, START, STORY, every=1)
    replayer = Replayer(SYSTEM, slo, days=1, now=END)
    found = replayer.findings(slo.target, rule_of(slo))
    meaning = replayer._meaning(replayer.choice_today(), slo.target, found.past)
    replayed = [one.rank for one in breach_priorities(found, meaning)]
    assert replayed == list(Breach.objects.order_by("at").values_list("priority", flat=True))
    assert set(replayed) == {4, 2}


def test_the_budget_tables_are_replayed_as_they_spoke() -> None:
    slo, _ = lived("tocsin", every=1, fallback="remaining")
    replayer = Replayer(SYSTEM, slo, days=1, now=END)
    found = replayer.findings(slo.target, rule_of(slo))
    meaning = replayer._meaning(replayer.choice_today(), slo.target, found.past)
    replayed = [one.rank for one in breach_priorities(found, meaning)]
    assert replayed == list(Breach.objects.order_by("at").values_list("priority", flat=True))
    assert any(replayed)


def test_packed_minutes_replay_as_they_did_before() -> None:
    slo, _ = lived("tocsin", every=1)
    later = END + timedelta(days=10)
    before = Replayer(SYSTEM, slo, days=30, now=later).findings(slo.target, rule_of(slo))
    assert actions.forget_counts(0, now=later) == slo.pk
    assert not Bucket.objects.filter(width=60).exists()
    assert DayOfMinutes.objects.count() == 1
    after = Replayer(SYSTEM, slo, days=30, now=later).findings(slo.target, rule_of(slo))
    assert np.array_equal(before.breaches, after.breaches)
    assert np.array_equal(before.told, after.told)
    assert not after.past.coarse.any()


def test_counts_that_come_late_are_added_to_the_day_they_belong_to() -> None:
    slo = slo_worlds.objective()
    for _ in range(2):
        slo_worlds.push(slo, START, good=7, bad=2, now=END)
        actions.forget_counts(0, now=END + timedelta(days=10))
    row = DayOfMinutes.objects.get()
    assert minutes.unpack(bytes(row.counts))[:, 0].tolist() == [18, 4]


def test_packed_days_go_when_no_replay_reaches_them() -> None:
    slo = slo_worlds.objective()
    slo_worlds.push(slo, START, good=7, bad=2, now=END)
    actions.forget_counts(0, now=END + timedelta(days=10))
    actions.forget_counts(0, now=END + buckets.PACKED_KEPT + timedelta(days=2))
    assert not DayOfMinutes.objects.exists()


@settings(deadline=None, max_examples=25)
@given(
    valid=st.lists(st.integers(0, 2**40), min_size=1, max_size=60),
    place=st.integers(0, 1380),
)
def test_a_day_is_read_back_as_it_was_packed(valid: list[int], place: int) -> None:
    counts = np.zeros((2, minutes.MINUTES), dtype=np.int64)
    counts[0, place : place + len(valid)] = valid
    counts[1, place : place + len(valid)] = [events // 3 for events in valid]
    assert np.array_equal(minutes.unpack(minutes.pack(counts)), counts)


def test_an_hour_of_which_only_the_sum_is_left_is_spread_and_said_to_be_coarse() -> None:
    slo = slo_worlds.objective()
    hour = buckets.epoch_seconds(START)
    with transaction.atomic():
        buckets.add({(slo.pk, buckets.HOUR, hour): (5990, 10)})
    past = recorded_past(slo, since=START, until=START + timedelta(hours=2), lead=timedelta(0))
    assert (int(past.valid.sum()), int(past.bad.sum())) == (6000, 10)
    assert past.valid[:60].max() <= 101
    assert past.known[:60].all()
    assert past.coarse[:60].all()
    assert not past.known[60:].any()
    answer = what_if(SYSTEM, slo_with_process(slo), Change(), days=1, now=START + timedelta(hours=2))
    assert "unknown, not good" in str(answer.coverage)


def slo_with_process(slo: Objective) -> Objective:
    worlds.process()
    return slo


@pytest.mark.parametrize(
    "slices",
    [{"budgeting": "Timeslices", "slice_target": Decimal("0.98")}, {"budgeting": "RatioTimeslices"}],
    ids=["slices", "shares"],
)
def test_time_slices_are_replayed_slice_by_slice(slices: dict[str, Any]) -> None:
    worlds.process()
    slo = slo_worlds.objective(slice_window=MINUTE, evaluate_every=MINUTE, **slices)
    slo_worlds.run(slo, START, STORY, every=1)
    replayer = Replayer(SYSTEM, slo, days=1, now=END)
    found = replayer.findings(slo.target, rule_of(slo))
    assert [found.past.end_of(int(step)) for step in found.breaches] == list(
        Breach.objects.order_by("at").values_list("at", flat=True)
    )


def test_a_looser_target_pages_less_and_nothing_is_written() -> None:
    slo, _ = lived("tocsin", every=1)
    actions.assign_priority(SYSTEM, objective=slo, decision="set", priority=1, groups=[], now=START)
    entries, breaches = Entry.objects.count(), Breach.objects.count()
    answer = what_if(SYSTEM, slo, Change(target=Decimal("0.5")), days=1, now=END)
    assert answer.today.pages >= 1
    assert answer.changed.pages == 0
    assert answer.sentences[0].startswith("No page in 1 day, instead of ")
    assert answer.recorded_runs == answer.today.runs
    assert (Entry.objects.count(), Breach.objects.count()) == (entries, breaches)
    slo.refresh_from_db()
    assert slo.target == Decimal("0.997")


def test_each_choice_has_its_price_and_none_costs_nothing() -> None:
    slo, _ = lived("tocsin", every=1)
    priced = {(one.decision, one.priority): cost for one, cost in Replayer(SYSTEM, slo, days=1, now=END).per_choice()}
    assert priced[("none", None)].pages == priced[("none", None)].incidents == 0
    assert priced[("set", 1)].postmortems >= 1
    assert priced[("set", 2)].postmortems == 0
    assert priced[("set", 4)].work_items >= 1
    assert len(priced) == 5


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (Change(target=Decimal(1)), "target"),
        (Change(rule={"name": "guess"}), "rule"),
        (Change(choice=Choice(decision="set", priority=9)), "priority"),
        (Change(choice=Choice(decision="perhaps")), "priority"),
        (Change(choice=Choice(decision="set", priority=1, groups=["nobody"])), "groups"),
    ],
)
def test_what_cannot_be_is_refused_with_the_field(change: Change, field: str) -> None:
    worlds.process()
    slo = slo_worlds.objective()
    with pytest.raises(Invalid) as refused:
        what_if(SYSTEM, slo, change, days=1, now=END)
    assert field in refused.value.fields


def test_further_back_than_there_are_minutes_is_refused() -> None:
    worlds.process()
    slo = slo_worlds.objective()
    with pytest.raises(Invalid, match="days"):
        what_if(SYSTEM, slo, Change(), days=91, now=END)
    assert queries.objective(SYSTEM, slo.name) == slo


def test_a_rule_out_of_reach_and_a_frequency_that_does_not_fit_are_warned_of() -> None:
    worlds.process()
    slo = slo_worlds.objective(evaluate_every=timedelta(minutes=20))
    raising = {"more_than": 3, "within_seconds": 3600, "to": 2}
    change = Change(target=Decimal("0.05"), choice=Choice(decision="set", priority=4, raise_rule=raising))
    answer = what_if(SYSTEM, slo, change, days=1, now=END)
    assert any("can never open a page" in warning for warning in answer.warnings)
    assert any("would never be raised" in warning for warning in answer.warnings)
