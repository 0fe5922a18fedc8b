"""The last 90 days of SLOs by the viewer's calendar, and the strip of one as a picture with its numbers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from django.http import HttpRequest
from django.utils.safestring import SafeString

from tocsin.core.access import Actor, Right, require
from tocsin.core.slo_windows import WindowCounts
from tocsin.slo import queries, snapshots
from tocsin.slo.models import Objective
from tocsin.web import asking
from tocsin.web.instants import zone_name
from tocsin.web.pictures.drawing import Picture, Table
from tocsin.web.pictures.rosters import midnight
from tocsin.web.slo_words import STRIP_DAYS, cells, strip

Days = list[tuple[date, WindowCounts]]
_LEVELS = {"good": "within the budget", "fair": "over it", "bad": "far over it", "unknown": "unknown"}


def days(objectives: Sequence[Objective], request: HttpRequest) -> dict[int, Days]:
    """The last 90 of the viewer's days of each SLO, today included."""
    now, zone = asking.now(request), asking.zone(request)
    edges = [midnight(now, zone, days=1 - STRIP_DAYS + place) for place in range(STRIP_DAYS + 1)]
    dates = [edge.astimezone(zone).date() for edge in edges[:-1]]
    counted = queries.day_counts([one.pk for one in objectives], edges)
    return {pk: list(zip(dates, counts, strict=True)) for pk, counts in counted.items()}


def strip_of(request: HttpRequest, actor: Actor, objective: Objective) -> Picture:
    """One cell a day; the finding counts the bad ones and those nobody knows of."""
    require(actor, Right.SLO_READ)
    found = days([objective], request)[objective.pk]
    zone, unit = zone_name(asking.now(request), asking.zone(request)), snapshots.bucket_unit_of(objective)
    return Picture(
        finding=finding(objective, found),
        reading="One cell a day. Hatched: no data, so unknown. Red: more than three days' worth of budget in one.",
        desk=strip(objective, found),
        phone=SafeString(""),
        table=Table(
            (f"Day ({zone})", "Failed", "Of", "Spent"),
            [
                (f"{day:%Y-%m-%d}", unit.shown(counts.bad), unit.shown(counts.valid), _LEVELS[cell.level])
                for (day, counts), cell in reversed(list(zip(found, cells(objective, found), strict=True)))
            ],
        ),
    )


def finding(objective: Objective, found: Days) -> str:
    """How many of the days were bad, and how many are unknown: an unknown day is no good one."""
    levels = [cell.level for cell in cells(objective, found)]
    known = len(levels) - levels.count("unknown")
    if not known:
        return f"No data in any of the last {len(levels)} days"
    over = levels.count("bad") + levels.count("fair")
    said = "no day" if not over else "one day" if over == 1 else f"{over} days"
    missing = f", {len(levels) - known} of {len(levels)} unknown" if known < len(levels) else ""
    return f"{said[0].upper()}{said[1:]} of {known} spent more than a day's budget{missing}"
