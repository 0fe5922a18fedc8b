"""Sort an incident: service, cause class, environment, who feels it, and whether it is in our hands at all."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from tocsin.audit import actions as audit
from tocsin.audit.actions import Fact
from tocsin.core.access import Actor, Right
from tocsin.core.errors import Invalid
from tocsin.core.facts import Kind
from tocsin.core.incident_scope import LONGEST_ENVIRONMENT, LONGEST_SCOPE
from tocsin.incidents.actions import rank
from tocsin.incidents.actions.incident_row import fact, held, save
from tocsin.incidents.actions.moving import fill
from tocsin.incidents.models import Incident
from tocsin.platform.text import clean

_REASON = 1000
_SORTED = ("service_id", "category", "environment", "felt_in")


@rank.protected
def categorize(
    actor: Actor,
    ref: str | int,
    *,
    service: str | None = None,
    category: str | None = None,
    environment: str | None = None,
    scope: str | None = None,
    outside_our_control: bool | None = None,
    reason: str = "",
    now: datetime,
) -> Incident:
    """Sort an incident; what is None stays as it is. Also possible after the end: causes are found late.

    `outside_our_control` says that its cause lies with somebody else (a supplier, say), with a `reason`. Raises
    NotFound for an unknown service, Invalid without that reason.
    """
    with transaction.atomic():
        incident = held(ref)
        rank.require(actor, incident, Right.INCIDENT_CLASSIFY, now=now)
        before = [getattr(incident, name) for name in _SORTED]
        fill(incident, service, category)
        if environment is not None:
            incident.environment = clean(environment).strip()[:LONGEST_ENVIRONMENT]
        if scope is not None:
            incident.felt_in = clean(scope).strip()[:LONGEST_SCOPE]
        facts = []
        if [getattr(incident, name) for name in _SORTED] != before:
            facts.append(sorted_fact(incident))
        facts += _control(incident, outside_our_control, clean(reason).strip()[:_REASON])
        if facts:
            fields = ("service", "team", "category", "environment", "felt_in", "outside_our_control")
            save(incident, *fields, now=now)
            audit.record(actor, facts, now=now)
    return incident


def sorted_fact(incident: Incident) -> Fact:
    """How an incident is sorted now, whole."""
    return fact(
        incident,
        Kind.INCIDENT_CATEGORIZED,
        service=incident.service.name if incident.service else None,
        category=incident.category,
        environment=incident.environment,
        scope=incident.felt_in,
    )


def _control(incident: Incident, outside: bool | None, reason: str) -> list[Fact]:
    if outside is None or outside == incident.outside_our_control:
        return []
    if outside and not reason:
        raise Invalid({"reason": "Say in a few words whose it is."})
    incident.outside_our_control = outside
    finding = "It lies outside of our control" if outside else "It lies in our control after all"
    return [fact(incident, Kind.INCIDENT_CONTROL_STATED, outside=outside, finding=finding, reason=reason)]
