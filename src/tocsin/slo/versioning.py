"""Keeping what an SLO said before it changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from tocsin.audit.actions import stamp
from tocsin.core.access import Actor
from tocsin.platform.text import clean
from tocsin.slo.models import Objective, ObjectiveVersion, VersionChange

FIELDS = (
    "display_name",
    "description",
    "use_case",
    "service",
    "sli_kind",
    "endpoint",
    "target",
    "period",
    "calendar_start",
    "time_zone",
    "budgeting",
    "slice_window",
    "slice_target",
    "source",
    "good_query",
    "bad_query",
    "total_query",
    "threshold_query",
    "threshold_op",
    "threshold_value",
    "raw_query",
    "raw_type",
    "rule",
    "evaluate_every",
    "renotify_after",
    "fallback",
    "runbook_url",
)


def settings_of(objective: Objective) -> dict[str, Any]:
    """The settings of an SLO as a version keeps them; what says nothing is left out."""
    found = {name: shown(getattr(objective, name)) for name in FIELDS}
    return {name: value for name, value in found.items() if value not in (None, "", {})}


def note_version(
    actor: Actor, objective: Objective, change: VersionChange, *, reason: str, now: datetime
) -> ObjectiveVersion:
    """Add the SLO as it now stands to its history, inside the caller's transaction."""
    settings = settings_of(objective)
    return ObjectiveVersion.objects.create(
        objective=objective,
        number=objective.revision,
        change=change,
        settings=settings,
        document=objective.document,
        sha256=digest(settings, objective.document),
        effective_at=now,
        author=actor.ident,
        reason=clean(reason),
    )


def digest(settings: Mapping[str, Any], document: Mapping[str, Any]) -> str:
    """The name of a version's content."""
    text = json.dumps([settings, document], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def shown(value: Any) -> Any:
    """A value as the log and the history keep it: no floats, no rows."""
    if isinstance(value, datetime):
        return stamp(value)
    if isinstance(value, timedelta):
        return f"{int(value.total_seconds())} s"
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return getattr(value, "name", value)
