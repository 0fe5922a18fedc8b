"""The words people have used so far to sort incidents, for filters and for proposing them again."""

from __future__ import annotations

from tocsin.core.access import Actor, Right, require
from tocsin.incidents.models import Incident

FIELDS = ("category", "environment", "felt_in")


def used_words(actor: Actor, field: str, *, limit: int = 50) -> list[str]:
    """What was said in one of `FIELDS`, in alphabetical order."""
    require(actor, Right.INCIDENT_READ)
    if field not in FIELDS:
        raise ValueError(field)
    rows = Incident.objects.exclude(**{field: ""}).order_by(field).values_list(field, flat=True).distinct()
    return list(rows[:limit])


def used_sli_kinds(actor: Actor, *, limit: int = 50) -> list[str]:
    """The kinds of SLIs behind incidents so far, in alphabetical order."""
    require(actor, Right.INCIDENT_READ)
    rows = Incident.objects.filter(objective__isnull=False).exclude(objective__sli_kind="")
    kinds = rows.order_by("objective__sli_kind").values_list("objective__sli_kind", flat=True).distinct()
    return list(kinds[:limit])
