"""Is anyone carrying too much: the reader's own load, and that of teams of five and more."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_safe

from tocsin.core.wellbeing_load import FEWEST, Load, TeamLoad
from tocsin.core.wellbeing_settings import Limits
from tocsin.insights import wellbeing_load
from tocsin.insights.wellbeing_load import TeamFigures
from tocsin.web import asking

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
NIGHT_SHARE = 0.3
"""Of practice: where more than this share of shifts has a page at night, the rotation or its alerts need work."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure with its words; `over` says that it is past a line, and which."""

    name: str
    value: str
    over: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    count: int
    level: int
    words: str


@dataclass(frozen=True, slots=True)
class TeamCard:
    found: TeamFigures
    figures: list[Figure]
    heat: list[tuple[str, list[Cell]]]


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Four weeks of load."""
    view = wellbeing_load.load_view(asking.actor(request), now=asking.now(request))
    limits = view.limits
    context = {
        "view": view,
        "fewest": FEWEST,
        "own": own_figures(view.own) if view.own else [],
        "cards": [
            TeamCard(one, team_figures(one.load, limits), heat(one.load))
            for one in view.teams
            if one.load is not None and limits is not None
        ],
        "small": [one for one in view.teams if one.load is None],
    }
    return render(request, "web/wellbeing.html", context)


def whole_hours(span: timedelta) -> str:
    return f"{span.total_seconds() / 3600:.0f} h"


def own_figures(load: Load) -> list[Figure]:
    """One's own numbers; nobody else is shown them."""
    return [
        Figure("On call", whole_hours(load.on_call)),
        Figure("In incidents", whole_hours(load.in_incidents)),
        Figure("Pages", str(load.pages)),
        Figure("Nights with a page", str(load.nights)),
        Figure("Hours disturbed", str(load.disturbed)),
        Figure("Shifts with more than 2 pages in 12 h", f"{load.busy_shifts} of {load.shifts}"),
        Figure("Rests cut short after a night", str(load.short_rests)),
    ]


def team_figures(load: TeamLoad, limits: Limits) -> list[Figure]:
    """A team's numbers together, with the lines that ask for another plan."""
    night, share, factor = load.night_share, load.on_call_share, load.unevenness
    allowed = float(limits.on_call_share)
    return [
        Figure("On call, all together", whole_hours(load.on_call)),
        Figure("In incidents", whole_hours(load.in_incidents)),
        Figure("Pages", str(load.pages)),
        Figure("Nights with a page", str(load.nights)),
        Figure("Hours disturbed", str(load.disturbed)),
        Figure("Shifts with a night page", _percent(night), f"over {NIGHT_SHARE:.0%}" if (night or 0) > NIGHT_SHARE else ""),
        Figure("Shifts with more than 2 pages in 12 h", _percent(load.busy_share), "look at the alerts" if load.busy_share else ""),
        Figure("Share of the time on call", _percent(share), f"over {allowed:.0%}" if (share or 0) > allowed else ""),
        Figure(
            "Most on call against the median",
            f"{factor:.1f} times" if factor else "nothing to compare",
            f"over {limits.uneven_factor} times" if (factor or 0) > limits.uneven_factor else "",
        ),
    ]  # fmt: skip


def _percent(share: float | None) -> str:
    return "no shifts" if share is None else f"{share:.0%}"


def heat(load: TeamLoad | None) -> list[tuple[str, list[Cell]]]:
    """Pages by weekday and hour; a level from 0 to 4 for the shade, the count for everybody."""
    if load is None:
        return []
    most = max((max(row) for row in load.heat), default=0)
    return [
        (
            day,
            [
                Cell(
                    count, -(-4 * count // most) if most else 0, f"{day} {hour:02}:00, {count} page{'s' * (count != 1)}"
                )
                for hour, count in enumerate(row)
            ],
        )
        for day, row in zip(WEEKDAYS, load.heat, strict=True)
    ]


urlpatterns = [path("wellbeing", page, name="wellbeing")]
