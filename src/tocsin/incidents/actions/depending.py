"""A consumer's incident follows from a provider's: linked, and otherwise its own, with its own priority and cadence."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from tocsin.audit import actions as audit
from tocsin.core.access import Actor, Right
from tocsin.core.errors import Invalid, NotFound, Refused
from tocsin.core.facts import Kind
from tocsin.incidents.actions import rank
from tocsin.incidents.actions.incident_row import fact, held, save
from tocsin.incidents.models import OPEN_STATES, Incident, IncidentLink, LinkKind
from tocsin.incidents.queries import number_of
from tocsin.slo.models import Objective

SLO = "slo:"
"""How a cause that is an SLO and not an incident is named: its breach may have opened none."""


@rank.protected
def link_upstream(actor: Actor, ref: str | int, upstream: str, *, now: datetime) -> Incident:
    """Say that an incident follows from `upstream`: an incident (INC-7) or an SLO (slo:NAME).

    Saying it twice changes nothing. Raises NotFound for an unknown incident, Invalid for an unknown cause, Refused
    where the cause is itself, or follows from it.
    """
    with transaction.atomic():
        incident = held(ref)
        rank.require(actor, incident, Right.INCIDENT_CLASSIFY, now=now)
        if attach(actor, incident, upstream, now=now):
            save(incident, now=now)
    return incident


def attach(actor: Actor, incident: Incident, cause: str, *, now: datetime) -> bool:
    """Part of the caller's transaction; False when it was said before."""
    upstream, objective = _cause(cause)
    if upstream is not None and incident.pk in {upstream.pk, *_upstream_of(upstream)}:
        raise Refused(f"{upstream.ref} follows from {incident.ref} itself.", reason="circle")
    known = IncidentLink.objects.filter(incident=incident, upstream=upstream)
    if known.filter(objective=objective).exists():
        return False
    IncidentLink.objects.create(
        incident=incident,
        kind=LinkKind.CAUSED_BY_UPSTREAM,
        upstream=upstream,
        objective=objective,
        linked_by=actor.ident,
        linked_at=now,
    )
    name = upstream.ref if upstream else objective.label if objective else cause
    facts = [
        fact(
            incident,
            Kind.INCIDENT_LINKED,
            link=LinkKind.CAUSED_BY_UPSTREAM.value,
            upstream=name,
            slo=objective.name if objective else None,
        )
    ]
    if upstream is not None:
        whose = incident.service.label if incident.service else ""
        facts.append(fact(upstream, Kind.INCIDENT_DEPENDED_ON, dependent=incident.ref, service=whose))
    audit.record(actor, facts, now=now)
    return True


def _cause(named: str) -> tuple[Incident | None, Objective | None]:
    """The incident and the SLO that are meant; for an SLO also the incident that is open for it."""
    text = named.strip()
    if text.startswith(SLO):
        objective = Objective.objects.filter(name=text.removeprefix(SLO)).first()
        if objective is None:
            raise Invalid({"caused_by": f"There is no SLO called {text.removeprefix(SLO)!r}."})
        rows = Incident.objects.filter(objective=objective, state__in=OPEN_STATES)
        return rows.order_by("-number").first(), objective
    try:
        number = number_of(text)
    except NotFound:
        number = 0
    upstream = Incident.objects.select_related("objective").filter(number=number).first()
    if upstream is None:
        raise Invalid({"caused_by": f"There is no incident {text}."})
    return upstream, upstream.objective


def _upstream_of(incident: Incident) -> set[int]:
    """Everything an incident follows from, however many steps away."""
    seen: set[int] = set()
    ahead = {incident.pk}
    while ahead:
        rows = IncidentLink.objects.filter(incident__in=ahead, upstream__isnull=False)
        ahead = {one for one in rows.values_list("upstream_id", flat=True) if one is not None} - seen
        seen |= ahead
    return seen
