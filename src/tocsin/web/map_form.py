"""What is typed on the priority map, and what can still be taken back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse

from tocsin.core.errors import Invalid
from tocsin.core.priorities import PriorityState
from tocsin.core.wall_time import instant_of
from tocsin.slo.actions import Decided
from tocsin.slo.models import Decision
from tocsin.web import asking
from tocsin.web.instants import clock_text

UNSET, NONE = PriorityState.UNSET.value, Decision.NONE.value
EMPTY: Mapping[str, Any] = {"reason": "", "from": "", "whom": "keep", "groups": [], "picked": [], "chosen": {}}
_ROW = "slo:"
_UNDO = "priority_map_undo"
_UNDO_FOR = timedelta(minutes=30)


def value_of(rank: int | None, state: str) -> str:
    """The value of a choice in a row: a rank, none or unset."""
    return str(rank) if rank is not None else state


def typed(request: HttpRequest) -> dict[str, Any]:
    """What was typed, as it was typed; `chosen` is the choice of each SLO by name."""
    chosen = {key.removeprefix(_ROW): value for key, value in request.POST.items() if key.startswith(_ROW)}
    return {
        "chosen": chosen,
        "reason": request.POST.get("reason", "").strip(),
        "from": request.POST.get("from", "").strip(),
        "whom": request.POST.get("whom", "keep"),
        "groups": request.POST.getlist("groups"),
        "picked": request.POST.getlist("picked"),
    }


def decided(name: str, value: str) -> Decided:
    """A choice as a decision. Raises Invalid for a value that no choice has."""
    if value in (UNSET, NONE):
        return Decided(name, value)
    if not value.isdecimal():
        raise Invalid({"slos": f"{name}: choose one of the priorities, none or undecided."})
    return Decided(name, Decision.SET.value, int(value))


def groups(typed: Mapping[str, Any]) -> list[str] | None:
    """Who is told of every SLO that changes; None keeps the groups each has."""
    return list(typed["groups"]) if typed["whom"] == "these" else None


def begins(typed: Mapping[str, Any], request: HttpRequest) -> datetime | None:
    """From when on it holds: a wall time of the viewer's zone, None for now. Raises Invalid."""
    text = typed["from"]
    if not text:
        return None
    try:
        wall = datetime.fromisoformat(text)
    except ValueError:
        raise Invalid({"valid_from": "Give the day and the time, for example 2026-12-01 09:00."}) from None
    if wall.tzinfo is not None:
        return wall
    return instant_of(wall, ZoneInfo(str(asking.zone(request))))


def decided_words(count: int, begins: datetime | None, request: HttpRequest) -> str:
    """What a person is told after deciding."""
    when = "now" if begins is None else clock_text(begins, asking.zone(request), now=asking.now(request), form="long")
    return f"Decided for {count} SLO{'' if count == 1 else 's'}. It holds for breaches from {when} on."


@dataclass(frozen=True, slots=True)
class Undoable:
    """The last decisions made on the map by whoever is signed in here."""

    names: tuple[str, ...]
    decided_at: datetime


def remember(request: HttpRequest, names: Sequence[str], decided_at: datetime) -> None:
    """Keep in the session what could be taken back."""
    request.session[_UNDO] = {
        "names": list(names),
        "at": decided_at.isoformat(),
        "until": (asking.now(request) + _UNDO_FOR).isoformat(),
    }


def undoable(request: HttpRequest) -> Undoable | None:
    """What can be taken back with one press, for half an hour."""
    kept = request.session.get(_UNDO)
    if not kept or datetime.fromisoformat(kept["until"]) < asking.now(request):
        return None
    return Undoable(tuple(kept["names"]), datetime.fromisoformat(kept["at"]))


def forget(request: HttpRequest) -> None:
    """Nothing is left to take back."""
    request.session.pop(_UNDO, None)


def back_to_map(team: str) -> HttpResponseRedirect:
    """The map as it was looked at."""
    return HttpResponseRedirect(reverse("priority-map") + (f"?{urlencode({'team': team})}" if team else ""))
