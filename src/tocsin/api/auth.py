"""Who asks the API: a token, or the session of a signed-in browser (with its CSRF token)."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja.security import HttpBearer, SessionAuth

from tocsin.core.access import Actor
from tocsin.people import queries as people
from tocsin.platform import clock


class TokenAuth(HttpBearer):
    def authenticate(self, request: HttpRequest, token: str) -> Any:
        return people.actor_for_token(token, now=clock.now())


class BrowserAuth(SessionAuth):
    def authenticate(self, request: HttpRequest, key: str | None) -> Any:
        user = request.user
        return people.actor_of(user) if user.is_authenticated and user.is_active else None


def actor(request: HttpRequest) -> Actor:
    """Whoever asks; acting for another person is an administrator's, with `X-Acting-For: NAME`."""
    asking: Actor = request.auth  # type: ignore[attr-defined]
    return asking
