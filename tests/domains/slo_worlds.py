"""The smallest worlds with an SLO in them, fed and judged as the running product does it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction

from tests.domains import worlds
from tocsin.core.access import SYSTEM
from tocsin.slo import actions
from tocsin.slo.models import Breach, Objective, ObjectiveState
from tocsin.slo.specs import Count, ObjectiveSpec, SloSignal

MINUTE = timedelta(minutes=1)
DEPLETION = {"name": "depletion"}
NOON = datetime.fromisoformat("2026-11-23T12:00:00+00:00")


def objective(name: str = "checkout-availability", *, now: datetime = worlds.NOW, **fields: Any) -> Objective:
    """An SLO of 99.7 % over 28 days on the service checkout, counted by whoever pushes."""
    worlds.service(fields.get("service", "checkout"), now=now)
    settings = {"service": "checkout", "target": Decimal("0.997"), "period": timedelta(days=28)}
    return actions.save_objective(SYSTEM, ObjectiveSpec(name=name, **{**settings, **fields}), now=now)


def push(slo: Objective, at: datetime, *, good: int, bad: int, now: datetime | None = None) -> None:
    """Events of one minute, taken in by `now`."""
    with transaction.atomic():
        actions.add_counts([Count(slo.pk, at, good, bad)], now=now or at)


def judge(slo: Objective, now: datetime) -> list[SloSignal]:
    with transaction.atomic():
        return actions.evaluate([slo.pk], now=now)


def run(
    slo: Objective, start: datetime, bad_by_minute: Sequence[int], *, per_minute: int = 1000, every: int = 5
) -> list[tuple[int, SloSignal]]:
    """Push one minute after the other and judge at the end of each `every`th; returns (minute, signal)."""
    told = []
    for minute, bad in enumerate(bad_by_minute):
        end = start + (minute + 1) * MINUTE
        push(slo, start + minute * MINUTE, good=per_minute - bad, bad=bad, now=end)
        if (minute + 1) % every == 0:
            told += [(minute + 1, signal) for signal in judge(slo, end)]
    return told


def state(slo: Objective) -> ObjectiveState:
    return ObjectiveState.objects.get(pk=slo.pk)


def breach_minutes(slo: Objective, start: datetime) -> list[int]:
    return [int((breach.at - start) / MINUTE) for breach in Breach.objects.filter(objective=slo).order_by("at")]
