"""Reads about postmortems and action items."""

from __future__ import annotations

from datetime import date

from django.db.models import Prefetch, Q, QuerySet

from tocsin.core.access import Actor, Right, require
from tocsin.core.errors import NotFound
from tocsin.incidents import queries as incidents
from tocsin.postmortems.models import ActionItem, ActionStatus, Postmortem

SETTLED = (ActionStatus.DONE, ActionStatus.DROPPED)


def postmortem(actor: Actor, ref: str | int) -> Postmortem:
    """The postmortem of one incident, with its timeline and action items. Raises NotFound."""
    require(actor, Right.POSTMORTEM_READ)
    incident = incidents.incident(actor, ref)
    items = ActionItem.objects.order_by("rank", "id")
    found = (
        Postmortem.objects.filter(incident=incident)
        .select_related("incident__service", "incident__process_version", "owner", "record_keeper")
        .prefetch_related("timeline", Prefetch("actions", queryset=items))
        .first()
    )
    if found is None:
        raise NotFound(f"{incident.ref} has no postmortem.")
    return found


def postmortems(actor: Actor, *, state: str = "") -> QuerySet[Postmortem]:
    """Postmortems, newest incident first."""
    require(actor, Right.POSTMORTEM_READ)
    found = Postmortem.objects.select_related("incident__service", "owner").prefetch_related("actions")
    return (found.filter(state=state) if state else found).order_by("-incident__number")


def actions(
    actor: Actor, *, open_only: bool = False, driver: str = "", late_on: date | None = None
) -> QuerySet[ActionItem]:
    """Action items by review date, undated ones last; `late_on` keeps those whose review date had passed then."""
    require(actor, Right.POSTMORTEM_READ)
    found = ActionItem.objects.select_related("incident__service")
    if open_only or late_on:
        found = found.exclude(status__in=SETTLED)
    if driver:
        found = found.filter(driver=driver)
    if late_on:
        found = found.filter(Q(review_date__lt=late_on))
    return found.order_by("review_date", "id")
