"""The only writers of postmortems and action items."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import Max

from tocsin.audit import actions as audit
from tocsin.audit.actions import Fact
from tocsin.core import postmortem_rules as rules
from tocsin.core.access import SYSTEM, Actor, ActorKind, Right, Role, require
from tocsin.core.errors import Conflict, Invalid, NotFound, Refused
from tocsin.core.facts import Kind
from tocsin.core.obligation_facts import ObligationKind
from tocsin.core.postmortem_rules import PostmortemState, StepReason
from tocsin.incidents import actions as incidents
from tocsin.incidents import queries as incident_queries
from tocsin.incidents import snapshots as incident_snapshots
from tocsin.incidents.models import Incident, Obligation, ObligationState, State
from tocsin.people.models import Person
from tocsin.platform import db
from tocsin.platform.text import clean
from tocsin.postmortems import drafting, queries
from tocsin.postmortems.models import ActionItem, ActionStatus, Postmortem, TimelineEntry
from tocsin.postmortems.snapshots import item_data, item_facts
from tocsin.process import queries as process

log = logging.getLogger(__name__)

ENDED = (State.RESOLVED, State.CLOSED)
CERTAINTIES = ("recorded", "estimated", "disputed")
HORIZONS = ("immediate", "systemic")
_TEXTS: Mapping[str, int] = {
    "title": 300,
    "driver": 150,
    "horizon": 0,
    "category": 63,
    "definition_of_done": 0,
    "external_url": 500,
    "status": 0,
}
"""Fields of an action item that hold text, with the most characters (0: as many as one likes, or a known word)."""
_CHANGEABLE = set(_TEXTS) - {"category"} | {"review_date", "due_date", "rank"}

REFUSALS = {
    StepReason.NOT_FROM_HERE: "A postmortem in {state} cannot become {target}.",
    StepReason.ACTION_ITEM_INCOMPLETE: "Each action item needs a driver and a review date. Missing: {missing}.",
    StepReason.SECTION_MISSING: "These sections are still empty: {missing}.",
    StepReason.ACTION_ITEM_OPEN: "These action items are neither done nor tracked elsewhere: {missing}.",
    StepReason.EXTERNAL_MESSAGE_OPEN: "The message to the outside is not settled yet.",
}


def draft_missing(*, now: datetime, limit: int = 20) -> int:
    """Draft what ended incidents owe, and let drafts follow their log. Returns how many postmortems were written to."""
    owed = Obligation.objects.filter(
        kind=ObligationKind.POSTMORTEM,
        state=ObligationState.OPEN,
        incident__state__in=ENDED,
        incident__postmortem__isnull=True,
    )
    incident_ids = list(owed.values_list("incident_id", flat=True).distinct()[:limit])
    done = sum(_each(_draft_owed, incident_id, now=now) for incident_id in incident_ids)
    return done + sum(_each(_follow, row_id, now=now) for row_id in queries.behind_the_log(limit=limit))


def _each(work: Callable[..., bool], row_id: int, *, now: datetime) -> bool:
    try:
        with transaction.atomic():
            return work(row_id, now=now)
    except Exception:  # the boundary of one row: the others are written all the same
        log.exception("the postmortem work on row %s failed", row_id)
        return False


def _draft_owed(incident_id: int, *, now: datetime) -> bool:
    incident = _locked_incident(incident_id)
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
        incident = _locked_incident(incident_queries.incident(actor, ref).pk)
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


def _locked_incident(incident_id: int) -> Incident:
    related = ("service", "team", "objective", "acknowledged_by", "process_version")
    rows = Incident.objects.filter(pk=incident_id).select_related(*related).defer("process_version__document")
    return db.lock(rows).get()


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
        row.sections = {**row.sections, section: clean(text)}
        _touch(row, ["sections"], now=now)
        _log(actor, row, Kind.POSTMORTEM_EDITED, {"section": section, "length": len(text)}, now=now)
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
        row = _writable(actor, ref)
        entry = TimelineEntry.objects.create(postmortem=row, at=at, text=said, author=actor.ident, certainty=certainty)
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
    said = {"title": title, "driver": driver, "horizon": horizon, "category": category}
    texts = _checked(said | {"definition_of_done": definition_of_done})
    with transaction.atomic():
        incident = _locked_incident(incident_queries.incident(actor, ref).pk)
        require(actor, Right.POSTMORTEM_WRITE, team=incident.team.name if incident.team else None)
        row = Postmortem.objects.filter(incident=incident).first()
        _must_be_complete_after_draft(row, texts["title"], texts["driver"], review_date)
        item = ActionItem.objects.create(
            incident=incident,
            postmortem=row,
            review_date=review_date,
            due_date=due_date,
            rank=incident.actions.count(),
            created_at=now,
            **texts,
        )
        audit.record(actor, [Fact(kind=Kind.ACTION_ADDED, incident=incident.ref, data=item_data(item))], now=now)
        return item


def change_action(actor: Actor, action_id: int, *, now: datetime, **changes: Any) -> ActionItem:
    """Change title, driver, review_date, due_date, status, definition_of_done, rank or external_url of an item.

    A review date moved while the item is not done counts as a postponement.
    """
    unknown = set(changes) - _CHANGEABLE
    if unknown:
        raise Invalid(dict.fromkeys(sorted(unknown), "This cannot be changed."))
    changes |= _checked({name: value for name, value in changes.items() if name in _TEXTS})
    with transaction.atomic():
        rows = ActionItem.objects.filter(pk=action_id).select_related("incident__team", "postmortem")
        item = db.lock(rows).first()
        if item is None:
            raise NotFound(f"There is no action item {action_id}.")
        if not _drives(actor, item):
            require(actor, Right.POSTMORTEM_WRITE, team=item.incident.team.name if item.incident.team else None)
        _apply(item, changes, now=now)
        _must_be_complete_after_draft(item.postmortem, item.title, item.driver, item.review_date)
        item.save(update_fields=[*changes, "started_at", "done_at", "postponements"])
        data = item_data(item) | {"changed": sorted(changes), "status": item.status}
        audit.record(actor, [Fact(kind=Kind.ACTION_CHANGED, incident=item.incident.ref, data=data)], now=now)
        return item


def _drives(actor: Actor, item: ActionItem) -> bool:
    """The driver changes the own item; a name alone is no proof, so it must be a person who may still act."""
    himself = actor.kind is ActorKind.PERSON and actor.role is not Role.REVOKED
    return himself and bool(item.driver) and actor.ident == item.driver


def _checked(texts: Mapping[str, Any]) -> dict[str, str]:
    """Texts of an item as they are stored. Raises Invalid for a field that is too long, empty, or no known word."""
    stored = {name: clean(str(value or "")).strip() for name, value in texts.items()}
    faults = {
        name: f"Keep it under {limit} characters."
        for name, limit in _TEXTS.items()
        if limit and len(stored.get(name, "")) > limit
    }
    if "title" in stored and not stored["title"]:
        faults["title"] = "Say what is to be done, beginning with a verb."
    if "horizon" in stored and stored["horizon"] not in HORIZONS:
        faults["horizon"] = f"It is one of {', '.join(HORIZONS)}."
    if stored.get("external_url") and not stored["external_url"].startswith(("http://", "https://")):
        faults["external_url"] = "A link begins with https://."
    if "status" in stored and stored["status"] not in ActionStatus.values:
        faults["status"] = f"Choose one of: {', '.join(ActionStatus.values)}."
    if faults:
        raise Invalid(faults)
    return stored


def _apply(item: ActionItem, changes: dict[str, Any], *, now: datetime) -> None:
    former = item.review_date
    for name, value in changes.items():
        setattr(item, name, value)
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
    rows = Postmortem.objects.filter(pk=row.pk).select_related("incident__team", "incident__process_version")
    return db.lock(rows.defer("incident__process_version__document")).get()


def _touch(row: Postmortem, fields: list[str], *, now: datetime) -> None:
    row.updated_at = now
    row.version += 1
    row.save(update_fields=[*fields, "updated_at", "version"])


def _log(actor: Actor, row: Postmortem, kind: Kind, data: dict[str, Any], *, now: datetime) -> int:
    entries = audit.record(
        actor, [Fact(kind=kind, incident=row.incident.ref, data={"postmortem": row.pk, **data})], now=now
    )
    return entries[0].seq
