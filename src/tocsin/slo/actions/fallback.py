"""Switching on the table that speaks while nobody has decided on an SLO's priority."""

from __future__ import annotations

import copy
from datetime import datetime
from typing import Any

from django.db import transaction

from tocsin.audit import actions as audit
from tocsin.audit.actions import Fact
from tocsin.core.access import Actor, Right, require
from tocsin.core.errors import Invalid, NotFound
from tocsin.core.facts import Kind
from tocsin.platform import db
from tocsin.platform.text import clean
from tocsin.slo import judging, versioning
from tocsin.slo.models import Objective, VersionChange
from tocsin.slo.openslo.schema_head import OUR_PREFIX

OFF = ""
TABLES = (OFF, judging.FALLBACK_REMAINING, judging.FALLBACK_VELOCITY)


def set_fallback(actor: Actor, name: str, fallback: str, *, reason: str = "", now: datetime) -> Objective:
    """Choose the table of budgets and priorities for an SLO, or switch it off (empty); a change is a new version.

    Raises Invalid for a table there is not, NotFound for an SLO there is not.
    """
    if fallback not in TABLES:
        raise Invalid({"fallback": f"must be {TABLES[1]}, {TABLES[2]} or empty"})
    with transaction.atomic():
        rows = Objective.objects.select_related("service__team").filter(name=name, retired_at=None)
        objective = db.lock(rows).first()
        if objective is None:
            raise NotFound(f"There is no SLO called {name!r} in use.")
        team = objective.service.team
        require(actor, Right.SLO_WRITE, team=team.name if team else None)
        if objective.fallback == fallback:
            return objective
        objective.fallback, objective.document = fallback, _said(objective.document, fallback)
        objective.revision += 1
        objective.save(update_fields=["fallback", "document", "revision"])
        versioning.note_version(actor, objective, VersionChange.CHANGED, reason=reason, now=now)
        data = {
            "slo": name,
            "service": objective.service.name,
            "change": VersionChange.CHANGED.value,
            "revision": objective.revision,
            "fields": {"fallback": fallback},
            "reason": clean(reason),
        }
        audit.record(actor, [Fact(kind=Kind.SLO_APPLIED, data=data)], now=now)
    return objective


def _said(document: dict[str, Any], fallback: str) -> dict[str, Any]:
    """The OpenSLO object says it, too, so that an export tells the truth."""
    if not document:
        return document
    told = copy.deepcopy(document)
    annotations = told.setdefault("metadata", {}).setdefault("annotations", {})
    annotations[f"{OUR_PREFIX}fallback"] = fallback or "off"
    return told
