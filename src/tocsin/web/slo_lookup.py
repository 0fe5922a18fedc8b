"""The SLO an address names, with its service."""

from __future__ import annotations

from django.http import HttpRequest

from tocsin.core.errors import NotFound
from tocsin.slo import queries
from tocsin.slo.models import Objective
from tocsin.web import asking


def asked_for(request: HttpRequest, service: str, name: str) -> Objective:
    """The SLO of that name, of that very service. Raises NotFound."""
    found = queries.objective(asking.actor(request), name)
    if found.service.name != service:
        raise NotFound(f"There is no SLO called {name!r} of {service!r}.")
    return found
