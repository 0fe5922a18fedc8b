"""The only writers of postmortems and action items."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.db import transaction

from tocsin.audit import actions as audit
from tocsin.audit.actions import Fact
from tocsin.core import postmortem_rules as rules
from tocsin.core.access import SYSTEM, Actor, Right, require
from tocsin.core.errors import Conflict, Invalid, NotFound, Refused
from tocsin.core.facts import Kind
from tocsin.core.obligation_facts import ObligationKind
from tocsin.core.postmortem_rules import PostmortemState, StepReason
from tocsin.incidents import actions as incidents
from tocsin.incidents import queries as incident_queries
from tocsin.incidents.models import Incident, Obligation, ObligationState, State
from tocsin.people.models import Person
from tocsin.platform import db
from tocsin.postmortems import drafting, queries
from tocsin.postmortems.models import ActionItem, ActionStatus, Postmortem, TimelineEntry
from tocsin.postmortems.snapshots import item_facts
from tocsin.process import queries as process

ENDED = (State.RESOLVED, State.CLOSED)

REFUSALS = {
    StepReason.NOT_FROM_HERE: "A postmortem in {state} cannot become {target}.",
    StepReason.ACTION_ITEM_INCOMPLETE: "Each action item needs a driver and a review date. Missing: {missing}.",
    StepReason.SECTION_MISSING: "These sections are still empty: {missing}.",
    StepReason.ACTION_ITEM_OPEN: "These action items are neither done nor tracked elsewhere: {missing}.",
    StepReason.EXTERNAL_MESSAGE_OPEN: "The message to the outside is not settled yet.",
}


def draft_missing(*, now: datetime, limit: int = 20) -> int:
    """Draft the postmortem of each ended incident that owes one and has none. Returns how many were drafted."""
    owed = Obligation.objects.filter(
        kind=ObligationKind.POSTMORTEM,
        state=ObligationState.OPEN,
        incident__state__in=ENDED,
        incident__postmortem__isnull=True,
    )
    drafted = 0
    for incident_id in owed.values_list("incident_id", flat=True).distinct()[:limit]:
        with transaction.atomic():
            incident = _locked(Incident.objects.filter(pk=incident_id))
            if not Postmortem.objects.filter(incident=incident).exists():
                _draft(SYSTEM, incident, now=now)
                drafted += 1
    return drafted


def start_postmortem(actor: Actor, ref: str | int, *, now: datetime) -> Postmortem:
    """Begin a postmortem by hand; always possible, also where none is required. An existing one is returned."""
    with transaction.atomic():
        incident = incident_queries.incident(actor, ref)
        require(actor, Right.POSTMORTEM_WRITE, team=incident.team.name if incident.team else None)
        existing = Postmortem.objects.filter(incident=incident).first()
        return existing or _draft(actor, incident, now=now)


def _draft(actor: Actor, incident: Incident, *, now: datetime) -> Postmortem:
    definition = process.definition(incident.process_version)
    keeper = _record_keeper(incident)
    row = Postmortem.objects.create(
        incident=incident,
        title=incident.title,
        template=drafting.template_of(definition),
        owner=keeper,
        record_keeper=keeper,
        meeting_due_at=rules.meeting_due(
            definition, priority=incident.priority, severity=incident.severity, resolved_at=incident.resolved_at or now
        ),
        created_at=now,
        updated_at=now,
    )
    lines = TimelineEntry.objects.bulk_create(drafting.timeline_of(row))
    row.sections = drafting.sections_of(incident, definition, drafting.log_of(incident))
    row.save(update_fields=["sections"])
    data = {"postmortem": row.pk, "lines": len(lines), "owner": keeper.username if keeper else ""}
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
        row = _writable(actor, ref)
        if version is not None and version != row.version:
            raise Conflict(
                "Somebody changed the postmortem a moment ago. Your text is kept; look at the change and save again."
            )
        if section not in {str(part["code"]) for part in row.template}:
            raise Invalid({"section": f"The template has no section {section!r}."})
        row.sections = {**row.sections, section: text}
        _touch(row, ["sections"], now=now)
        _log(actor, row, Kind.POSTMORTEM_EDITED, {"section": section, "length": len(text)}, now=now)
        return row


def add_entry(
    actor: Actor, ref: str | int, *, at: datetime, text: str, now: datetime, certainty: str = "estimated"
) -> TimelineEntry:
    """Add a line to the timeline from somebody's own view."""
    if not text.strip():
        raise Invalid({"text": "Say what happened."})
    with transaction.atomic():
        row = _writable(actor, ref)
        entry = TimelineEntry.objects.create(postmortem=row, at=at, text=text, author=actor.ident, certainty=certainty)
        _touch(row, [], now=now)
        _log(actor, row, Kind.POSTMORTEM_EDITED, {"timeline": entry.pk}, now=now)
        return entry


def add_action(
    actor: Actor,
    ref: str | int,
    *,
    title: str,
    driver: str = "",
    review_date: date | None = None,
    due_date: date | None = None,
    horizon: str = "immediate",
    category: str = "",
    definition_of_done: str = "",
    now: datetime,
) -> ActionItem:
    """Add an action item. Driver and review date may come later, but before the postmortem leaves draft."""
    if not title.strip():
        raise Invalid({"title": "Say what is to be done, beginning with a verb."})
    with transaction.atomic():
        incident = incident_queries.incident(actor, ref)
        require(actor, Right.POSTMORTEM_WRITE, team=incident.team.name if incident.team else None)
        row = Postmortem.objects.filter(incident=incident).first()
        _must_be_complete_after_draft(row, title, driver, review_date)
        item = ActionItem.objects.create(
            incident=incident,
            postmortem=row,
            title=title.strip(),
            driver=driver.strip(),
            review_date=review_date,
            due_date=due_date,
            horizon=horizon,
            category=category,
            definition_of_done=definition_of_done,
            rank=incident.actions.count(),
            created_at=now,
        )
        data = {"action": item.pk, "title": item.title, "driver": item.driver, "review": str(review_date or "")}
        audit.record(actor, [Fact(kind=Kind.ACTION_ADDED, incident=incident.ref, data=data)], now=now)
        return item


def change_action(actor: Actor, action_id: int, *, now: datetime, **changes: Any) -> ActionItem:
    """Change title, driver, review_date, due_date, status, definition_of_done, rank or external_url of an item.

    A review date moved while the item is not done counts as a postponement.
    """
    allowed = {
        "title",
        "driver",
        "review_date",
        "due_date",
        "status",
        "definition_of_done",
        "rank",
        "external_url",
        "horizon",
    }
    unknown = set(changes) - allowed
    if unknown:
        raise Invalid(dict.fromkeys(sorted(unknown), "This cannot be changed."))
    with transaction.atomic():
        item = ActionItem.objects.select_related("incident__team", "postmortem").filter(pk=action_id).first()
        if item is None:
            raise NotFound(f"There is no action item {action_id}.")
        team = item.incident.team.name if item.incident.team else None
        if actor.ident != item.driver:
            require(actor, Right.POSTMORTEM_WRITE, team=team)
        _apply(item, changes, now=now)
        _must_be_complete_after_draft(item.postmortem, item.title, item.driver, item.review_date)
        item.save()
        data = {"action": item.pk, "title": item.title, "changed": sorted(changes), "status": item.status}
        audit.record(actor, [Fact(kind=Kind.ACTION_CHANGED, incident=item.incident.ref, data=data)], now=now)
        return item


def _apply(item: ActionItem, changes: dict[str, Any], *, now: datetime) -> None:
    former = item.review_date
    for name, value in changes.items():
        setattr(item, name, value)
    if item.status not in ActionStatus.values:
        raise Invalid({"status": f"Choose one of: {', '.join(ActionStatus.values)}."})
    if item.status == ActionStatus.IN_PROGRESS and item.started_at is None:
        item.started_at = now
    if item.status == ActionStatus.DONE:
        item.started_at = item.started_at or now
        item.done_at = item.done_at or now
    elif "status" in changes:
        item.done_at = None
    moved = "review_date" in changes and former is not None and item.review_date != former
    if moved and item.status != ActionStatus.DONE:
        item.postponements += 1


def _must_be_complete_after_draft(row: Postmortem | None, title: str, driver: str, review_date: date | None) -> None:
    if row is None or row.state == PostmortemState.DRAFT:
        return
    gaps = rules.action_item_gaps(rules.ActionItemFacts(title=title, driver=driver, review_date=review_date))
    if gaps:
        words = {"driver": "Name the person who gets it done.", "review_date": "Say when you will look at it together."}
        raise Invalid({gap: words[gap] for gap in gaps})


def move(actor: Actor, ref: str | int, state: str, *, now: datetime) -> Postmortem:
    """Change the status: draft, in_review, reviewed, closed. Raises Refused with what is missing."""
    if state not in {member.value for member in PostmortemState}:
        raise Invalid({"state": "Choose draft, in_review, reviewed or closed."})
    with transaction.atomic():
        row = _writable(actor, ref)
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
        former, row.state = row.state, target.value
        row.reviewed_at = now if target is PostmortemState.REVIEWED else row.reviewed_at
        row.closed_at = now if target is PostmortemState.CLOSED else None
        _touch(row, ["state", "reviewed_at", "closed_at"], now=now)
        entry = _log(actor, row, Kind.POSTMORTEM_MOVED, {"old": former, "new": target.value}, now=now)
        if target is PostmortemState.REVIEWED:
            _settle_obligation(row, evidence=entry, now=now)
        return row


def _settle_obligation(row: Postmortem, *, evidence: int, now: datetime) -> None:
    open_duty = row.incident.obligations.filter(kind=ObligationKind.POSTMORTEM, state=ObligationState.OPEN).first()
    if open_duty is not None:
        reference = f"postmortem of {row.incident.ref}"
        incidents.fulfil_obligation(SYSTEM, open_duty.pk, reference=reference, evidence_seq=evidence, now=now)


def _writable(actor: Actor, ref: str | int) -> Postmortem:
    row = _locked_postmortem(queries.postmortem(actor, ref))
    team = row.incident.team.name if row.incident.team else None
    require(actor, Right.POSTMORTEM_WRITE, team=team)
    return row


def _locked_postmortem(row: Postmortem) -> Postmortem:
    return db.lock(Postmortem.objects.filter(pk=row.pk).select_related("incident")).get()


def _locked(rows: Any) -> Incident:
    incident: Incident = db.lock(rows).get()
    return incident


def _touch(row: Postmortem, fields: list[str], *, now: datetime) -> None:
    row.updated_at = now
    row.version += 1
    row.save(update_fields=[*fields, "updated_at", "version"])


def _log(actor: Actor, row: Postmortem, kind: Kind, data: dict[str, Any], *, now: datetime) -> int:
    entries = audit.record(
        actor, [Fact(kind=kind, incident=row.incident.ref, data={"postmortem": row.pk, **data})], now=now
    )
    return entries[0].seq
