"""How incidents follow from each other: what caused one, what follows from it, what it goes on with."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q

from tocsin.incidents.models import Incident, IncidentLink, LinkKind


@dataclass(frozen=True, slots=True)
class Kin:
    """Everything one incident is linked with, as the functions below tell it."""

    causes: tuple[IncidentLink, ...] = ()
    dependents: tuple[Incident, ...] = ()
    continues: Incident | None = None
    continued_by: Incident | None = None


def kin_of(incident: Incident) -> Kin:
    """What an incident is linked with. Most are linked with nothing, and that is one short question."""
    links = IncidentLink.objects.filter(Q(incident=incident) | Q(upstream=incident))
    found = {(kind, own == incident.pk) for kind, own in links.values_list("kind", "incident_id")}
    return Kin(
        causes=tuple(causes(incident)) if (LinkKind.CAUSED_BY_UPSTREAM, True) in found else (),
        dependents=tuple(dependents(incident)) if (LinkKind.CAUSED_BY_UPSTREAM, False) in found else (),
        continues=continues(incident) if (LinkKind.CONTINUES, True) in found else None,
        continued_by=continued_by(incident) if (LinkKind.CONTINUES, False) in found else None,
    )


def causes(incident: Incident) -> list[IncidentLink]:
    """What it follows from upstream, oldest first."""
    related = ("upstream__service", "objective__service")
    rows = incident.upstream_links.filter(kind=LinkKind.CAUSED_BY_UPSTREAM)
    return list(rows.select_related(*related).order_by("linked_at", "pk"))


def dependents(incident: Incident) -> list[Incident]:
    """The incidents of other services that follow from it, oldest first."""
    return _following(incident, LinkKind.CAUSED_BY_UPSTREAM)


def continued_by(incident: Incident) -> Incident | None:
    """The incident that goes on with what this one was closed too soon for."""
    return next(reversed(_following(incident, LinkKind.CONTINUES)), None)


def continues(incident: Incident) -> Incident | None:
    """The closed incident that this one goes on with."""
    link = incident.upstream_links.filter(kind=LinkKind.CONTINUES).select_related("upstream").first()
    return link.upstream if link else None


def _following(incident: Incident, kind: LinkKind) -> list[Incident]:
    linked = Incident.objects.filter(upstream_links__upstream=incident, upstream_links__kind=kind)
    return list(linked.select_related("service").order_by("number"))
