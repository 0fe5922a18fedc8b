"""Draft a postmortem from the record, write in it, move it on to its next status."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from functools import partial

from django.db import transaction
from django.db.models import Max, QuerySet

from tocsin.audit import actions as audit
from tocsin.audit.actions import Fact
from tocsin.core import postmortem_rules as rules
from tocsin.core.access import SYSTEM, Actor, Right, require
from tocsin.core.errors import Conflict, Invalid, NotAllowed, Refused
from tocsin.core.facts import Kind
from tocsin.core.obligation_facts import ObligationKind
from tocsin.core.postmortem_checklist import has_gate
from tocsin.core.postmortem_rules import PostmortemState, StepReason
from tocsin.incidents import actions as incidents
from tocsin.incidents import people_queries, tensions
from tocsin.incidents import queries as incident_queries
from tocsin.incidents import snapshots as incident_snapshots
from tocsin.incidents.models import Incident, Obligation, ObligationState, State
from tocsin.people.models import Person
from tocsin.platform import db
from tocsin.platform.guarding import guarded
from tocsin.platform.questions import Question
from tocsin.platform.text import clean
from tocsin.postmortems import drafting, queries
from tocsin.postmortems.actions.rows import locked_incident, log_entry, touch, writable
from tocsin.postmortems.models import Postmortem, TimelineEntry
from tocsin.postmortems.snapshots import item_facts
from tocsin.process import queries as process

log = logging.getLogger(__name__)

ENDED = (State.RESOLVED, State.CLOSED)
CERTAINTIES = ("recorded", "estimated", "disputed")
_REASON = 1000
REFUSALS = {
    StepReason.NOT_FROM_HERE: "A postmortem in {state} cannot become {target}.",
    StepReason.ACTION_ITEM_INCOMPLETE: "Each action item needs a driver and a review date. Missing: {missing}.",
    StepReason.SECTION_MISSING: "These sections are still empty: {missing}.",
    StepReason.ACTION_ITEM_OPEN: "These action items are neither done nor tracked elsewhere: {missing}.",
    StepReason.EXTERNAL_MESSAGE_OPEN: "The message to the outside is not settled yet.",
}


def draft_missing(*, now: datetime, limit: int = 20) -> int:
    """Draft what ended incidents owe, and let drafts follow their log. Returns how many postmortems were written to."""
    if not _anything_to_write(now=now):
        return 0
    incident_ids = list(_owed().values_list("incident_id", flat=True).distinct()[:limit])
    done = sum(_by_itself(_draft_owed, incident_id, now=now) for incident_id in incident_ids)
    behind = list(queries.behind_the_log().values_list("pk", flat=True)[:limit])
    return done + sum(_by_itself(_follow, row_id, now=now) for row_id in behind)


def _owed() -> QuerySet[Obligation]:
    return Obligation.objects.filter(
        kind=ObligationKind.POSTMORTEM,
        state=ObligationState.OPEN,
        incident__state__in=ENDED,
        incident__postmortem__isnull=True,
    )


_anything_to_write = Question(lambda _: _owed(), lambda _: queries.behind_the_log())


def _by_itself(work: Callable[..., bool], row_id: int, *, now: datetime) -> int:
    whole = transaction.atomic(partial(work, row_id, now=now))
    return guarded(whole, trouble=f"the postmortem work on row {row_id} failed")


def _draft_owed(incident_id: int, *, now: datetime) -> bool:
    incident = locked_incident(incident_id)
    if incident.state not in ENDED or Postmortem.objects.filter(incident=incident).exists():
        return False
    _draft(SYSTEM, incident, now=now)
    return True


def _follow(postmortem_id: int, *, now: datetime) -> bool:
    """Add what was recorded since to the timeline of a draft; what people wrote, and their version of it, stays."""
    row = db.lock(Postmortem.objects.filter(pk=postmortem_id).select_related("incident")).get()
    if row.state != PostmortemState.DRAFT:
        return False
    known = row.timeline.aggregate(last=Max("source_seq"))["last"] or 0
    lines = TimelineEntry.objects.bulk_create(drafting.timeline_of(row, after=known))
    row.updated_at = now
    row.save(update_fields=["updated_at"])
    return bool(lines)


def start_postmortem(actor: Actor, ref: str | int, *, now: datetime) -> Postmortem:
    """Begin a postmortem by hand; always possible, also where none is required. An existing one is returned."""
    with transaction.atomic():
        incident = locked_incident(incident_queries.incident(actor, ref).pk)
        require(actor, Right.POSTMORTEM_WRITE, team=incident.team.name if incident.team else None)
        existing = Postmortem.objects.filter(incident=incident).first()
        return existing or _draft(actor, incident, now=now)


def _draft(actor: Actor, incident: Incident, *, now: datetime) -> Postmortem:
    definition = process.definition(incident.process_version_id)
    keeper = _record_keeper(incident)
    due_at = rules.meeting_due(
        definition,
        priority=incident.priority,
        severity=incident.severity,
        resolved_at=incident.resolved_at or now,
        calendar=incident_snapshots.business_days(incident.team),
    )
    row = Postmortem.objects.create(
        incident=incident,
        title=incident.title,
        template=drafting.template_of(definition),
        sections=drafting.sections_of(incident, definition, drafting.log_of(incident)),
        owner=keeper,
        record_keeper=keeper,
        meeting_due_at=due_at,
        created_at=now,
        updated_at=now,
    )
    lines = TimelineEntry.objects.bulk_create(drafting.timeline_of(row))
    data = {
        "postmortem": row.pk,
        "lines": len(lines),
        "owner": keeper.username if keeper else "",
        "meeting_due_at": audit.stamp(due_at),
    }
    audit.record(actor, [Fact(kind=Kind.POSTMORTEM_DRAFTED, incident=incident.ref, data=data)], now=now)
    return row


def _record_keeper(incident: Incident) -> Person | None:
    """Whoever held a role last, else who took it: somebody always starts as the keeper of the record."""
    held = incident.roles_held.select_related("person").order_by("-from_at").first()
    return held.person if held else incident.acknowledged_by


def edit_section(
    actor: Actor, ref: str | int, *, section: str, text: str, now: datetime, version: int | None = None
) -> Postmortem:
    """Write one section. `version` is what the writer had read: a newer one raises Conflict and loses nothing."""
    with transaction.atomic():
        row = writable(actor, ref)
        if version is not None and version != row.version:
            raise Conflict(
                "Somebody changed the postmortem a moment ago. Your text is kept; look at the change and save again."
            )
        if section not in {str(part["code"]) for part in row.template}:
            raise Invalid({"section": f"The template has no section {section!r}."})
        row.sections = {**row.sections, section: clean(text)}
        touch(row, ["sections"], now=now)
        log_entry(actor, row, Kind.POSTMORTEM_EDITED, {"section": section, "length": len(text)}, now=now)
        return row


def add_entry(
    actor: Actor, ref: str | int, *, at: datetime, text: str, now: datetime, certainty: str = "estimated"
) -> TimelineEntry:
    """Add a line to the timeline from somebody's own view."""
    said = clean(text).strip()
    faults = {}
    if not said:
        faults["text"] = "Say what happened."
    if certainty not in CERTAINTIES:
        faults["certainty"] = f"It is one of {', '.join(CERTAINTIES)}."
    if at > now:
        faults["at"] = "That has not happened yet."
    if faults:
        raise Invalid(faults)
    with transaction.atomic():
        row = writable(actor, ref)
        entry = TimelineEntry.objects.create(postmortem=row, at=at, text=said, author=actor.ident, certainty=certainty)
        touch(row, [], now=now)
        log_entry(actor, row, Kind.POSTMORTEM_EDITED, {"section": "timeline", "timeline": entry.pk}, now=now)
        return entry


def move(actor: Actor, ref: str | int, state: str, *, override: str = "", now: datetime) -> Postmortem:
    """Change the status: draft, in_review, reviewed, closed. Raises Refused with what is missing.

    The meeting does not start (in_review) while a tension between people is open; whoever coordinated the response may
    start it all the same and says why in `override`.
    """
    if state not in {member.value for member in PostmortemState}:
        raise Invalid({"state": "Choose draft, in_review, reviewed or closed."})
    with transaction.atomic():
        row = writable(actor, ref)
        target = PostmortemState(state)
        step = rules.step_decision(
            process.definition(row.incident.process_version),
            PostmortemState(row.state),
            target,
            sections=row.sections,
            items=item_facts(row.actions.all()),
        )
        if not step.allowed:
            words = REFUSALS[step.reason].format(state=row.state, target=state, missing=", ".join(step.missing))
            raise Refused(words, reason=step.reason.value)
        if step.reason is StepReason.ALREADY_THERE:
            return row
        early = _early_start(actor, row, target, override)
        former, row.state = row.state, target.value
        row.reviewed_at = now if target is PostmortemState.REVIEWED else row.reviewed_at
        row.closed_at = now if target is PostmortemState.CLOSED else None
        touch(row, ["state", "reviewed_at", "closed_at"], now=now)
        entry = log_entry(actor, row, Kind.POSTMORTEM_MOVED, {"old": former, "new": target.value, **early}, now=now)
        if target is PostmortemState.REVIEWED:
            _settle_obligation(row, evidence=entry, now=now)
        return row


def _early_start(actor: Actor, row: Postmortem, target: PostmortemState, override: str) -> dict[str, str]:
    """What the log keeps of a meeting that starts although a tension is open. Raises Refused where it has to wait."""
    if target is not PostmortemState.IN_REVIEW or row.state != PostmortemState.DRAFT:
        return {}
    if not has_gate(process.definition(row.incident.process_version)):
        return {}
    gate, reason = tensions.gate(row.incident), clean(override).strip()[:_REASON]
    if gate.holds(override=bool(reason)):
        remedy = (
            "Settle it first." if gate.objected else "Settle it first, or let the coordinator say why it cannot wait."
        )
        raise Refused("A tension between people is open, so the meeting waits.", reason="people_issue", remedy=remedy)
    if not gate.open_issues:
        return {}
    if not people_queries.coordinated_last(row.incident, actor.ident):
        raise NotAllowed("Only whoever coordinated the response may start it early.", remedy="Ask the coordinator.")
    return {"override": reason}


def _settle_obligation(row: Postmortem, *, evidence: int, now: datetime) -> None:
    open_duty = row.incident.obligations.filter(kind=ObligationKind.POSTMORTEM, state=ObligationState.OPEN).first()
    if open_duty is not None:
        reference = "reviewed"
        incidents.fulfil_obligation(SYSTEM, open_duty.pk, reference=reference, evidence_seq=evidence, now=now)
