"""What an SLO's past would have cost, over JSON. A question, not a change: nothing is written."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema

from tocsin.api import shapes
from tocsin.api.auth import actor
from tocsin.api.incidents import rank_of
from tocsin.core.errors import Invalid
from tocsin.core.priorities import PriorityState
from tocsin.core.what_if_tally import Tally
from tocsin.core.what_if_words import alone
from tocsin.insights.what_if import DAYS, Change, Choice, Replayer
from tocsin.platform import clock
from tocsin.slo import queries
from tocsin.slo.models import Decision

router = Router(tags=["SLOs"])

_UNDECIDED = PriorityState.UNSET.value


class Supposed(Schema):
    """What is supposed to be different; what is left out stays as it is. `target` as a share (0.995) or "99.5"."""

    target: float | str | None = None
    rule: str | dict[str, Any] | None = None
    renotify_after_minutes: int | None = None
    priority: int | str | None = None
    groups: list[str] | None = None
    raise_rule: dict[str, Any] | None = None
    fallback: str | None = None
    days: int = DAYS


@router.post("/slos/{name}/whatif")
def what_if(request: HttpRequest, name: str, body: Supposed) -> dict[str, Any]:
    """The last 90 days of an SLO as it stands and as it is supposed to stand, in numbers and in words."""
    row = queries.objective(actor(request), name)
    replayer = Replayer(actor(request), row, days=body.days, now=clock.now())
    found = replayer.compare(_change(body, replayer.choice_today()))
    return {
        "slo": row.name,
        "since": shapes.at(found.since),
        "until": shapes.at(found.until),
        "days": found.days,
        "words": list(found.sentences),
        "today": tally(found.today),
        "supposed": tally(found.changed),
        "coverage": {**asdict(found.coverage), "share": round(found.coverage.share, 4), "text": str(found.coverage)},
        "recorded_runs": found.recorded_runs,
        "warnings": list(found.warnings),
        "choices": [
            {"priority": one.priority, "decision": one.decision, **tally(cost), "words": alone(cost, days=body.days)}
            for one, cost in replayer.per_choice()
        ],
    }


def tally(one: Tally) -> dict[str, Any]:
    """What a past would have cost."""
    return {
        "pages": one.pages,
        "pages_by_day": one.pages_by_day,
        "pages_by_night": one.pages_by_night,
        "reminders": one.reminders,
        "updates_owed": one.updates,
        "messages_owed": one.messages,
        "postmortems_owed": one.postmortems,
        "work_items": one.work_items,
        "incidents": one.incidents,
        "runs_of_breaches": one.runs,
    }


def _change(body: Supposed, today: Choice) -> Change:
    wait = body.renotify_after_minutes
    if wait is not None and wait <= 0:
        raise Invalid({"renotify_after_minutes": "must be above zero"})
    return Change(
        target=None if body.target is None else target_of(body.target),
        rule={"name": body.rule} if isinstance(body.rule, str) else body.rule,
        renotify_after=None if wait is None else timedelta(minutes=wait),
        choice=_choice(body, today),
    )


def _choice(body: Supposed, today: Choice) -> Choice:
    given = body.priority
    groups = today.groups if body.groups is None else tuple(body.groups)
    fallback = today.fallback if body.fallback is None else body.fallback
    if given is None:
        raising = today.raise_rule if body.raise_rule is None else body.raise_rule
        return Choice(
            decision=today.decision, priority=today.priority, groups=groups, raise_rule=raising, fallback=fallback
        )
    if str(given).strip().lower() == _UNDECIDED:
        return Choice(decision=_UNDECIDED, groups=groups, fallback=fallback)
    rank = rank_of(given)
    decision = Decision.NONE.value if rank is None else Decision.SET.value
    return Choice(decision=decision, priority=rank, groups=groups, raise_rule=body.raise_rule, fallback=fallback)


def target_of(given: float | str) -> Decimal:
    """A target from what people write: 0.995, "99.5", "99.5 %". Raises Invalid."""
    text = str(given).strip().removesuffix("%").strip()
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise Invalid({"target": f"{text!r} is no number; write 99.5 or 0.995"}) from None
    if not value.is_finite():
        raise Invalid({"target": f"{text!r} is no number; write 99.5 or 0.995"})
    return value / 100 if value >= 1 else value
