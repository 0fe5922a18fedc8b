"""Looking at all SLOs side by side comes to what judging each of them by itself would."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from tests.domains import slo_worlds
from tests.domains.slo_worlds import MINUTE, NOON
from tocsin.slo import actions
from tocsin.slo.actions import evaluating, looking
from tocsin.slo.fleet import fleet
from tocsin.slo.models import Breach, Objective, ObjectiveState
from tocsin.slo.specs import Count

pytestmark = pytest.mark.django_db

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
BEGIN = datetime.fromisoformat("2026-11-01T00:00:00+00:00")
MONTH = {"spec": {"timeWindow": [{"duration": "1M"}]}}
PAIRS = [{"urgency": "page", "threshold": "0.5", "long_seconds": 3600, "short_seconds": 300}]
CONDITIONS = [
    {"op": "gte", "threshold": "1", "lookback_seconds": 1800, "alert_after_seconds": 300},
    {"op": "lt", "threshold": "0.01", "lookback_seconds": 600, "urgency": "ticket", "alert_after_seconds": 3600},
]
SORTS: tuple[dict[str, Any], ...] = (
    {},
    {"target": Decimal("0.9")},
    {"rule": {"name": "workbook"}, "target": Decimal("0.999")},
    {"rule": {"name": "depletion"}},
    {"rule": {"name": "depletion", "basis": "period_pro_rata", "threshold_percent": "50"}},
    {"rule": {"name": "burnrate", "pairs": PAIRS}, "fallback": "velocity"},
    {"rule": {"name": "burnrate", "conditions": CONDITIONS}},
    {"period": timedelta(days=90), "fallback": "remaining"},
    {"period": timedelta(days=7), "evaluate_every": timedelta(seconds=30)},
    {"calendar_start": BEGIN, "period": timedelta(days=30), "document": MONTH, "target": Decimal("0.95")},
    {"budgeting": "Timeslices", "slice_window": MINUTE, "slice_target": Decimal("0.95"), "target": Decimal("0.9")},
)


def told(signals: Iterable[Any]) -> list[tuple[Any, ...]]:
    return [
        (one.objective.pk, one.urgency, one.kind, one.priority, one.priority_state, one.summary, one.explanation)
        for one in signals
    ]


def rows() -> list[dict[str, Any]]:
    """What evaluating leaves behind, but for what each way keeps for itself."""
    found = []
    for state in ObjectiveState.objects.order_by("pk"):
        plain = {name: getattr(state, name) for name in evaluating._WRITTEN if name != "counts_base"}
        plain["rule_state"] = {**state.rule_state, "evaluated_at": None}
        found.append(plain)
    return found


def breaches() -> list[Any]:
    return list(
        Breach.objects.order_by("objective_id", "at").values_list("objective_id", "at", "valid", "bad", "window")
    )


@dataclass
class Outcome:
    told: list[tuple[Any, ...]]
    breaches: list[Any]
    rows: list[dict[str, Any]]


def judged_one_by_one(ids: list[int], now: datetime, monkeypatch: pytest.MonkeyPatch) -> Outcome:
    """What evaluating comes to without looking side by side; nothing of it stays."""
    with monkeypatch.context() as patch:
        patch.setattr(evaluating, "look_at_all", lambda ids, now: dict.fromkeys(ids))
        with transaction.atomic():
            signals = told(actions.evaluate(ids, now=now))
            result = Outcome(signals, breaches(), rows())
            transaction.set_rollback(True)
    return result


def assert_same(found: Outcome, expected: Outcome) -> None:
    assert found.told == expected.told
    assert found.breaches == expected.breaches
    for one, other in zip(found.rows, expected.rows, strict=True):
        ends = one.pop("exhausts_at"), other.pop("exhausts_at")
        assert (ends[0] is None) == (ends[1] is None)
        if ends[0] is not None:
            assert abs(ends[0] - ends[1]) < timedelta(milliseconds=1)
        burns = one.pop("burn_rates"), other.pop("burn_rates")
        assert burns[0] == pytest.approx(burns[1], rel=1e-12)
        left = one.pop("remaining"), other.pop("remaining")
        assert left[0] == (left[1] and pytest.approx(left[1], rel=1e-9, abs=1e-12))
        assert one == other


def some_counts(chance: random.Random, slos: list[Objective], now: datetime) -> list[Count]:
    """What one step brings: usually of the last minutes, now and then late, healthy, burning or nothing at all."""
    counts = []
    for slo in slos:
        mood = chance.choice(("silent", "well", "well", "idle", "bad", "worst"))
        if mood == "silent":
            continue
        back = chance.choice((0, 0, 30, 90, 600, 5 * 3600, 3 * 86400))
        events = 0 if mood == "idle" else chance.choice((3, 1000, 20_000))
        share = {"well": 0.001, "bad": 0.03, "worst": 0.9}.get(mood, 0.0)
        bad = min(events, int(events * share * chance.random() * 2))
        counts.append(Count(slo.pk, now - timedelta(seconds=back), events - bad, bad))
    return counts


@pytest.mark.parametrize("seed", range(6))
def test_the_same_decisions_and_the_same_numbers(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(seed)
    slos = [slo_worlds.objective(f"slo-{place}", **sort) for place, sort in enumerate(SORTS)]
    now = NOON
    for _ in range(25):
        now += chance.choice((timedelta(seconds=7), MINUTE, 5 * MINUTE, 40 * MINUTE, 9 * HOUR, 2 * DAY))
        with transaction.atomic():
            actions.add_counts(some_counts(chance, slos, now), now=now)
        ids = sorted(slo.pk for slo in slos if chance.random() < 0.8)
        expected = judged_one_by_one(ids, now, monkeypatch)
        with transaction.atomic():
            found = told(actions.evaluate(ids, now=now))
        assert_same(Outcome(found, breaches(), rows()), expected)


def quiet_slo(now: datetime = NOON) -> Objective:
    slo = slo_worlds.objective()
    slo_worlds.push(slo, now, good=1000, bad=1)
    slo_worlds.judge(slo, now)
    return slo


def test_a_transaction_that_was_undone_leaves_no_trace() -> None:
    slo = quiet_slo()
    with transaction.atomic():
        actions.add_counts([Count(slo.pk, NOON, 0, 500)], now=NOON)
        actions.evaluate([slo.pk], now=NOON + MINUTE)
        transaction.set_rollback(True)
    slo_worlds.judge(slo, NOON + 2 * MINUTE)
    assert slo_worlds.state(slo).burn_rates["3600"] == pytest.approx(1 / 1001 / 0.003)


def test_what_another_node_judged_meanwhile_is_read_from_the_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    slo = quiet_slo()
    with monkeypatch.context() as patch:
        patch.setattr(looking, "fleet", type(fleet)())
        slo_worlds.push(slo, NOON + MINUTE, good=999, bad=0)
        slo_worlds.judge(slo, NOON + MINUTE)
    slo_worlds.judge(slo, NOON + 2 * MINUTE)
    assert slo_worlds.state(slo).burn_rates["3600"] == pytest.approx(1 / 2000 / 0.003)


def test_a_quiet_slo_whose_counts_are_the_same_is_judged_without_reading_them() -> None:
    slo = quiet_slo()
    with CaptureQueriesContext(
        connection,
    ) as queries:
        slo_worlds.judge(slo, NOON + MINUTE)
    assert [one["sql"] for one in queries if "slo_bucket" in one["sql"]] == []
    assert slo_worlds.state(slo).evaluated_at == NOON + MINUTE


def test_counts_beyond_32_bits_are_held_in_64() -> None:
    slo = slo_worlds.objective()
    for minute in range(4):
        slo_worlds.push(slo, NOON + minute * MINUTE, good=2**32 - 10, bad=10)
        slo_worlds.judge(slo, NOON + minute * MINUTE)
    burn = slo_worlds.state(slo).burn_rates["3600"]
    assert burn == pytest.approx(10 / 2**32 / 0.003)
    assert fleet._seats[slo.pk].block.kind.wide


def test_after_a_restart_what_was_known_is_there_at_once(tmp_path: Path) -> None:
    fleet.keep_in(tmp_path)
    slo = quiet_slo()
    fleet.close()
    assert fleet.keep_in(tmp_path) == 1
    with CaptureQueriesContext(connection) as queries:
        slo_worlds.judge(slo, NOON + MINUTE)
    assert [one["sql"] for one in queries if "slo_bucket" in one["sql"]] == []
    slo_worlds.push(slo, NOON + MINUTE, good=1000, bad=0)
    slo_worlds.judge(slo, NOON + 2 * MINUTE)
    assert slo_worlds.state(slo).burn_rates["3600"] == pytest.approx(1 / 2001 / 0.003)


@pytest.mark.parametrize("spoil", ["cut", "layout", "power"])
def test_a_file_that_cannot_be_trusted_is_made_anew(tmp_path: Path, spoil: str) -> None:
    fleet.keep_in(tmp_path)
    slo = quiet_slo()
    fleet.close()
    [path] = tmp_path.glob("*.counts")
    content = bytearray(path.read_bytes())
    if spoil == "cut":
        content = content[:-8]
    elif spoil == "layout":
        content[0] ^= 1
    else:
        content[4 * 8] ^= 1  # another start of the machine,
        content[5 * 8] = 0  # and it was not closed in order before
    path.write_bytes(content)
    assert fleet.keep_in(tmp_path) == 0
    slo_worlds.judge(slo, NOON + MINUTE)
    assert slo_worlds.state(slo).burn_rates["3600"] == pytest.approx(1 / 1001 / 0.003)


def test_a_folder_serves_one_process_at_a_time(tmp_path: Path) -> None:
    fleet.keep_in(tmp_path)
    other = type(fleet)()
    assert other.keep_in(tmp_path) == 0
    assert other.folder is None
    other.close()


def test_a_clock_that_is_set_back_is_believed() -> None:
    slo = slo_worlds.objective()
    slo_worlds.push(slo, NOON, good=1000, bad=1)
    slo_worlds.push(slo, NOON + 2 * DAY, good=0, bad=1000)
    slo_worlds.judge(slo, NOON + 2 * DAY)
    slo_worlds.judge(slo, NOON + MINUTE)
    assert slo_worlds.state(slo).burn_rates["3600"] == pytest.approx(1 / 1001 / 0.003)
