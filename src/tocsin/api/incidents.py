"""Incidents over JSON."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest
from ninja import Field, Query, Router, Schema, Status

from tocsin.api import classification, course_shapes, incident_links, shapes
from tocsin.api.auth import actor
from tocsin.api.listing import listing
from tocsin.core.errors import Invalid
from tocsin.core.incident_lifecycle import State
from tocsin.incidents import actions, course, kin, links, queries
from tocsin.incidents.models import Incident
from tocsin.platform import clock

router = Router(tags=["incidents"])

CODE_OR_RANK = 'A rank (1) or a code of the catalogue (P1); null or "none" for no priority on purpose.'


class Declaration(Schema):
    title: str
    service: str
    description: str = ""
    priority: int | str | None = Field(None, description=CODE_OR_RANK)
    severity: str | None = None
    impact_state: str = "actual"
    kind: str = "real"
    groups: list[str] = []
    caused_by: str = Field("", description="What it follows from upstream: an incident (INC-7) or an SLO (slo:NAME).")
    reason: str = Field("", description="Why this priority and severity; without it the description explains the pair.")
    exception: bool = Field(False, description="Declare it although the two do not go together; needs a reason.")


class Filters(Schema):
    """By which words a list is cut; an empty one cuts nothing."""

    service: str = ""
    team: str = ""
    priority: int | None = None
    severity: str = ""
    category: str = ""
    origin: str = ""
    impact: str = ""
    environment: str = ""
    scope: str = Field("", description="A region or tenant, or a part of its name.")
    sli: str = Field("", description="A kind of SLI: availability, latency.")


class PriorityChange(Schema):
    priority: int | str | None = Field(..., description=CODE_OR_RANK)
    reason: str = ""
    learnt: str = Field("", description="What is known now and was not before.")
    exception: bool = Field(False, description="Set it although the two do not go together; needs a reason.")
    version: int | None = None


class SeverityChange(Schema):
    severity: str
    reason: str = ""
    exception: bool = Field(False, description="Set it although the two do not go together; needs a reason.")
    version: int | None = None


class Snooze(Schema):
    until: datetime | None = None
    seconds: int | None = None


class Resolution(Schema):
    note: str = ""
    service: str | None = None
    category: str | None = None


class Note(Schema):
    text: str
    kind: str = "note"
    occurred_at: datetime | None = None
    source_id: str = ""


class RoleAssignment(Schema):
    role: str
    person: str


class Upstream(Schema):
    caused_by: str


class Waiver(Schema):
    reason: str


class Fulfilment(Schema):
    reference: str = ""
    deployed_at: datetime | None = Field(None, description="When a fix was rolled out; asked for a hotfix.")


class Person(Schema):
    person: str | None = None


@router.get("/incidents")
def list_incidents(
    request: HttpRequest,
    asked: Query[Filters],
    all: bool = False,  # noqa: A002 - the word of the contract
    status: str = "",
    limit: int = 200,
    cursor: str = "",
) -> dict[str, Any]:
    """Open incidents, or all of them, by priority, severity, age and id."""
    page = queries.incidents(
        actor(request),
        open_only=not (all or status),
        status=status,
        limit=min(limit, 1000),
        cursor=cursor,
        **asked.dict(),
    )
    return listing(page.rows, shapes.incident, following=page.following)


@router.post("/incidents", response={201: dict[str, Any]})
def declare(request: HttpRequest, body: Declaration) -> Status[dict[str, Any]]:
    """Declare an incident: a service and what is wrong are enough."""
    row = actions.declare(
        actor(request),
        title=body.title,
        service=body.service,
        description=body.description,
        priority=rank_of(body.priority),
        severity=body.severity,
        impact_state=body.impact_state,
        kind=body.kind,
        groups=body.groups,
        caused_by=body.caused_by,
        reason=body.reason,
        exception=body.exception,
        now=clock.now(),
    )
    return Status(201, shapes.incident(row))


@router.get("/incidents/{ref}")
def show(request: HttpRequest, ref: str) -> dict[str, Any]:
    """One incident with timeline, obligations, roles and pages."""
    asking = actor(request)
    row = queries.incident(asking, ref)
    found = kin.kin_of(row)
    return {
        **shapes.incident(row),
        **course_shapes.course(course.course(asking, row)),
        "timeline": [shapes.timeline_line(line) for line in queries.timeline(asking, ref)],
        "obligations": [shapes.obligation(one) for one in queries.obligations(asking, ref)],
        "caused_by_upstream": [shapes.upstream(one) for one in found.causes],
        "dependents": [one.ref for one in found.dependents],
        "links": incident_links.shown(links.links_of(asking, row)),
        "roles": [shapes.role_held(held) for held in row.roles_held.select_related("person").order_by("from_at")],
    }


@router.get("/incidents/{ref}/timeline")
def timeline(request: HttpRequest, ref: str, after: int = 0, limit: int = 500) -> dict[str, Any]:
    lines = queries.timeline(actor(request), ref, after=after, limit=min(limit, 5000))
    return listing(lines, shapes.timeline_line)


@router.post("/incidents/{ref}/acknowledge")
def acknowledge(request: HttpRequest, ref: str, body: Person) -> dict[str, Any]:
    """Take charge; an administrator may say for whom."""
    return _shown(request, actions.acknowledge(actor(request), ref, person=body.person, now=clock.now()))


@router.post("/incidents/{ref}/priority")
def change_priority(request: HttpRequest, ref: str, body: PriorityChange, dry_run: bool = False) -> dict[str, Any]:
    """Raise or lower the priority; the reason is part of the record. `dry_run` only says what would follow."""
    rank = rank_of(body.priority)
    if dry_run:
        return classification.preview(request, ref, priority=rank)
    row = actions.change_priority(
        actor(request),
        ref,
        priority=rank,
        state="set" if rank is not None else "none",
        reason=body.reason,
        learnt=body.learnt,
        exception=body.exception,
        version=body.version,
        now=clock.now(),
    )
    return _shown(request, row)


@router.post("/incidents/{ref}/severity")
def change_severity(request: HttpRequest, ref: str, body: SeverityChange, dry_run: bool = False) -> dict[str, Any]:
    """Say how the response is organised; its roles are asked at once. `dry_run` only says what would follow."""
    if dry_run:
        return classification.preview(request, ref, severity=body.severity)
    row = actions.change_severity(
        actor(request),
        ref,
        severity=body.severity,
        reason=body.reason,
        exception=body.exception,
        version=body.version,
        now=clock.now(),
    )
    return _shown(request, row)


@router.post("/incidents/{ref}/escalate")
def escalate(request: HttpRequest, ref: str) -> dict[str, Any]:
    """Ask the next in the chain at once, also after an acknowledgement; `paged` names whom this woke."""
    now = clock.now()
    row = actions.escalate(actor(request), ref, now=now)
    return {**_shown(request, row), "paged": queries.people_paged_at(actor(request), row, now)}


@router.post("/incidents/{ref}/snooze")
def snooze(request: HttpRequest, ref: str, body: Snooze) -> dict[str, Any]:
    """Pause paging until a time or for some seconds; afterwards the first step is paged."""
    now = clock.now()
    until = body.until or (now + timedelta(seconds=body.seconds) if body.seconds else None)
    if until is None:
        raise Invalid({"until": "Say until when, or for how many seconds."})
    return _shown(request, actions.snooze(actor(request), ref, until=until, now=now))


@router.post("/incidents/{ref}/resolve")
def resolve(request: HttpRequest, ref: str, body: Resolution) -> dict[str, Any]:
    """Say that it works again; a person also says what kind of incident it was."""
    row = actions.resolve(
        actor(request), ref, service=body.service, category=body.category, note=body.note, now=clock.now()
    )
    return _shown(request, row)


@router.post("/incidents/{ref}/reopen")
def reopen(request: HttpRequest, ref: str, body: Note) -> dict[str, Any]:
    return _shown(request, actions.reopen(actor(request), ref, reason=body.text, now=clock.now()))


@router.post("/incidents/{ref}/state/{state}")
def move(request: HttpRequest, ref: str, state: str) -> dict[str, Any]:
    """Investigating, identified, mitigated."""
    if state not in {member.value for member in State}:
        raise Invalid({"state": f"There is no state {state!r}."})
    return _shown(request, actions.move(actor(request), ref, state, now=clock.now()))


@router.post("/incidents/{ref}/notes")
def annotate(request: HttpRequest, ref: str, body: Note) -> dict[str, Any]:
    """Add a line to the timeline."""
    row = actions.annotate(
        actor(request),
        ref,
        text=body.text,
        kind=body.kind,
        occurred_at=body.occurred_at,
        source_id=body.source_id,
        now=clock.now(),
    )
    return _shown(request, row)


@router.post("/incidents/{ref}/upstream")
def link_upstream(request: HttpRequest, ref: str, body: Upstream) -> dict[str, Any]:
    """Say that it follows from a provider's incident (INC-7) or SLO (slo:NAME)."""
    return _shown(request, actions.link_upstream(actor(request), ref, body.caused_by, now=clock.now()))


@router.post("/incidents/{ref}/roles")
def assign_role(request: HttpRequest, ref: str, body: RoleAssignment) -> dict[str, Any]:
    actions.assign_role(actor(request), ref, role=body.role, username=body.person, now=clock.now())
    return _shown(request, queries.incident(actor(request), ref))


@router.get("/promises")
def promises(request: HttpRequest) -> dict[str, Any]:
    """Every update that was promised and is not sent, soonest first."""
    now = clock.now()
    return listing(
        queries.promises(actor(request), now=now),
        lambda promise: {**shapes.obligation(promise.obligation), "late": promise.late},
    )


@router.post("/obligations/{obligation_id}/fulfil")
def fulfil(request: HttpRequest, obligation_id: int, body: Fulfilment) -> dict[str, Any]:
    row = actions.fulfil_obligation(
        actor(request), obligation_id, reference=body.reference, deployed_at=body.deployed_at, now=clock.now()
    )
    return shapes.obligation(row)


@router.post("/obligations/{obligation_id}/waive")
def waive(request: HttpRequest, obligation_id: int, body: Waiver) -> dict[str, Any]:
    row = actions.waive_obligation(actor(request), obligation_id, reason=body.reason, now=clock.now())
    return shapes.obligation(row)


def rank_of(given: int | str | None) -> int | None:
    """A rank from what people write: 2, "2", "P2"; None for "none" and null. Raises Invalid."""
    from tocsin.process import queries as process

    if given is None or str(given).strip().lower() in {"", "none", "null"}:
        return None
    return process.rank_named(given)


def _shown(request: HttpRequest, row: Incident) -> dict[str, Any]:
    return shapes.incident(queries.incident(actor(request), row.number))
