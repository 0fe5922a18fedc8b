"""Whoever opens the demo is Ana, who is on call: nobody should have to sign in to look."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse

from tocsin.people.models import Person

VISITOR = "ana"
SIGNED_OUT = ("/accounts/", "/login-link/", "/p/", "/api/", "/static/")


class Visitor:
    """Signs a browser without a session in as the visitor. Only in the demo's settings."""

    def __init__(self, handler: Callable[[HttpRequest], HttpResponse]) -> None:
        self.handler = handler

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.user.is_authenticated and not request.path.startswith(SIGNED_OUT):
            person = Person.objects.filter(username=VISITOR).first()
            if person is not None:
                login(request, person, backend="django.contrib.auth.backends.ModelBackend")
        return self.handler(request)
