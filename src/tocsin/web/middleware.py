"""One clock reading, one actor and one set of headers for each request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse

from tocsin.people import queries as people
from tocsin.platform import clock

Handler = Callable[[HttpRequest], HttpResponse]

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; "
    "manifest-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)


class SecurityHeaders:
    """No inline script or style, nothing from another host, no framing."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.handler(request)
        response.headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("X-Frame-Options", "DENY")
        response.headers.setdefault("Referrer-Policy", "same-origin")
        return response


class RequestContext:
    """`request.now` and `request.actor`; pages of signed-in people are never kept by shared caches."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.now = clock.now()  # type: ignore[attr-defined]
        request.actor = people.actor_of(request.user)  # type: ignore[attr-defined]
        response = self.handler(request)
        if request.user.is_authenticated:
            response.headers.setdefault("Cache-Control", "no-store")
        return response

    def process_view(
        self,
        request: HttpRequest,
        view: Callable[..., HttpResponse],
        args: tuple[Any, ...],  # noqa: ARG002 - Django's interface
        kwargs: dict[str, Any],  # noqa: ARG002
    ) -> HttpResponse | None:
        """Pages are for people who signed in, except those that say otherwise (`login_not_required`)."""
        if request.user.is_authenticated or not view.__module__.startswith("tocsin.web."):
            return None
        if not getattr(view, "login_required", True):
            return None
        return redirect_to_login(request.get_full_path() if request.method == "GET" else "/")
