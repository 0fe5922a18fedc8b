"""The section "Changes" of an SLO's page: what it said before, who changed it and why, and what that did to its numbers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.http import HttpRequest

from tocsin.core.access import Right
from tocsin.core.document_diff import Difference
from tocsin.core.objective_changes import EFFECT_TEXTS
from tocsin.slo import queries
from tocsin.slo.models import Objective, VersionChange
from tocsin.slo.queries import BudgetView, Shift, Version
from tocsin.web import asking
from tocsin.web.instants import span_text

_NAMES: Mapping[str, str] = {
    "display_name": "Name",
    "use_case": "When it fails",
    "sli_kind": "Kind of SLI",
    "target": "Target",
    "period": "Period",
    "calendar_start": "Calendar from",
    "time_zone": "Time zone",
    "budgeting": "Counted by",
    "slice_window": "Slices of",
    "slice_target": "A slice is good from",
    "source": "Source",
    "good_query": "Good events",
    "bad_query": "Bad events",
    "total_query": "All events",
    "threshold_query": "Value",
    "threshold_op": "Comparison",
    "threshold_value": "Line",
    "raw_query": "Ratio",
    "raw_type": "Ratio of",
    "evaluate_every": "Evaluated every",
    "renotify_after": "Reminder after",
    "runbook_url": "Runbook",
}
_SHARES = ("target", "slice_target")
_SPANS = ("period", "slice_window", "evaluate_every", "renotify_after")
WORDS = {
    VersionChange.ADDED: "Added",
    VersionChange.CHANGED: "Changed",
    VersionChange.RETIRED: "Retired",
    VersionChange.RETURNED: "Brought back",
}
SHOWN = 20


@dataclass(frozen=True, slots=True)
class Line:
    """One setting before and after, in words."""

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One version as people read it."""

    version: Version
    word: str
    lines: tuple[Line, ...]
    effect: str


def facts(request: HttpRequest, objective: Objective, view: BudgetView) -> dict[str, Any]:
    """The history, the changes that move this period's numbers, and whether the reader may retire the SLO."""
    actor, team = asking.actor(request), objective.service.team
    history = queries.versions(actor, objective)
    return {
        "history": [_entry(one) for one in history[:SHOWN]],
        "history_more": max(0, len(history) - SHOWN),
        "shifts": [(one, _entry(one.version), _former(one)) for one in queries.shifts(history, view)],
        "retired_because": history[0].row.reason if history and objective.retired_at else "",
        "may_retire": actor.may(Right.SLO_WRITE, team=team.name if team else None) and objective.retired_at is None,
    }


def _entry(version: Version) -> Entry:
    effects = version.effects
    return Entry(
        version,
        WORDS[VersionChange(version.row.change)],
        tuple(_line(change) for change in version.changes),
        EFFECT_TEXTS[effects[0]] if effects else "",
    )


def _line(change: Difference) -> Line:
    field = change.path.split(".")[0].split("[")[0]
    name = _NAMES.get(change.path) or change.path.replace("_", " ").capitalize()
    return Line(name, _said(field, change.before), _said(field, change.after))


def _said(field: str, value: Any) -> str:
    if value is None or value == "":
        return "nothing"
    text = str(value)
    if field in _SHARES:
        return f"{float(text) * 100:.8g}%"
    if field in _SPANS and text.endswith(" s") and text[:-2].isdecimal():
        return span_text(timedelta(seconds=int(text[:-2])))
    return text if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _former(shift: Shift) -> str:
    """What would be left by the former target; empty where that cannot be said."""
    if shift.former_target is None or shift.former_left is None:
        return ""
    return f"{float(shift.former_left):.1%} would be left by the former target of {_said('target', str(shift.former_target))}."
