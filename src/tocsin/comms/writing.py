"""What an update says before its writer changes it: the process's template, filled from the record."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from tocsin.comms.models import Update, UpdateKind
from tocsin.core.process_definition import ProcessDefinition
from tocsin.core.wording import UpdateDraft
from tocsin.core.wording import UpdateKind as Kind
from tocsin.incidents.models import Incident
from tocsin.platform.addresses import public_url
from tocsin.platform.text import one_line

UNKNOWN = "not known yet"
_SLOT = re.compile(r"\{([a-z_]+)\}")


def next_kind(incident: Incident) -> UpdateKind:
    """Opening first, closing once it works again, progress in between."""
    if not incident.is_open:
        return UpdateKind.CLOSING
    return UpdateKind.PROGRESS if incident.updates.exists() else UpdateKind.OPENING


def cadence(incident: Incident, process: ProcessDefinition) -> timedelta | None:
    """The longest time the incident's priority allows between two updates."""
    priority = process.catalogue.by_rank(incident.priority) if incident.priority else None
    return priority.criteria.update_every if priority else None


def filled(template: str, values: dict[str, str]) -> str:
    """`template` with each `{name}` replaced; a value that is missing reads as not known. Values are never templates."""
    return _SLOT.sub(lambda slot: values.get(slot[1]) or UNKNOWN, template)


def subject_of(incident: Incident, kind: UpdateKind) -> str:
    service = incident.service.label if incident.service else incident.ref
    words = {
        UpdateKind.OPENING: incident.title,
        UpdateKind.PROGRESS: f"update: {incident.title}",
        UpdateKind.CLOSING: "is working again",
    }
    return one_line(f"{service}: {words[kind]}" if kind != UpdateKind.CLOSING else f"{service} {words[kind]}")


def text_of(
    incident: Incident, process: ProcessDefinition, kind: UpdateKind, *, next_update_at: datetime | None
) -> str:
    """The template of the kind for the incident's priority, or a plain sentence where the process has none."""
    templates = process.messages.templates.get(kind.value, {})
    template = templates.get(incident.priority or 0) or templates.get(max(templates, default=0), "")
    return filled(template, _values(incident, process, next_update_at)) if template else incident.title


def no_change_text(incident: Incident, *, next_update_at: datetime) -> str:
    service = incident.service.label if incident.service else incident.ref
    return f"{service}: no change since the last update. Work goes on. Next update by {clock_text(next_update_at)} UTC."


def clock_text(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%d %H:%M")


def draft_facts(
    incident: Incident, process: ProcessDefinition, kind: UpdateKind, text: str, next_update_at: datetime | None
) -> UpdateDraft:
    """What core's wording checks need to know of the update."""
    last = Update.objects.filter(incident=incident).order_by("-sent_at").first()
    return UpdateDraft(
        kind=Kind(kind.value),
        text=text,
        next_update_at=next_update_at,
        cadence=cadence(incident, process),
        previous_text=last.text if last else "",
        previous_sent_at=last.sent_at if last else None,
    )


def _values(incident: Incident, process: ProcessDefinition, next_update_at: datetime | None) -> dict[str, str]:
    priority = process.catalogue.by_rank(incident.priority) if incident.priority else None
    return {
        "incident_id": incident.ref,
        "priority": priority.code if priority else incident.priority_state,
        "severity": incident.severity,
        "service": incident.service.label if incident.service else incident.ref,
        "started_at": clock_text(incident.created_at),
        "ended_at": clock_text(incident.resolved_at) if incident.resolved_at else "",
        "impact": incident.title,
        "symptoms": incident.title,
        "state": incident.state,
        "done_so_far": "The team is working on it",
        "next_steps": "finding what made it possible",
        "workaround": "none known yet",
        "data_statement": "no data was lost as far as we know",
        "next_update_at": clock_text(next_update_at) if next_update_at else "",
        "where_to_look": f"{public_url()}/i/{incident.number}",
        "coordinator": incident.acknowledged_by.label if incident.acknowledged_by else "",
    }
