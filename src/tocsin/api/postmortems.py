"""Postmortems and action items over JSON."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.http import HttpRequest
from ninja import Field, Router, Schema, Status

from tocsin.api import shapes
from tocsin.api.auth import actor
from tocsin.api.listing import listing
from tocsin.platform import clock
from tocsin.postmortems import actions, queries

router = Router(tags=["postmortems"])


class Section(Schema):
    text: str
    version: int | None = None


class Moving(Schema):
    override: str = Field("", description="Why the meeting starts although a tension between people is open.")


class NewAction(Schema):
    incident: str
    title: str
    driver: str = ""
    review: date | None = None
    due: date | None = None
    horizon: str = "immediate"
    definition_of_done: str = ""


class ActionChange(Schema):
    title: str | None = None
    driver: str | None = None
    review: date | None = None
    due: date | None = None
    status: str | None = None


@router.get("/postmortems")
def postmortems(request: HttpRequest, state: str = "") -> dict[str, Any]:
    found = queries.postmortems(actor(request), state=state)
    return listing(found, lambda row: {"incident": row.incident.ref, "title": row.title, "state": row.state})


@router.get("/incidents/{ref}/postmortem")
def postmortem(request: HttpRequest, ref: str) -> dict[str, Any]:
    return shapes.postmortem(queries.postmortem(actor(request), ref))


@router.post("/incidents/{ref}/postmortem", response={201: dict[str, Any]})
def start(request: HttpRequest, ref: str) -> Status[dict[str, Any]]:
    """Begin one by hand, also where none is required."""
    actions.start_postmortem(actor(request), ref, now=clock.now())
    return Status(201, shapes.postmortem(queries.postmortem(actor(request), ref)))


@router.put("/incidents/{ref}/postmortem/sections/{section}")
def edit_section(request: HttpRequest, ref: str, section: str, body: Section) -> dict[str, Any]:
    actions.edit_section(actor(request), ref, section=section, text=body.text, version=body.version, now=clock.now())
    return shapes.postmortem(queries.postmortem(actor(request), ref))


@router.post("/incidents/{ref}/postmortem/state/{state}")
def move(request: HttpRequest, ref: str, state: str, body: Moving | None = None) -> dict[str, Any]:
    """On to another status; what is missing for it is named."""
    actions.move(actor(request), ref, state, override=body.override if body else "", now=clock.now())
    return shapes.postmortem(queries.postmortem(actor(request), ref))


@router.get("/actions")
def action_items(request: HttpRequest, open: bool = False, driver: str = "") -> dict[str, Any]:  # noqa: A002
    return listing(queries.actions(actor(request), open_only=open, driver=driver), shapes.action)


@router.post("/actions", response={201: dict[str, Any]})
def add_action(request: HttpRequest, body: NewAction) -> Status[dict[str, Any]]:
    row = actions.add_action(
        actor(request),
        body.incident,
        title=body.title,
        driver=body.driver,
        review_date=body.review,
        due_date=body.due,
        horizon=body.horizon,
        definition_of_done=body.definition_of_done,
        now=clock.now(),
    )
    return Status(201, shapes.action(row))


@router.patch("/actions/{action_id}")
def change_action(request: HttpRequest, action_id: int, body: ActionChange) -> dict[str, Any]:
    renamed = {"review": "review_date", "due": "due_date"}
    changes = {renamed.get(name, name): value for name, value in body.dict(exclude_unset=True).items()}
    return shapes.action(actions.change_action(actor(request), action_id, now=clock.now(), **changes))
