"""The budget of one SLO step by step, in the span the address asks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest

from tocsin.core.access import Actor
from tocsin.slo import queries, snapshots
from tocsin.slo.models import Objective
from tocsin.slo.queries import Span, Step
from tocsin.web import asking
from tocsin.web.instants import clock_text, zone_name
from tocsin.web.pictures.depletion import Bar, Depletion, depletion
from tocsin.web.pictures.drawing import Picture

SPANS: Mapping[Span, tuple[str, str, str]] = {
    Span.DAY: ("24 h, by the hour", "Hour", "Each bar: what was left of the period's budget when that hour ended."),
    Span.PERIOD: ("Period, by the week", "Week", "Each bar: what was left when that week ended."),
    Span.YEAR: ("Year, by period", "Period", "Each bar: what was left when that period ended."),
}


def facts(request: HttpRequest, objective: Objective) -> dict[str, Any]:
    """The picture, and the spans a reader can choose from."""
    span = _asked(request)
    return {
        "steps": steps_of(request, asking.actor(request), objective),
        "spans": [(one.value, words[0]) for one, words in SPANS.items()],
        "span": span.value,
        "span_query": f"?span={span.value}",
    }


def _asked(request: HttpRequest) -> Span:
    given = request.GET.get("span", "")
    return Span(given) if given in set(Span) else Span.DAY


def steps_of(request: HttpRequest, actor: Actor, objective: Objective) -> Picture:
    span = _asked(request)
    found = queries.depletion(actor, objective, span, now=asking.now(request))
    _, step, reading = SPANS[span]
    zone = zone_name(asking.now(request), asking.zone(request))
    bars = [_bar(request, span, one) for one in found]
    return depletion(Depletion(bars=bars, step=f"{step} ({zone})", reading=reading, unit=snapshots.unit_of(objective)))


def _bar(request: HttpRequest, span: Span, one: Step) -> Bar:
    now, zone = asking.now(request), asking.zone(request)
    start, end = one.starts_at.astimezone(zone), one.ends_at.astimezone(zone)
    if span is Span.DAY:
        return Bar(f"{end:%H:%M}", f"{start:%H:%M} to {end:%H:%M}", one.left, one.bad, one.valid)
    short = f"{end.day} {end:%b}"
    name = " to ".join(clock_text(at, zone, now=now, form="date") for at in (one.starts_at, one.ends_at))
    return Bar(short, name, one.left, one.bad, one.valid)
