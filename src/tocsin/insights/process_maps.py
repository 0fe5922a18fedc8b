"""What serves which step of ITIL, and which evidence answers which control of an audit framework."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Count

from tocsin.audit.models import Entry
from tocsin.core import process_maps as core
from tocsin.core.access import Actor, Right, require
from tocsin.core.errors import NotFound
from tocsin.core.process_maps import Framework, Step
from tocsin.process import queries
from tocsin.process.defaults import written

ITIL = "itil"


def itil(actor: Actor, number: int | None = None) -> tuple[Step, ...]:
    """The five steps as version `number` of the process (the one in force when None) and the product serve them."""
    require(actor, Right.PROCESS_READ)
    shown = queries.version(actor, queries.current_version().number if number is None else number)
    itil_map = shown.document.get("lifecycle", {}).get("itil_map", {})
    return core.itil_steps(written("itil")["steps"], itil_map)


def frameworks(
    actor: Actor, *, only: str = "", start: datetime | None = None, end: datetime | None = None
) -> tuple[Framework, ...]:
    """Every framework (or the one named `only`), with how many log entries of [start, end) each evidence rests on."""
    require(actor, Right.PROCESS_READ)
    entries = Entry.objects.all()
    entries = entries.filter(at__gte=start) if start else entries
    entries = entries.filter(at__lt=end) if end else entries
    rows = entries.order_by().values("kind").annotate(many=Count("pk")).values_list("kind", "many")
    found = core.frameworks(written("frameworks"), dict(rows))
    if not only:
        return found
    chosen = tuple(one for one in found if one.code == only)
    if not chosen:
        raise NotFound(f"There is no framework {only!r}; there are {', '.join(one.code for one in found)}.")
    return chosen
