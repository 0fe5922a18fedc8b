"""Reads of coaching sessions: what is on the agenda, and what earlier ones decided."""

from __future__ import annotations

from datetime import datetime

from tocsin.adoption.models import Session
from tocsin.core.access import Actor, Right, require
from tocsin.people import queries as people
from tocsin.slo import queries as slos
from tocsin.slo.models import Objective


def agenda(actor: Actor, *, team: str, now: datetime) -> list[Objective]:
    """The SLOs of a team nobody has decided on, by service and name. Raises NotFound for an unknown team."""
    people.team(team)
    return slos.undecided(actor, at=now, team=team)


def sessions(actor: Actor, *, team: str) -> list[Session]:
    """The sessions of a team, the latest first, their decisions at hand."""
    require(actor, Right.ADOPTION_READ)
    rows = Session.objects.filter(team__name=team).select_related("team").prefetch_related("decisions__objective")
    return list(rows.order_by("-held_on", "-pk"))
