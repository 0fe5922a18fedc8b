"""What a new postmortem holds before anybody types: the template, filled from what was recorded."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from tocsin.audit import queries as audit_log
from tocsin.audit.actions import stamp
from tocsin.audit.models import Entry
from tocsin.core.facts import Kind, sentence
from tocsin.core.process_definition import ProcessDefinition
from tocsin.incidents.models import Incident
from tocsin.postmortems.models import Postmortem, TimelineEntry

# Entries about the paper itself are no part of the story it tells.
LEFT_OUT = {
    Kind.POSTMORTEM_DRAFTED,
    Kind.POSTMORTEM_EDITED,
    Kind.POSTMORTEM_MOVED,
    Kind.ACTION_ADDED,
    Kind.ACTION_CHANGED,
}


def template_of(process: ProcessDefinition) -> list[dict[str, object]]:
    """The template's sections as kept with the postmortem, so that a later change of the template leaves it alone."""
    return [
        {"code": section.code, "fields": list(section.fields), "help": section.help, "required": section.required}
        for section in process.postmortem.sections
    ]


def sections_of(incident: Incident, process: ProcessDefinition, entries: Iterable[Entry]) -> dict[str, str]:
    """Text for the sections the template marks as automatic, by section code."""
    log = list(entries)
    filled = {
        "header": _header(incident),
        "classification": _classification(incident, process, log),
        "impact": _impact(incident),
        "detection": _detection(incident),
        "response": _response(incident),
    }
    known = {section.code for section in process.postmortem.sections}
    return {code: text for code, text in filled.items() if code in known and text}


def log_of(incident: Incident) -> list[Entry]:
    """The incident's entries in the event log, oldest first."""
    return list(audit_log.timeline_entries(incident.ref))


def timeline_of(postmortem: Postmortem) -> list[TimelineEntry]:
    """A line for each recorded event of the incident."""
    return [
        TimelineEntry(
            postmortem=postmortem,
            at=entry.occurred_at,
            text=sentence(entry.kind, entry.data),
            author=entry.actor,
            source_seq=entry.seq,
        )
        for entry in log_of(postmortem.incident)
        if entry.kind not in LEFT_OUT
    ]


def _header(incident: Incident) -> str:
    lines = [
        f"Incident: {incident.ref} {incident.title}",
        f"Service: {incident.service.label if incident.service else 'not known'}",
        f"Team: {incident.team.label if incident.team else 'not known'}",
        f"Process version: {incident.process_version.number}",
    ]
    return "\n".join(lines)


def _classification(incident: Incident, process: ProcessDefinition, log: list[Entry]) -> str:
    changes = [entry for entry in log if entry.kind in {Kind.PRIORITY_CHANGED, Kind.SEVERITY_CHANGED}]
    lines = [f"{stamp(entry.occurred_at)} {sentence(entry.kind, entry.data)}" for entry in changes]
    final = process.catalogue.by_rank(incident.priority) if incident.priority else None
    lines.append(f"At the end: {final.code if final else incident.priority_state}, {incident.severity}")
    return "\n".join(lines)


def _impact(incident: Incident) -> str:
    until = incident.mitigated_at or incident.resolved_at
    lines = [f"Start: {stamp(incident.created_at)} (recorded)"]
    if until:
        lines.append(f"End: {stamp(until)} (recorded), {_span(until - incident.created_at)}")
    for link in incident.breach_links.select_related("breach").order_by("-breach__at")[:1]:
        breach = link.breach
        lines.append(f"Last breach: {breach.bad} of {breach.valid} events failed in {_span(breach.window)}")
    return "\n".join(lines)


def _detection(incident: Incident) -> str:
    how = {"slo": "An SLO alert found it.", "resource": "A resource alert found it.", "human": "A person reported it."}
    lines = [how.get(incident.origin, "")]
    if incident.acknowledged_at:
        lines.append(f"Taken {_span(incident.acknowledged_at - incident.created_at)} after it was opened.")
    return "\n".join(filter(None, lines))


def _response(incident: Incident) -> str:
    holders = incident.roles_held.select_related("person").order_by("from_at", "id")
    return "\n".join(
        f"{held.role.replace('_', ' ')}: {held.person.label} from {stamp(held.from_at)}" for held in holders
    )


def _span(span: timedelta) -> str:
    """A duration in words, to the minute."""
    minutes = int(span.total_seconds() // 60)
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if hours else f"{rest} min"
