"""Reads about incidents: one, many in their order, what is owed, what was said, who was reached."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Case, Count, IntegerField, Max, Q, QuerySet, Value, When

from tocsin.alerts import queries as alerts
from tocsin.alerts.models import Alert, AlertState
from tocsin.audit.models import Entry
from tocsin.audit.queries import of_kinds
from tocsin.core import incident_lifecycle as lifecycle
from tocsin.core.access import Actor, Right, require
from tocsin.core.alert_latch import Urgency
from tocsin.core.cadence import late_at
from tocsin.core.errors import Invalid, NotFound
from tocsin.core.facts import Kind, sentence
from tocsin.core.incident_lifecycle import Attention, AttentionVerdict, Status
from tocsin.core.process_definition import ProcessDefinition
from tocsin.incidents import snapshots
from tocsin.incidents.models import (
    OPEN_STATES,
    Incident,
    Obligation,
    ObligationState,
    Page,
)
from tocsin.platform import ids
from tocsin.platform.models import Delivery, OutboxMessage
from tocsin.process import queries as process
from tocsin.slo.models import Objective

PREFIX = "INC-"
_AFTER_ALL = 1_000
_LONGEST_NUMBER = 15
_SAID_AS = {Kind.DECISION_RECORDED.value: "decision"}
"""What people say is called by one word on the timeline, however it was written down."""


@dataclass(frozen=True, slots=True)
class Listing:
    """A part of a longer list. `following` asks for the next part, "" at the end."""

    rows: list[Incident]
    following: str


@dataclass(frozen=True, slots=True)
class TimelineLine:
    """One line of an incident's timeline. `at` is when it happened, which may be told later."""

    seq: int
    at: datetime
    kind: str
    actor: str
    text: str
    source_id: str
    data: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Promise:
    """An update that is owed. `late_by` counts from the due time and is None while it is in time."""

    obligation: Obligation
    late: bool
    late_by: timedelta | None


@dataclass(frozen=True, slots=True)
class Rung:
    """One message of one page and what became of it: accepted by a provider is not read by a person."""

    page: Page
    message: OutboxMessage
    tries: list[Delivery]


def number_of(ref: str | int) -> int:
    """The number in "INC-7", "inc-7", "7" or 7. Raises NotFound for anything else."""
    text = str(ref).strip().upper().removeprefix(PREFIX)
    if not text.isascii() or not text.isdigit() or len(text) > _LONGEST_NUMBER:
        raise NotFound(f"There is no incident {ref}.")
    return int(text)


def _rows() -> QuerySet[Incident]:
    related = ("service", "team", "objective", "acknowledged_by", "process_version", "merged_into")
    return Incident.objects.select_related(*related).defer("process_version__document")


def incident(actor: Actor, ref: str | int) -> Incident:
    """The incident of that name, with the SLO it came from. Raises NotFound."""
    require(actor, Right.INCIDENT_READ)
    # What few incidents have is read by a question of its own: joined, its columns would cost all the others more.
    rows = Incident.objects.select_related("service", "team", "acknowledged_by", "process_version")
    found = next(iter(rows.defer("process_version__document").filter(number=number_of(ref))), None)
    if found is None:
        raise NotFound(f"There is no incident {ref}.")
    if found.objective_id is not None:
        found.objective = Objective.objects.select_related("service", "state").get(pk=found.objective_id)
    return found


_FILTERS = {
    "service": "service__name",
    "team": "team__name",
    "priority": "priority",
    "severity": "severity",
    "category": "category",
    "origin": "origin",
    "impact": "impact_state",
    "environment": "environment",
    "scope": "felt_in__icontains",
    "sli": "objective__sli_kind",
    "objective": "objective__name",
}


def incidents(
    actor: Actor,
    *,
    open_only: bool = False,
    status: str = "",
    newest: bool = False,
    limit: int = 200,
    cursor: str = "",
    **filters: str | int | None,
) -> Listing:
    """Incidents by priority, severity, age and number (R-9.2-6), or newest first, a part at a time.

    `filters` are service, team, priority, severity, category, origin, impact, environment, scope (a region or tenant,
    or a part of its name), sli (a kind of SLI) and objective; an empty one filters nothing.
    """
    require(actor, Right.INCIDENT_READ)
    rows = _rows()
    if open_only:
        rows = rows.filter(state__in=OPEN_STATES)
    if status:
        rows = rows.filter(state__in=_states(status))
    rows = rows.filter(**{_FILTERS[name]: value for name, value in filters.items() if value not in {"", None}})
    return _part(rows.order_by("-number") if newest else in_order(rows), limit=limit, cursor=cursor)


def _states(status: str) -> list[str]:
    words = {found.value: states for found, states in lifecycle.STATUS_GROUPS.items()}
    if status not in words:
        raise Invalid({"status": "A status is one of " + ", ".join(found.value for found in Status) + "."})
    return [state.value for state in words[status]]


def _part(rows: QuerySet[Incident], *, limit: int, cursor: str) -> Listing:
    start = int(cursor) if cursor.isdigit() else 0
    found = list(rows[start : start + limit + 1])
    following = str(start + limit) if len(found) > limit else ""
    return Listing(found[:limit], following)


def in_order(rows: QuerySet[Incident]) -> QuerySet[Incident]:
    """Rows in the order in which they compete for a person; `core.priorities.incident_order` says the same of values."""
    definition = process.current()
    return rows.annotate(effective_rank=_effective_rank(definition), severity_rank=_severity_rank(definition)).order_by(
        "effective_rank", "severity_rank", "created_at", "number"
    )


def _effective_rank(definition: ProcessDefinition) -> Case:
    return Case(
        When(priority__isnull=False, then="priority"),
        When(priority_state="unset", then=Value(definition.catalogue.unset_rank)),
        default=Value(_AFTER_ALL),
        output_field=IntegerField(),
    )


def _severity_rank(definition: ProcessDefinition) -> Case:
    known = [When(severity=one.code, then=Value(one.rank)) for one in definition.severities.severities]
    return Case(*known, default=Value(_AFTER_ALL), output_field=IntegerField())


def open_incidents(actor: Actor) -> list[Incident]:
    """Everything that is open, in the order in which it competes for a person."""
    require(actor, Right.INCIDENT_READ)
    return list(in_order(_rows().filter(state__in=OPEN_STATES)))


def now_and_later(actor: Actor, *, now: datetime) -> tuple[list[Incident], list[Incident]]:
    """What needs focus now, and what can wait, each in order (R-9.3.5-8)."""
    rows = open_incidents(actor)
    late = _with_something_late(rows, now=now)
    verdicts = {row.pk: attention(row, late=row.pk in late, now=now) for row in rows}
    at_once = [row for row in rows if verdicts[row.pk].attention is Attention.NOW]
    can_wait = [row for row in rows if verdicts[row.pk].attention is Attention.CAN_WAIT]
    return at_once, can_wait


def attention(row: Incident, *, late: bool, now: datetime) -> AttentionVerdict:
    """Whether an open incident may wait, and why."""
    facts = snapshots.attention_facts(row, snapshots.process_of(row), late=late)
    return lifecycle.attention(facts, now=now)


def _with_something_late(rows: Iterable[Incident], *, now: datetime) -> set[int]:
    by_id = {row.pk: row for row in rows}
    due = Obligation.objects.filter(incident__in=list(by_id), state=ObligationState.OPEN, due_at__lt=now)
    return {
        one.incident_id
        for one in due
        if snapshots.obligation_is_late(one, snapshots.process_of(by_id[one.incident_id]), now=now)
    }


def obligations(actor: Actor, ref: str | int) -> list[Obligation]:
    """What the process asks or asked of an incident: open ones first, soonest due first."""
    return obligations_of(incident(actor, ref))


def obligations_of(row: Incident) -> list[Obligation]:
    """The same of an incident at hand; the caller has authorised."""
    found = list(row.obligations.select_related("owner"))
    for one in found:
        one.incident = row
    without = row.updated_at
    return sorted(
        found, key=lambda one: (one.state != ObligationState.OPEN, one.due_at is None, one.due_at or without, one.key)
    )


def promises(actor: Actor, *, now: datetime) -> list[Promise]:
    """Every stakeholder update that is owed, soonest first."""
    require(actor, Right.INCIDENT_READ)
    kinds = [kind.value for kind in snapshots.UPDATE_KINDS]
    rows = Obligation.objects.filter(state=ObligationState.OPEN, kind__in=kinds, due_at__isnull=False)
    related = rows.select_related("incident__service", "incident__team", "incident__process_version", "owner")
    ordered = related.defer("incident__process_version__document").order_by("due_at", "id")
    return [_promise(row, now=now) for row in ordered]


def _promise(row: Obligation, *, now: datetime) -> Promise:
    late = snapshots.obligation_is_late(row, snapshots.process_of(row.incident), now=now)
    return Promise(row, late, now - row.due_at if late and row.due_at else None)


def next_late_at(row: Obligation) -> datetime | None:
    """When an open obligation begins to count as late."""
    grace = snapshots.process_of(row.incident).catalogue.notification.overdue_grace
    return late_at(row.due_at, grace) if row.due_at else None


def page_for_token(token: str) -> Page | None:
    """The page whose link holds `token`; None for a token nobody was given."""
    rows = Page.objects.select_related("incident__service", "incident__acknowledged_by", "person")
    return rows.filter(token_digest=ids.digest(token)).first()


def still_wakes(ref: str, *, now: datetime) -> bool:
    """Whether a page that waited may still go out: the incident is open, and neither snoozed nor silenced meanwhile."""
    row = Incident.objects.filter(number=number_of(ref)).only("state", "snoozed_until", "labels").first()
    if row is None or row.state not in OPEN_STATES:
        return False
    snoozed = row.snoozed_until is not None and row.snoozed_until > now
    return not snoozed and not alerts.is_silenced(row.labels, now=now)


def still_burns(row: Incident) -> bool:
    """Whether an alert of an SLO fires on that would bring the incident back after it was resolved."""
    return burning_alerts().filter(incident_links__incident=row).exists()


def burning_alerts() -> QuerySet[Alert]:
    """The alerts of SLOs that burn so fast that somebody has to be woken, except those that something keeps quiet."""
    firing = Alert.objects.filter(state=AlertState.FIRING, suppressed_by="")
    return firing.filter(objective__isnull=False, urgency=Urgency.PAGE.value)


def timeline(actor: Actor, ref: str | int, *, after: int = 0, limit: int = 500) -> list[TimelineLine]:
    """The log of an incident in the order in which it was written, from sequence number `after` on."""
    row = incident(actor, ref)
    entries = Entry.objects.filter(incident=row.ref, seq__gt=after).order_by("seq")
    return [line_of(entry) for entry in entries[:limit]]


def line_of(entry: Entry) -> TimelineLine:
    """An entry of the log as people read it. What people wrote carries its own kind (note, chat, decision)."""
    noted = entry.kind == Kind.INCIDENT_NOTED
    kind = str((entry.data or {}).get("kind") or entry.kind) if noted else _SAID_AS.get(entry.kind, entry.kind)
    text = sentence(entry.kind, entry.data)
    return TimelineLine(entry.seq, entry.occurred_at, kind, entry.actor, text, entry.source_id, entry.data)


def delivery_ladder(actor: Actor, ref: str | int) -> list[Rung]:
    """Each message that was to reach somebody about an incident's pages, in order, with every try."""
    row = incident(actor, ref)
    return ladder_of(row, list(row.pages.select_related("person")))


def ladder_of(row: Incident, pages_of: Iterable[Page]) -> list[Rung]:
    """The same of an incident and its pages at hand; the caller has authorised."""
    pages = {str(page.pk): page for page in pages_of}
    messages = OutboxMessage.objects.filter(subject_kind="page", subject_id__in=pages, incident=row.ref)
    told = messages.only("channel", "subject_id", "not_before", "sent_at", "state", "last_error")
    ordered = told.prefetch_related("deliveries").order_by("not_before", "id")
    return [Rung(pages[message.subject_id], message, list(message.deliveries.all())) for message in ordered]


def people_paged_at(actor: Actor, incident: Incident, at: datetime) -> list[str]:
    """Who was paged at that very instant, by name; the fallback contact is no person and is called "fallback"."""
    require(actor, Right.INCIDENT_READ)
    pages = incident.pages.filter(created_at=at, kind__in=("page", "fallback")).select_related("person").order_by("id")
    return [page.person.username if page.person else "fallback" for page in pages]


def silent_since(incident: Incident) -> datetime | None:
    """When its last alert was heard of for the last time, if it ended only because nobody spoke of it any more."""
    if incident.alert_ended_at is None:
        return None
    last = of_kinds([incident.ref], [Kind.ALERT_ENDED]).last()
    if last is None or not (last.data or {}).get("silent"):
        return None
    heard = incident.alert_links.aggregate(at=Max("alert__last_received_at"))["at"]
    return heard or incident.alert_ended_at


def incidents_of_objective(actor: Actor, objective_id: int, *, limit: int = 20) -> list[Incident]:
    """The incidents that an SLO led to, newest first."""
    require(actor, Right.INCIDENT_READ)
    return list(_rows().filter(Q(objective_id=objective_id)).order_by("-created_at")[:limit])


def pair_counts(actor: Actor, *, since: datetime) -> dict[tuple[int, str], int]:
    """How many real incidents opened from `since` on stand at each pair of priority and severity."""
    require(actor, Right.INCIDENT_READ)
    rows = Incident.objects.filter(created_at__gte=since, kind="real", priority__isnull=False)
    counted = rows.order_by().values("priority", "severity").annotate(count=Count("pk"))
    return {(row["priority"], row["severity"]): row["count"] for row in counted if row["priority"] is not None}
