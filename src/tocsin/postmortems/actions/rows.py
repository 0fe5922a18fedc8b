"""Hold, save and describe the rows of a postmortem: what every action on one begins and ends with."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tocsin.audit import actions as audit
from tocsin.audit.actions import Fact
from tocsin.core.access import Actor, Right, require
from tocsin.core.facts import Kind
from tocsin.incidents.models import Incident
from tocsin.platform import db
from tocsin.postmortems import queries
from tocsin.postmortems.models import Postmortem


def locked_incident(incident_id: int) -> Incident:
    related = ("service", "team", "objective", "acknowledged_by", "process_version")
    rows = Incident.objects.filter(pk=incident_id).select_related(*related).defer("process_version__document")
    return db.lock(rows).get()


def writable(actor: Actor, ref: str | int) -> Postmortem:
    row = _locked_postmortem(queries.postmortem(actor, ref))
    team = row.incident.team.name if row.incident.team else None
    require(actor, Right.POSTMORTEM_WRITE, team=team)
    return row


def _locked_postmortem(row: Postmortem) -> Postmortem:
    rows = Postmortem.objects.filter(pk=row.pk).select_related("incident__team", "incident__process_version")
    return db.lock(rows.defer("incident__process_version__document")).get()


def touch(row: Postmortem, fields: list[str], *, now: datetime) -> None:
    row.updated_at = now
    row.version += 1
    row.save(update_fields=[*fields, "updated_at", "version"])


def log_entry(actor: Actor, row: Postmortem, kind: Kind, data: dict[str, Any], *, now: datetime) -> int:
    entries = audit.record(
        actor, [Fact(kind=kind, incident=row.incident.ref, data={"postmortem": row.pk, **data})], now=now
    )
    return entries[0].seq
