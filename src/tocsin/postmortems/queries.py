"""Reads about postmortems and action items."""

from __future__ import annotations

from datetime import date

from django.db.models import BigIntegerField, CharField, Exists, OuterRef, Prefetch, Q, QuerySet, Subquery, Value
from django.db.models.functions import Cast, Coalesce, Concat

from tocsin.audit.models import Entry
from tocsin.core.access import Actor, Right, require
from tocsin.core.errors import NotFound
from tocsin.core.postmortem_checklist import ChecklistLine, ItemState, Mark
from tocsin.core.postmortem_checklist import checklist as checklist_of
from tocsin.incidents import queries as incidents
from tocsin.postmortems.drafting import LEFT_OUT
from tocsin.postmortems.models import ActionItem, ActionStatus, Postmortem, PostmortemState, TimelineEntry
from tocsin.process import queries as process

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


def checklist(row: Postmortem) -> tuple[ChecklistLine, ...]:
    """The items before, during and after the meeting, with what was said of each."""
    marks = {one.code: Mark(ItemState(one.state), one.by, one.at, one.reason) for one in row.marks.all()}
    return checklist_of(process.definition(row.incident.process_version), marks)


def postmortems(actor: Actor, *, state: str = "") -> QuerySet[Postmortem]:
    """Postmortems, newest incident first."""
    require(actor, Right.POSTMORTEM_READ)
    found = Postmortem.objects.select_related("incident__service", "owner").prefetch_related("actions")
    return (found.filter(state=state) if state else found).order_by("-incident__number")


def behind_the_log() -> QuerySet[Postmortem]:
    """Drafts whose incident has recorded events that their timeline does not show yet."""
    ref = Concat(Value(incidents.PREFIX), Cast("incident__number", CharField()))
    latest = TimelineEntry.objects.filter(postmortem=OuterRef("pk"), source_seq__isnull=False).order_by("-source_seq")
    known = Coalesce(Subquery(latest.values("source_seq")[:1]), Value(0), output_field=BigIntegerField())
    drafts = Postmortem.objects.filter(state=PostmortemState.DRAFT).annotate(ref=ref, known=known)
    later = Entry.objects.filter(incident=OuterRef("ref"), seq__gt=OuterRef("known")).exclude(kind__in=LEFT_OUT)
    return drafts.filter(Exists(later)).order_by("pk")


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
