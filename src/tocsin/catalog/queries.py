"""Reads about services."""

from __future__ import annotations

from tocsin.catalog.models import Service
from tocsin.core.access import Actor, Right, require
from tocsin.core.errors import NotFound


def services(actor: Actor) -> list[Service]:
    """Every service by name, with its team, its aliases and what it depends on at hand."""
    require(actor, Right.CATALOG_READ)
    rows = Service.objects.select_related("team").prefetch_related("aliases", "dependencies__depends_on")
    return list(rows.order_by("name"))


def service(actor: Actor, name: str) -> Service:
    """The service that answers to `name`. Raises NotFound."""
    require(actor, Right.CATALOG_READ)
    return known_service(name)


def known_service(name: str) -> Service:
    """The service that answers to `name`, for actions of the domains above. Raises NotFound."""
    found = find_service(name)
    if found is None:
        raise NotFound(f"There is no service called {name!r}.")
    return found


def find_service(name: str) -> Service | None:
    """The service with this name or alias in any case; None for a name from outside that nobody has."""
    wanted = name.strip().lower()
    if not wanted or "\x00" in wanted:
        return None
    rows = Service.objects.select_related("team")
    return rows.filter(aliases__name=wanted).first() or rows.filter(name__iexact=wanted).first()


def catch_all() -> Service:
    """The service that takes what fits nowhere else. Raises NotFound before the first start."""
    found = Service.objects.select_related("team").filter(is_catch_all=True).first()
    if found is None:
        raise NotFound("The catch-all service is missing; it is made when the server starts.")
    return found


def service_or_catch_all(name: str) -> Service:
    """Where a signal that names `name` belongs: nothing is ever homeless."""
    return find_service(name) or catch_all()


def depends_on(of: Service) -> list[Service]:
    """What `of` needs to work, by name."""
    return list(Service.objects.filter(consumers__service=of).order_by("name"))


def consumers(of: Service) -> list[Service]:
    """Who needs `of` to work, by name."""
    return list(Service.objects.filter(dependencies__depends_on=of).order_by("name"))


def in_maintenance(of: Service) -> bool:
    return of.maintenance_since is not None
