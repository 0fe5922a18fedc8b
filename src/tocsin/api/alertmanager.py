"""Alertmanager's API v2, the part that reads and the silences; alerts come in through the intake's door.

amtool and Grafana talk to this. Who asks is said by Bearer or Basic authorization; with Basic the password is the token.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from importlib.metadata import version
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import URLPattern, URLResolver, path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods

from tocsin.alerts import actions, queries
from tocsin.alerts.models import Alert
from tocsin.api import shapes
from tocsin.core.access import Actor
from tocsin.core.errors import Invalid, NotAllowed, NotFound, TocsinError
from tocsin.people import queries as people
from tocsin.platform import clock

View = Callable[..., HttpResponse]
STATUS_OF = {Invalid: 400, NotFound: 404, NotAllowed: 403}
STARTED_AT = clock.wall_now()


def asked(view: View) -> View:
    """Find out who asks; a refusal is a JSON string, as Alertmanager says it."""

    @csrf_exempt  # authorised by header, never by cookie
    @wraps(view)
    def guarded(request: HttpRequest, **parts: str) -> HttpResponse:
        actor = people.actor_for_token(_token(request), now=clock.now())
        if actor is None:
            answer = JsonResponse("who asks? send a token as Bearer or as the Basic password", safe=False, status=401)
            answer.headers["WWW-Authenticate"] = 'Basic realm="Tocsin"'
            return answer
        try:
            return view(request, actor, **parts)
        except TocsinError as refusal:
            return JsonResponse(refusal.message, safe=False, status=STATUS_OF.get(type(refusal), 409))

    return guarded


def _token(request: HttpRequest) -> str:
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(value, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""


@require_GET
@asked
def status(_request: HttpRequest, _actor: Actor) -> HttpResponse:
    info = {
        "version": "0.25.0",
        "branch": "tocsin",
        "buildDate": "",
        "buildUser": "",
        "goVersion": "",
        "revision": version("tocsin"),
    }
    return JsonResponse(
        {
            "cluster": {"status": "disabled", "peers": []},
            "config": {"original": ""},
            "uptime": shapes.at(STARTED_AT),
            "versionInfo": info,
        }
    )


@require_GET
@asked
def alerts(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The alerts that fire, those that are silenced only when asked for."""
    now = clock.now()
    wanted = {name: request.GET.get(name, "true") != "false" for name in ("active", "silenced")}
    shown = [_alert(row, now=now) for row in queries.foreign_alerts(actor)]
    keep = {"active": wanted["active"], "suppressed": wanted["silenced"]}
    return JsonResponse([one for one in shown if keep[one["status"]["state"]]], safe=False)


@require_GET
@asked
def groups(_request: HttpRequest, actor: Actor) -> HttpResponse:
    """One group, because grouping is off unless a route switches it on."""
    now = clock.now()
    shown = [_alert(row, now=now) for row in queries.foreign_alerts(actor)]
    one = {"labels": {}, "receiver": {"name": "tocsin"}, "alerts": shown}
    return JsonResponse([one] if shown else [], safe=False)


@require_GET
@asked
def receivers(_request: HttpRequest, _actor: Actor) -> HttpResponse:
    return JsonResponse([{"name": "tocsin"}], safe=False)


@require_http_methods(["GET", "POST"])
@asked
def silences(request: HttpRequest, actor: Actor) -> HttpResponse:
    """List silences, or make one."""
    now = clock.now()
    if request.method == "POST":
        told = _document(request)
        row = actions.add_silence(
            actor,
            matchers=told.get("matchers") or [],
            starts_at=_instant(told, "startsAt"),
            ends_at=_instant(told, "endsAt"),
            created_by=str(told.get("createdBy", "")),
            comment=str(told.get("comment", "")),
            replaces=str(told.get("id") or ""),
            now=now,
        )
        return JsonResponse({"silenceID": str(row.uuid)})
    return JsonResponse([shapes.silence(row, now=now) for row in queries.silences(actor)], safe=False)


@require_http_methods(["GET", "DELETE"])
@asked
def silence(request: HttpRequest, actor: Actor, uuid: str) -> HttpResponse:
    """Show one silence, or end it."""
    now = clock.now()
    if request.method == "DELETE":
        actions.expire_silence(actor, uuid, now=now)
        return HttpResponse(status=200)
    return JsonResponse(shapes.silence(queries.silence(actor, uuid), now=now))


def _alert(row: Alert, *, now: datetime) -> dict[str, Any]:
    by = queries.silenced_by(row, now=now)
    return {
        "labels": row.labels,
        "annotations": row.annotations,
        "startsAt": shapes.at(row.starts_at),
        "endsAt": shapes.at(row.ends_at or now),
        "updatedAt": shapes.at(row.last_received_at),
        "generatorURL": row.generator_url,
        "fingerprint": row.fingerprint,
        "receivers": [{"name": "tocsin"}],
        "status": {
            "state": "suppressed" if by else "active",
            "silencedBy": [by] if by else [],
            "inhibitedBy": [],
            "mutedBy": [],
        },
    }


def _document(request: HttpRequest) -> dict[str, Any]:
    try:
        told = json.loads(request.body)
    except ValueError:
        raise Invalid({"": "the body is no JSON"}) from None
    if not isinstance(told, dict):
        raise Invalid({"": "the body is no JSON object"})
    return told


def _instant(told: dict[str, Any], name: str) -> datetime:
    try:
        return datetime.fromisoformat(str(told[name])).astimezone(UTC)
    except (KeyError, ValueError):
        raise Invalid({name: "a time such as 2026-11-23T09:00:00Z is needed"}) from None


urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v2/status", status),
    path("api/v2/alerts", alerts),
    path("api/v2/alerts/groups", groups),
    path("api/v2/receivers", receivers),
    path("api/v2/silences", silences),
    path("api/v2/silence/<str:uuid>", silence),
]
