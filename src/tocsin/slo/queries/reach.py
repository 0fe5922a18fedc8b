"""Whether an SLO's alert rule can ever fire, at its target, its traffic and its ticks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from fractions import Fraction

from tocsin.core.reachability import Report, can_it_fire
from tocsin.slo import snapshots
from tocsin.slo.models import Objective
from tocsin.slo.queries.spending import counted_within
from tocsin.slo.rules import rule_for
from tocsin.slo.specs import ObjectiveSpec

_DAY, _HOUR = timedelta(days=1), timedelta(hours=1)


def reach(objectives: Sequence[Objective], *, now: datetime) -> dict[int, Report]:
    """What is to be expected of each SLO's rule; its traffic is that of the last day, unknown while nothing was counted."""
    counted = counted_within(objectives, [1], now=now)
    return {
        one.pk: can_it_fire(
            snapshots.rule_of(one),
            target=one.target,
            period=one.period,
            every=one.evaluate_every,
            events_per_hour=_per_hour(one, counted[one.pk][1].valid, now=now),
        )
        for one in objectives
    }


def reach_of_spec(spec: ObjectiveSpec) -> Report:
    """The same of an SLO in a file, whose traffic is not known."""
    rule = rule_for(spec.rule, period=spec.period, renotify_after=spec.renotify_after)
    return can_it_fire(rule, target=spec.target, period=spec.period, every=spec.evaluate_every)


def _per_hour(objective: Objective, valid: int, *, now: datetime) -> Fraction | None:
    if valid == 0:
        return None
    hours = max(1, min(_DAY, now - objective.created_at) // _HOUR)
    return Fraction(valid, hours * snapshots.unit_of(objective).parts)
