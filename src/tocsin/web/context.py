"""What every template may rely on: who looks, when, in which zone, and where in the house they are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from tocsin.core.access import Actor, Right
from tocsin.core.errors import NotFound
from tocsin.core.process_definition import ProcessDefinition
from tocsin.people import queries as people
from tocsin.people.models import Person
from tocsin.process import queries as process
from tocsin.web import asking
from tocsin.web.instants import zone_name


@dataclass(frozen=True, slots=True)
class Place:
    """An entry of the rail. `within` are the beginnings of the paths that belong to it; `key` follows `g`."""

    name: str
    words: str
    url: str
    icon: str
    within: tuple[str, ...]
    key: str = ""
    below: tuple[tuple[str, str], ...] = ()


PLACES = (
    Place("now", "Now", "/", "now", (), key="n"),
    Place("incidents", "Incidents", "/i", "incidents", ("/i", "/updates"), "i", (("Promised updates", "/updates"),)),
    Place(
        "slos",
        "SLOs",
        "/slos",
        "slos",
        ("/slos", "/services", "/teams", "/backlog", "/walks", "/resource-alerts"),
        "s",
        (("Teams", "/teams"), ("Wishes", "/backlog")),
    ),
    Place("oncall", "On call", "/oncall", "oncall", ("/oncall", "/wellbeing"), "o", (("Well-being", "/wellbeing"),)),
    Place("learn", "Learn", "/postmortems", "learn", ("/postmortems", "/actions"), "p", (("Actions", "/actions"),)),
    Place(
        "process",
        "Process",
        "/process",
        "process",
        ("/process", "/priorities"),
        below=(
            ("Adherence", "/process/adherence"),
            ("Priorities", "/priorities"),
            ("All SLOs", "/priorities/slos"),
            ("SLO to priority", "/priorities/map"),
            ("Consumer views", "/priorities/views"),
        ),
    ),
    Place("setup", "Setup", "/setup", "setup", ("/setup",)),
)
ON_A_PHONE = ("now", "incidents", "oncall")
MORE = tuple(place for place in PLACES if place.name not in ON_A_PHONE)


def page(request: HttpRequest) -> dict[str, Any]:
    """Context of every page, also of those that a refusal is shown on before the session is known."""
    user = getattr(request, "user", None)
    person = user if isinstance(user, Person) else None
    offset = asking.now(request).astimezone(asking.zone(request)).utcoffset() if person else None
    return {
        "now": getattr(request, "now", None),
        "actor": getattr(request, "actor", None),
        "zone": asking.zone(request) if person else UTC,
        "process": SimpleLazyObject(_process),
        "people_called": SimpleLazyObject(lambda: _people_called(getattr(request, "actor", None))),
        "demo": settings.DEMO,
        "places": PLACES,
        "more_places": MORE,
        "on_a_phone": [place for place in PLACES if place.name in ON_A_PHONE],
        "place": place_of(request.path),
        "theme": person.theme if person and person.theme in {"light", "dark"} else "",
        "offset_minutes": int(offset.total_seconds() // 60) if offset else 0,
        "zone_name": zone_name(asking.now(request), asking.zone(request)) if person else "UTC",
        "keys": person.keys_enabled if person else False,
    }


def _process() -> ProcessDefinition | None:
    try:
        return process.current()
    except NotFound:
        return None


def _people_called(actor: Actor | None) -> dict[str, str]:
    """What to call people whom a page names by their plain ids; asked only by a page that does."""
    return people.everybodys_labels(actor) if actor and actor.may(Right.PEOPLE_READ) else {}


def place_of(path: str) -> str:
    """The entry of the rail that a path belongs to, "" for none."""
    if path == "/":
        return PLACES[0].name
    for place in PLACES:
        if any(path == start or path.startswith(f"{start}/") for start in place.within):
            return place.name
    return ""
