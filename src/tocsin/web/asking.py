"""Who asks, when, and in which zone the answer is read: what the middleware hung on the request, with types."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import cast

from django.http import HttpRequest

from tocsin.core.access import Actor
from tocsin.people.models import Person
from tocsin.web.instants import zone_of


def actor(request: HttpRequest) -> Actor:
    """The actor that signed in; the anonymous one has no right."""
    return cast("Actor", request.actor)  # type: ignore[attr-defined]


def now(request: HttpRequest) -> datetime:
    """The one clock reading of this request."""
    return cast("datetime", request.now)  # type: ignore[attr-defined]


def zone(request: HttpRequest) -> tzinfo:
    """The viewer's zone; UTC for somebody who is not signed in."""
    return zone_of(request.user.time_zone) if isinstance(request.user, Person) else zone_of("UTC")
