"""Reads of the backlog of wishes, and the backlog as rows that a work-item tool takes in."""

from __future__ import annotations

import csv
import io
from typing import Any

from django.db.models import F

from tocsin.adoption.models import Wish, WishStatus
from tocsin.core.access import Actor, Right, require
from tocsin.platform.text import csv_cell

COLUMNS = (
    "id",
    "rank",
    "title",
    "description",
    "kind",
    "status",
    "team",
    "slo",
    "resource_alert",
    "requester",
    "owner",
    "reference",
    "created_at",
)
_TITLE = 80


def wishes(actor: Actor, *, team: str = "", status: str = "", everything: bool = False) -> list[Wish]:
    """Open wishes by their place; with `everything` those that are over behind them, the latest first."""
    require(actor, Right.ADOPTION_READ)
    rows = Wish.objects.select_related("team", "objective__service", "resource_alert__service")
    if team:
        rows = rows.filter(team__name=team)
    if status:
        rows = rows.filter(status=status)
    elif not everything:
        rows = rows.filter(status__in=(WishStatus.OPEN, WishStatus.PLANNED))
    return list(rows.order_by(F("closed_at").desc(nulls_first=True), "rank", "pk"))


def as_row(wish: Wish) -> dict[str, Any]:
    """A wish as a work-item tool imports it: a title and a description besides our own fields."""
    about = wish.objective or wish.resource_alert
    lines = [wish.text, f"Wished for by {wish.requester}{f' of {wish.team.label}' if wish.team else ''}."]
    if about is not None:
        lines.append(f"About {about.label} ({about.service.label}).")
    first = wish.text.strip().splitlines()[0]
    return {
        "id": wish.pk,
        "rank": wish.rank or None,
        "title": first if len(first) <= _TITLE else f"{first[: _TITLE - 1].rstrip()}…",
        "description": "\n".join(lines),
        "kind": wish.kind,
        "status": wish.status,
        "team": wish.team.name if wish.team else None,
        "slo": wish.objective.name if wish.objective else None,
        "resource_alert": wish.resource_alert.name if wish.resource_alert else None,
        "requester": wish.requester,
        "owner": wish.owner or None,
        "reference": wish.reference or None,
        "created_at": wish.created_at,
    }


def as_csv(wishes: list[Wish]) -> str:
    """The backlog as a table for a work-item tool or a spreadsheet; times in UTC."""
    out = io.StringIO()
    table = csv.writer(out)
    table.writerow(COLUMNS)
    for wish in wishes:
        row = {**as_row(wish), "created_at": wish.created_at.strftime("%Y-%m-%dT%H:%M:%SZ")}
        table.writerow([csv_cell(str(row[name])) if row[name] is not None else "" for name in COLUMNS])
    return out.getvalue()
