"""Persons, teams and tokens over JSON."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema, Status

from tocsin.api import shapes
from tocsin.api.auth import actor
from tocsin.api.listing import listing
from tocsin.people import actions, queries
from tocsin.platform import clock
from tocsin.platform.addresses import public_url

router = Router(tags=["people"])


class NewPerson(Schema):
    name: str
    email: str = ""
    display_name: str = ""
    role: str = "responder"
    time_zone: str = "UTC"


class NewTeam(Schema):
    name: str
    display_name: str = ""
    time_zone: str = "UTC"


class NewMember(Schema):
    person: str
    is_owner: bool = False


class NewContact(Schema):
    channel: str
    address: str
    secret: str = ""
    delay_seconds: int | None = None


class NewToken(Schema):
    name: str
    expires_at: datetime | None = None


class Fallback(Schema):
    email: str


@router.get("/me")
def me(request: HttpRequest) -> dict[str, Any]:
    asking = actor(request)
    return {
        "name": asking.ident,
        "display_name": asking.display_name,
        "role": asking.role,
        "teams": sorted(asking.teams),
    }


@router.get("/people")
def persons(request: HttpRequest) -> dict[str, Any]:
    return listing(queries.persons(actor(request)), shapes.person)


@router.post("/people", response={201: dict[str, Any]})
def add_person(request: HttpRequest, body: NewPerson) -> Status[dict[str, Any]]:
    row = actions.add_person(
        actor(request),
        username=body.name,
        email=body.email,
        display_name=body.display_name,
        role=body.role,
        time_zone=body.time_zone,
        now=clock.now(),
    )
    return Status(201, shapes.person(row))


@router.post("/people/{name}/contacts", response={201: dict[str, Any]})
def add_contact(request: HttpRequest, name: str, body: NewContact) -> Status[dict[str, Any]]:
    row = actions.add_contact_method(
        actor(request),
        username=name,
        channel=body.channel,
        address=body.address,
        secret=body.secret,
        delay=timedelta(seconds=body.delay_seconds) if body.delay_seconds else None,
        now=clock.now(),
    )
    return Status(201, {"id": row.pk, "channel": row.channel, "address": row.address})


@router.post("/people/{name}/login-link", response={201: dict[str, Any]})
def login_link(request: HttpRequest, name: str) -> Status[dict[str, Any]]:
    """An address that signs a browser in as this person, once."""
    secret = actions.create_login_link(actor(request), username=name, now=clock.now())
    return Status(201, {"url": f"{public_url(request.build_absolute_uri('/'))}/login-link/{secret}"})


@router.post("/people/{name}/tokens", response={201: dict[str, Any]})
def create_token(request: HttpRequest, name: str, body: NewToken) -> Status[dict[str, Any]]:
    """A new API token; its text is shown this once."""
    row, text = actions.create_token(
        actor(request), username=name, name=body.name, expires_at=body.expires_at, now=clock.now()
    )
    return Status(201, {"id": row.pk, "name": row.name, "token": text, "expires_at": shapes.at(row.expires_at)})


@router.get("/teams")
def teams(request: HttpRequest) -> dict[str, Any]:
    return listing(queries.teams(actor(request)), shapes.team)


@router.post("/teams", response={201: dict[str, Any]})
def add_team(request: HttpRequest, body: NewTeam) -> Status[dict[str, Any]]:
    row = actions.add_team(
        actor(request), name=body.name, display_name=body.display_name, time_zone=body.time_zone, now=clock.now()
    )
    return Status(201, shapes.team(row))


@router.post("/teams/{name}/members", response={201: dict[str, Any]})
def add_member(request: HttpRequest, name: str, body: NewMember) -> Status[dict[str, Any]]:
    actions.add_member(actor(request), team=name, username=body.person, is_owner=body.is_owner, now=clock.now())
    return Status(201, {"team": name, "person": body.person, "is_owner": body.is_owner})


@router.put("/settings/fallback-contact")
def fallback_contact(request: HttpRequest, body: Fallback) -> dict[str, Any]:
    """Who is told when nobody can be reached."""
    actions.set_fallback_contact(actor(request), email=body.email, now=clock.now())
    return {"email": body.email}
