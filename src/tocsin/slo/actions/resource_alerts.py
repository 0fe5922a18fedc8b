"""Registering resource-based alerts and replacing them by SLOs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db import transaction

from tocsin.audit import actions as audit
from tocsin.audit.actions import Fact
from tocsin.catalog import queries as catalog
from tocsin.catalog.models import Service
from tocsin.core.access import Actor, Right, require
from tocsin.core.alert_replacement import STEPS, Replacement, may_become
from tocsin.core.errors import Invalid, NotFound, Refused
from tocsin.core.facts import Kind
from tocsin.platform import db
from tocsin.platform.text import clean, one_line, slug
from tocsin.slo.actions.naming import checked_name
from tocsin.slo.models import Objective, ResourceAlert, ResourceAlertStep


def save_resource_alert(
    actor: Actor,
    *,
    alert_name: str,
    service: str,
    name: str = "",
    metric: str = "",
    use_case: str = "",
    runbook_url: str = "",
    interim: bool = False,
    now: datetime,
) -> ResourceAlert:
    """Register the alert that its sender calls `alert_name` of a service, or change what is known of it.

    The same again writes nothing. Raises Invalid for an unknown service, a taken or unfit name, a wrong address.
    """
    told = one_line(clean(alert_name))
    if not told:
        raise Invalid({"alert_name": "Say how the sender calls this alert."})
    with transaction.atomic():
        owner = _service(service)
        require(actor, Right.SLO_WRITE, team=owner.team.name if owner.team else None)
        fields = {
            "metric": one_line(clean(metric), limit=100),
            "use_case": one_line(clean(use_case)),
            "runbook_url": _address(runbook_url),
            "interim": interim,
        }
        db.advisory_lock("tocsin.slo.resource_alerts")
        found = ResourceAlert.objects.filter(service=owner, alert_name=told).first()
        if found is not None:
            return _change(actor, found, fields, now=now)
        return _add(actor, owner, told, _free(name, told), fields, now=now)


def _add(actor: Actor, owner: Service, told: str, name: str, fields: dict[str, Any], *, now: datetime) -> ResourceAlert:
    row = ResourceAlert.objects.create(
        name=name, alert_name=told, service=owner, created_by=actor.ident, created_at=now, **fields
    )
    ResourceAlertStep.objects.create(alert=row, state=Replacement.ACTIVE, at=now, by=actor.ident)
    _tell(actor, row, {"change": "added", **fields}, now=now)
    return row


def _change(actor: Actor, row: ResourceAlert, fields: dict[str, Any], *, now: datetime) -> ResourceAlert:
    changed = {key: value for key, value in fields.items() if getattr(row, key) != value}
    if changed:
        for key, value in changed.items():
            setattr(row, key, value)
        row.save(update_fields=list(changed))
        _tell(actor, row, {"change": "changed", **changed}, now=now)
    return row


def move_resource_alert(
    actor: Actor, name: str, state: str, *, replaced_by: str = "", reason: str = "", now: datetime
) -> ResourceAlert:
    """Plan, record or take back the replacement of a resource alert, or retire it.

    `replaced` needs the name of the SLO. Raises Refused for a step that cannot be taken from where it stands.
    """
    if state not in set(Replacement):
        raise Invalid({"state": f"Choose one of {', '.join(Replacement)}."})
    wanted = Replacement(state)
    with transaction.atomic():
        row = db.lock(ResourceAlert.objects.select_related("service__team").filter(name=name)).first()
        if row is None:
            raise NotFound(f"There is no resource alert called {name!r}.")
        require(actor, Right.SLO_WRITE, team=row.service.team.name if row.service.team else None)
        objective = _replacing(wanted, replaced_by)
        if row.state == wanted and row.replaced_by == objective:
            return row
        _check_step(row, wanted)
        row.state, row.replaced_by = wanted.value, objective
        row.save(update_fields=["state", "replaced_by"])
        ResourceAlertStep.objects.create(
            alert=row, state=wanted, replaced_by=objective, reason=clean(reason), at=now, by=actor.ident
        )
        data = {"change": wanted.value, "slo": objective.name if objective else None, "reason": clean(reason)}
        _tell(actor, row, data, now=now)
    return row


def _check_step(row: ResourceAlert, wanted: Replacement) -> None:
    present = Replacement(row.state)
    if present is not wanted and not may_become(present, wanted):
        ways = ", ".join(sorted(STEPS[present]))
        raise Refused(f"{row.label} is {present.value}; from there it becomes {ways}.", reason="no_such_step")


def _replacing(wanted: Replacement, name: str) -> Objective | None:
    if wanted is not Replacement.REPLACED:
        if name:
            raise Invalid({"replaced_by": "An SLO is named only for what it has replaced."})
        return None
    found = Objective.objects.filter(name=name, retired_at=None).first()
    if found is None:
        text = (
            f"There is no SLO called {one_line(name, limit=60)!r} in use." if name else "Name the SLO that replaces it."
        )
        raise Invalid({"replaced_by": text})
    return found


def _service(name: str) -> Service:
    found = catalog.find_service(name)
    if found is None:
        raise Invalid({"service": f"There is no service called {one_line(name, limit=60)!r}."})
    return found


def _address(url: str) -> str:
    stripped = url.strip()
    if stripped:
        try:
            URLValidator(schemes=["http", "https"])(stripped)
        except ValidationError:
            raise Invalid({"runbook_url": "Give an address that begins with http:// or https://."}) from None
    return stripped


def _free(name: str, told: str) -> str:
    """The name asked for, else one made of the alert's; a number is added where that one is taken."""
    if name:
        if ResourceAlert.objects.filter(name=checked_name(name)).exists():
            raise Invalid({"name": f"There is a resource alert called {name} already."})
        return name
    base = slug(told, limit=58) or "resource-alert"
    taken = set(ResourceAlert.objects.filter(name__startswith=base).values_list("name", flat=True))
    return next(one for one in (base, *(f"{base}-{number}" for number in range(2, len(taken) + 3))) if one not in taken)


def _tell(actor: Actor, row: ResourceAlert, data: dict[str, Any], *, now: datetime) -> None:
    told = {"resource_alert": row.name, "alert_name": row.alert_name, "service": row.service.name, **data}
    audit.record(actor, [Fact(kind=Kind.RESOURCE_ALERT_SAVED, data=told)], now=now)
