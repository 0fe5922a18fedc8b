"""The only writers of the service catalog."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db import transaction
from django.db.models import ProtectedError

from tocsin.audit import actions as audit
from tocsin.audit.actions import Fact
from tocsin.catalog import queries
from tocsin.catalog.models import Alias, Dependency, Service
from tocsin.core.access import SYSTEM, Actor, Right, require
from tocsin.core.errors import Invalid, NotFound, Refused
from tocsin.core.facts import Kind
from tocsin.people import queries as people
from tocsin.people.models import Team
from tocsin.platform import db
from tocsin.platform.text import clean, one_line, slug

CATCH_ALL = "unrouted"
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?")
_ALIAS_LIMIT = 200


def add_service(
    actor: Actor,
    *,
    name: str,
    display_name: str = "",
    team: str | None = None,
    description: str = "",
    runbook_url: str = "",
    depends_on: Sequence[str] = (),
    aliases: Sequence[str] = (),
    labels: Mapping[str, str] | None = None,
    now: datetime,
) -> Service:
    """A new service, owned by the team of that name when given. Raises Invalid when a name is taken or unfit."""
    if queries.find_service(name) is not None:
        raise Invalid({"name": f"There is a service that answers to {name} already."})
    return save_service(
        actor,
        name=name,
        display_name=display_name,
        team=team,
        description=description,
        runbook_url=runbook_url,
        depends_on=depends_on,
        aliases=aliases,
        labels=labels or {},
        now=now,
    )


def save_service(
    actor: Actor,
    *,
    name: str,
    display_name: str | None = None,
    team: str | None = None,
    description: str | None = None,
    runbook_url: str | None = None,
    depends_on: Sequence[str] | None = None,
    aliases: Sequence[str] | None = None,
    labels: Mapping[str, str] | None = None,
    now: datetime,
) -> Service:
    """Make the service `name` be as given; what is None stays as it is. The same again writes nothing.

    Raises Invalid for an unfit name, address, dependency or alias; NotFound for an unknown team.
    """
    with transaction.atomic():
        db.advisory_lock("tocsin.catalog")
        found = Service.objects.select_related("team").filter(name=name).first()
        _may_write(actor, found, team)
        wanted = _wanted(display_name, team, description, runbook_url, labels)
        changed = _changed(found, wanted)
        service = _write(found, name, changed, now=now)
        if aliases is not None or found is None:
            changed |= _set_aliases(service, aliases or ())
        if depends_on is not None:
            changed |= _set_dependencies(service, depends_on)
        if changed or found is None:
            _tell(actor, service, changed, added=found is None, now=now)
    return service


def _may_write(actor: Actor, found: Service | None, team: str | None) -> None:
    """Owners write what their team has, and give it to nobody whose service they could not write."""
    if found is not None:
        require(actor, Right.CATALOG_WRITE, team=found.team.name if found.team else None)
    if found is None or team is not None:
        require(actor, Right.CATALOG_WRITE, team=team)


def _wanted(
    display_name: str | None,
    team: str | None,
    description: str | None,
    runbook_url: str | None,
    labels: Mapping[str, str] | None,
) -> dict[str, Any]:
    given = {
        "display_name": None if display_name is None else one_line(clean(display_name), limit=150),
        "team": None if team is None else people.team(team),
        "description": None if description is None else clean(description),
        "runbook_url": None if runbook_url is None else _checked_url(runbook_url),
        "labels": None if labels is None else {str(key): clean(str(value)) for key, value in labels.items()},
    }
    return {key: value for key, value in given.items() if value is not None}


def _checked_url(url: str) -> str:
    stripped = url.strip()
    if stripped:
        try:
            URLValidator(schemes=["http", "https"])(stripped)
        except ValidationError as error:
            raise Invalid({"runbook_url": "Give a whole address that begins with http:// or https://."}) from error
    return stripped


def _changed(found: Service | None, wanted: dict[str, Any]) -> dict[str, Any]:
    if found is None:
        return wanted
    return {key: value for key, value in wanted.items() if getattr(found, key) != value}


def _write(found: Service | None, name: str, changed: dict[str, Any], *, now: datetime) -> Service:
    if found is None:
        return Service.objects.create(name=_free_name(name), created_at=now, **changed)
    for key, value in changed.items():
        setattr(found, key, value)
    if changed:
        found.save(update_fields=list(changed))
    return found


def _free_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        proposal = slug(name) or "checkout"
        raise Invalid({"name": f"Use letters, digits, hyphens and underscores, at most 63: for example {proposal}."})
    if queries.find_service(name) is not None:
        raise Invalid({"name": f"There is a service that answers to {name} already."})
    return name


def _set_aliases(service: Service, aliases: Sequence[str]) -> dict[str, Any]:
    wanted = {alias.strip().lower() for alias in aliases} | {service.name.lower()}
    if unfit := [alias for alias in wanted if not alias or len(alias) > _ALIAS_LIMIT or "\x00" in alias]:
        raise Invalid({"aliases": f"{one_line(unfit[0], limit=60)!r} cannot be an alias."})
    taken = Alias.objects.filter(name__in=wanted).exclude(service=service).select_related("service").first()
    if taken is not None:
        raise Invalid({"aliases": f"{taken.service.name} answers to {taken.name} already."})
    present = set(service.aliases.values_list("name", flat=True))
    service.aliases.filter(name__in=present - wanted).delete()
    Alias.objects.bulk_create(Alias(service=service, name=name) for name in sorted(wanted - present))
    return {} if present == wanted else {"aliases": sorted(wanted)}


def _set_dependencies(service: Service, names: Sequence[str]) -> dict[str, Any]:
    needed = [_dependency(service, name) for name in names]
    wanted = {other.pk: other.name for other in needed}
    present = set(service.dependencies.values_list("depends_on_id", flat=True))
    service.dependencies.filter(depends_on__in=present - wanted.keys()).delete()
    Dependency.objects.bulk_create(
        Dependency(service=service, depends_on_id=pk) for pk in sorted(wanted.keys() - present)
    )
    return {} if present == wanted.keys() else {"depends_on": sorted(wanted.values())}


def _dependency(service: Service, name: str) -> Service:
    other = queries.find_service(name)
    if other is None:
        raise Invalid({"depends_on": f"There is no service called {name!r}."})
    if other.pk == service.pk:
        raise Invalid({"depends_on": "A service cannot depend on itself."})
    return other


def _tell(actor: Actor, service: Service, changed: dict[str, Any], *, added: bool, now: datetime) -> None:
    shown = {key: value.name if isinstance(value, Team) else value for key, value in changed.items()}
    data = {"service": service.name, "change": "added" if added else "changed", **shown}
    audit.record(actor, [Fact(kind=Kind.SERVICE_SAVED, data=data)], now=now)


def ensure_catch_all(*, now: datetime) -> Service:
    """Make sure that the catch-all service exists, so that no alert is ever homeless. Safe to call at every start."""
    try:
        return queries.catch_all()
    except NotFound:
        with transaction.atomic():
            service = save_service(
                SYSTEM,
                name=CATCH_ALL,
                display_name="Unrouted",
                description="Takes what names no known service.",
                now=now,
            )
            Service.objects.filter(pk=service.pk).update(is_catch_all=True)
        return queries.catch_all()


def set_maintenance(actor: Actor, name: str, on: bool, *, now: datetime) -> Service:
    """Begin or end maintenance of a service: new incidents stay quiet meanwhile. Setting the same again does nothing."""
    with transaction.atomic():
        service = queries.known_service(name)
        require(actor, Right.CATALOG_WRITE, team=service.team.name if service.team else None)
        if (service.maintenance_since is not None) == on:
            return service
        began = service.maintenance_since
        service.maintenance_since = now if on else None
        service.save(update_fields=["maintenance_since"])
        kind = Kind.SERVICE_MAINTENANCE_BEGAN if on else Kind.SERVICE_MAINTENANCE_ENDED
        data = {"service": service.name, "since": audit.stamp(began or now)}
        audit.record(actor, [Fact(kind=kind, data=data)], now=now)
    return service


def remove_service(actor: Actor, name: str, *, now: datetime) -> None:
    """Take a service that nothing refers to out of the catalog. Raises Refused for the catch-all and for one in use."""
    with transaction.atomic():
        service = queries.known_service(name)
        require(actor, Right.CATALOG_WRITE, team=service.team.name if service.team else None)
        if service.is_catch_all:
            raise Refused("The catch-all service stays: alerts that name no service go there.", reason="catch_all")
        removed = service.name
        try:
            with transaction.atomic():
                service.delete()
        except ProtectedError as error:
            raise Refused(
                f"{removed} is part of what happened: SLOs, alerts or incidents refer to it.",
                reason="in_use",
                remedy="Retire its SLOs and leave the service in the catalog.",
            ) from error
        audit.record(actor, [Fact(kind=Kind.SERVICE_REMOVED, data={"service": removed})], now=now)
