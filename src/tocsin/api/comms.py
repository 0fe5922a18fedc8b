"""Stakeholder updates, subscribers and groups over JSON."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema, Status

from tocsin.api import shapes
from tocsin.api.auth import actor
from tocsin.api.listing import listing
from tocsin.comms import actions, queries
from tocsin.platform import clock
from tocsin.process import actions as process
from tocsin.process import queries as process_queries

router = Router(tags=["stakeholders"])


class NewUpdate(Schema):
    text: str = ""
    subject: str = ""
    kind: str | None = None
    next_update_at: datetime | None = None
    next_in_seconds: int | None = None
    groups: list[str] | None = None
    no_change: bool = False
    draft: int | None = None


class NewDraft(Schema):
    text: str
    subject: str = ""


class Approval(Schema):
    """Words to approve in place of the draft's own; empty ones keep them."""

    text: str = ""
    subject: str = ""


class NewSubscriber(Schema):
    email: str
    service: str


class NewGroup(Schema):
    code: str
    name: str
    ring: int = 1
    is_management: bool = False
    purpose: str = ""


class NewGroupMember(Schema):
    email: str
    name: str = ""


class NewWebhook(Schema):
    url: str
    secret: str
    events: str = "incident.*"


class Rotation(Schema):
    secret: str
    overlap_seconds: int = 86400


@router.get("/incidents/{ref}/updates")
def updates(request: HttpRequest, ref: str) -> dict[str, Any]:
    return listing(queries.updates(actor(request), ref), shapes.update)


@router.get("/incidents/{ref}/updates/draft")
def draft(request: HttpRequest, ref: str) -> dict[str, Any]:
    """The next update as we would write it from the record; nothing is sent."""
    found = actions.draft_update(actor(request), ref, now=clock.now())
    return {
        "kind": found.kind,
        "subject": found.subject,
        "text": found.text,
        "next_update_at": shapes.at(found.next_update_at),
        "groups": list(found.groups),
        "recipients": found.recipients,
    }


@router.post("/incidents/{ref}/updates", response={201: dict[str, Any]})
def send(request: HttpRequest, ref: str, body: NewUpdate) -> Status[dict[str, Any]]:
    """Send an update; all but the closing one say by when the next will come."""
    now = clock.now()
    soon = now + timedelta(seconds=body.next_in_seconds) if body.next_in_seconds else None
    row = actions.send_update(
        actor(request),
        ref,
        text=body.text,
        subject=body.subject,
        kind=body.kind,
        next_update_at=body.next_update_at or soon,
        groups=body.groups,
        no_change=body.no_change,
        draft=body.draft,
        now=now,
    )
    return Status(201, shapes.update(row))


@router.get("/incidents/{ref}/updates/drafts")
def drafts(request: HttpRequest, ref: str) -> dict[str, Any]:
    """The drafts that people wrote and nobody sent yet."""
    return listing(queries.drafts(actor(request), ref), shapes.update_draft)


@router.post("/incidents/{ref}/updates/drafts", response={201: dict[str, Any]})
def write_draft(request: HttpRequest, ref: str, body: NewDraft) -> Status[dict[str, Any]]:
    """Propose words for an update; nobody is told."""
    row = actions.write_draft(actor(request), ref, text=body.text, subject=body.subject, now=clock.now())
    return Status(201, shapes.update_draft(row))


@router.post("/incidents/{ref}/updates/drafts/{draft_id}/approve")
def approve_draft(request: HttpRequest, ref: str, draft_id: int, body: Approval) -> dict[str, Any]:
    """Say that a draft may go out; sending an update with `draft` sends it."""
    who, words = actor(request), {"text": body.text, "subject": body.subject}
    return shapes.update_draft(actions.approve_draft(who, ref, draft_id, now=clock.now(), **words))


@router.delete("/incidents/{ref}/updates/drafts/{draft_id}", response={204: None})
def drop_draft(request: HttpRequest, ref: str, draft_id: int) -> Status[None]:
    actions.drop_draft(actor(request), ref, draft_id, now=clock.now())
    return Status(204, None)


@router.get("/subscribers")
def subscribers(request: HttpRequest, service: str = "") -> dict[str, Any]:
    return listing(queries.subscribers(actor(request), service=service or None), shapes.subscriber)


@router.post("/subscribers", response={201: dict[str, Any]})
def add_subscriber(request: HttpRequest, body: NewSubscriber) -> Status[dict[str, Any]]:
    row = actions.add_subscriber(actor(request), email=body.email, service=body.service, now=clock.now())
    return Status(201, shapes.subscriber(row))


@router.get("/groups")
def groups(request: HttpRequest) -> dict[str, Any]:
    return listing(process_queries.groups(actor(request)), shapes.group)


@router.post("/groups", response={201: dict[str, Any]})
def add_group(request: HttpRequest, body: NewGroup) -> Status[dict[str, Any]]:
    row = process.add_group(
        actor(request),
        code=body.code,
        name=body.name,
        ring=body.ring,
        is_management=body.is_management,
        purpose=body.purpose,
        now=clock.now(),
    )
    return Status(201, shapes.group(row))


@router.post("/groups/{code}/members", response={201: dict[str, Any]})
def add_group_member(request: HttpRequest, code: str, body: NewGroupMember) -> Status[dict[str, Any]]:
    process.add_group_member(actor(request), group=code, email=body.email, name=body.name, now=clock.now())
    return Status(201, {"group": code, "email": body.email})


@router.get("/webhooks")
def webhooks(request: HttpRequest) -> dict[str, Any]:
    return listing(queries.webhooks(actor(request)), shapes.webhook)


@router.post("/webhooks", response={201: dict[str, Any]})
def add_webhook(request: HttpRequest, body: NewWebhook) -> Status[dict[str, Any]]:
    row = actions.add_webhook(actor(request), url=body.url, secret=body.secret, events=body.events, now=clock.now())
    return Status(201, shapes.webhook(row))


@router.post("/webhooks/{webhook_id}/rotate")
def rotate_webhook(request: HttpRequest, webhook_id: int, body: Rotation) -> dict[str, Any]:
    """A new secret; the old one signs too until the overlap ends."""
    row = actions.rotate_webhook(
        actor(request), webhook_id, secret=body.secret, overlap_seconds=body.overlap_seconds, now=clock.now()
    )
    return shapes.webhook(row)


@router.get("/webhooks/{webhook_id}/deliveries")
def webhook_deliveries(request: HttpRequest, webhook_id: int) -> dict[str, Any]:
    found = queries.webhook_deliveries(actor(request), webhook_id)
    return listing(
        found, lambda one: {"id": one.message.key, "status": one.outcome, "at": shapes.at(one.at), "detail": one.detail}
    )
