"""Action items: agreed work with a driver and a day on which people look at it together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from django.db import transaction

from tocsin.audit import actions as audit
from tocsin.audit.actions import Fact
from tocsin.core import postmortem_rules as rules
from tocsin.core.access import Actor, ActorKind, Right, Role, require
from tocsin.core.errors import Invalid, NotFound, Refused
from tocsin.core.facts import Kind
from tocsin.core.postmortem_rules import PostmortemState
from tocsin.incidents import queries as incident_queries
from tocsin.people import queries as people
from tocsin.platform import db
from tocsin.platform.text import clean
from tocsin.postmortems.actions.rows import locked_incident
from tocsin.postmortems.models import ActionItem, ActionReview, ActionStatus, Postmortem
from tocsin.postmortems.queries import SETTLED
from tocsin.postmortems.snapshots import item_data

HORIZONS = ("immediate", "systemic")
VERDICTS = ("done", "not_done", "dropped")
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
        incident = locked_incident(incident_queries.incident(actor, ref).pk)
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
        item = _held_item(actor, action_id)
        _apply(item, changes, now=now)
        _must_be_complete_after_draft(item.postmortem, item.title, item.driver, item.review_date)
        item.save(update_fields=[*changes, "started_at", "done_at", "postponements"])
        data = item_data(item) | {"changed": sorted(changes), "status": item.status}
        audit.record(actor, [Fact(kind=Kind.ACTION_CHANGED, incident=item.incident.ref, data=data)], now=now)
        return item


def _held_item(actor: Actor, action_id: int) -> ActionItem:
    """The item, locked; for its driver and whoever may write the postmortem. Raises NotFound, NotAllowed."""
    rows = ActionItem.objects.filter(pk=action_id).select_related("incident__team", "postmortem")
    item = db.lock(rows).first()
    if item is None:
        raise NotFound(f"There is no action item {action_id}.")
    if not _drives(actor, item):
        require(actor, Right.POSTMORTEM_WRITE, team=item.incident.team.name if item.incident.team else None)
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


def review_action(
    actor: Actor,
    action_id: int,
    *,
    verdict: str,
    participants: Iterable[str] = (),
    next_review: date | None = None,
    note: str = "",
    now: datetime,
) -> ActionItem:
    """People looked at an item together: it is done, not done, or dropped. What is not done gets another date.

    `participants` are user names; who says so took part, too. A review without being done counts as a postponement.
    Raises Invalid by field, NotFound for an unknown item or person, Refused for an item that is settled.
    """
    _check_review(verdict, next_review, note, now=now)
    with transaction.atomic():
        item = _held_item(actor, action_id)
        if item.status in SETTLED:
            raise Refused(f"It is {item.status} already.", reason="settled", remedy="Open it again first.")
        names = list(dict.fromkeys([*(people.person(name).username for name in participants), actor.ident]))
        due_on = item.review_date
        changes: dict[str, Any] = {"review_date": next_review} if verdict == "not_done" else {"status": verdict}
        _apply(item, changes, now=now)
        item.save(update_fields=[*changes, "started_at", "done_at", "postponements"])
        told = clean(note).strip()
        ActionReview.objects.create(
            item=item,
            at=now,
            by=actor.ident,
            participants=names,
            verdict=verdict,
            note=told,
            due_on=due_on,
            next_review=next_review if verdict == "not_done" else None,
        )
        data = item_data(item) | {"status": item.status, "verdict": verdict.replace("_", " "), "note": told}
        data |= {"participants": ", ".join(names), "due_on": str(due_on or ""), "postponements": item.postponements}
        audit.record(actor, [Fact(kind=Kind.ACTION_REVIEWED, incident=item.incident.ref, data=data)], now=now)
        return item


def _check_review(verdict: str, next_review: date | None, note: str, *, now: datetime) -> None:
    faults = {}
    if verdict not in VERDICTS:
        faults["verdict"] = f"It is one of {', '.join(VERDICTS)}."
    if verdict == "not_done" and next_review is None:
        faults["next_review"] = "Say when you look at it again."
    elif verdict == "not_done" and next_review is not None and next_review <= now.date():
        faults["next_review"] = "Choose a day that is still to come."
    if verdict == "dropped" and not note.strip():
        faults["note"] = "Say in a few words why it is dropped."
    if faults:
        raise Invalid(faults)
