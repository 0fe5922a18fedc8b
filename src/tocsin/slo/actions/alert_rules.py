"""Choosing the alert rule an SLO is judged by."""

from __future__ import annotations

import copy
from collections.abc import Mapping
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
from tocsin.slo import versioning
from tocsin.slo.models import Objective, ObjectiveState, VersionChange
from tocsin.slo.openslo.schema_head import OUR_PREFIX
from tocsin.slo.rules import rule_for, written_rule


def set_rule(actor: Actor, name: str, rule: Mapping[str, Any], *, reason: str = "", now: datetime) -> Objective:
    """Judge an SLO by another rule from now on; a change is a new version, and what was alerted stays.

    `rule` is what `slo.rules.rule_for` reads. Raises Invalid naming the wrong field, NotFound for an SLO not in use.
    """
    if "name" not in rule:
        raise Invalid({"rule.name": "name the rule"})
    with transaction.atomic():
        rows = Objective.objects.select_related("service__team").filter(name=name, retired_at=None)
        objective = db.lock(rows).first()
        if objective is None:
            raise NotFound(f"There is no SLO called {name!r} in use.")
        team = objective.service.team
        require(actor, Right.SLO_WRITE, team=team.name if team else None)
        rule_for(rule, period=objective.period, renotify_after=objective.renotify_after)
        if objective.rule == dict(rule):
            return objective
        objective.rule, objective.document = dict(rule), _said(objective.document, rule)
        objective.revision += 1
        objective.save(update_fields=["rule", "document", "revision"])
        ObjectiveState.objects.filter(objective=objective).update(next_at=now)
        versioning.note_version(actor, objective, VersionChange.CHANGED, reason=reason, now=now)
        data = {
            "slo": name,
            "service": objective.service.name,
            "change": VersionChange.CHANGED.value,
            "revision": objective.revision,
            "fields": {"rule": versioning.shown(objective.rule)},
            "reason": clean(reason),
        }
        audit.record(actor, [Fact(kind=Kind.SLO_APPLIED, data=data)], now=now)
    return objective


def _said(document: dict[str, Any], rule: Mapping[str, Any]) -> dict[str, Any]:
    """The OpenSLO object says it, too, so that an export tells the truth."""
    if not document:
        return document
    told = copy.deepcopy(document)
    annotations = told.setdefault("metadata", {}).setdefault("annotations", {})
    annotations[f"{OUR_PREFIX}rule"] = written_rule(rule)
    return told
