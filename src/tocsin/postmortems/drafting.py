"""What a new postmortem holds before anybody types: the template, filled from what was recorded."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from fractions import Fraction

from tocsin.audit import queries as audit_log
from tocsin.audit.models import Entry
from tocsin.core.error_budget import allowed_ratio
from tocsin.core.facts import Kind, sentence
from tocsin.core.process_definition import ProcessDefinition
from tocsin.incidents.models import Incident
from tocsin.postmortems.models import Postmortem, TimelineEntry
from tocsin.slo import queries as slo
from tocsin.slo.models import Objective

# Entries about the paper itself are no part of the story it tells.
LEFT_OUT = {
    Kind.POSTMORTEM_DRAFTED,
    Kind.POSTMORTEM_EDITED,
    Kind.POSTMORTEM_MOVED,
    Kind.POSTMORTEM_ITEM_DONE,
    Kind.POSTMORTEM_ITEM_EXPLAINED,
    Kind.POSTMORTEM_ITEM_REOPENED,
    Kind.PEOPLE_ISSUE_NOTED,
    Kind.PEOPLE_ISSUE_SETTLED,
    Kind.ACTION_ADDED,
    Kind.ACTION_CHANGED,
    Kind.ACTION_REVIEWED,
}

# What failed before the incident was opened is counted from here: an alert needs a moment, and no more than that.
NOTICED_WITHIN = timedelta(minutes=5)


def template_of(process: ProcessDefinition) -> list[dict[str, object]]:
    """The template's sections as kept with the postmortem, so that a later change of the template leaves it alone."""
    return [
        {"code": section.code, "fields": list(section.fields), "help": section.help, "required": section.required}
        for section in process.postmortem.sections
    ]


def sections_of(incident: Incident, process: ProcessDefinition, entries: Iterable[Entry]) -> dict[str, str]:
    """Text for the sections of the template that the record can begin, by section code."""
    log = list(entries)
    filled = {
        "header": _header(incident),
        "classification": _classification(incident, process, log),
        "impact": _impact(incident),
        "detection": _detection(incident),
        "response": _response(incident, log),
        "recovery": _recovery(log),
    }
    known = {section.code for section in process.postmortem.sections}
    return {code: text for code, text in filled.items() if code in known and text}


def log_of(incident: Incident) -> list[Entry]:
    """The incident's entries in the event log, oldest first."""
    return list(audit_log.timeline_entries(incident.ref))


def timeline_of(postmortem: Postmortem, *, after: int = 0) -> list[TimelineEntry]:
    """A line for each recorded event of the incident with a number above `after`."""
    return [
        TimelineEntry(
            postmortem=postmortem,
            at=entry.occurred_at,
            text=sentence(entry.kind, entry.data),
            author=entry.actor,
            source_seq=entry.seq,
        )
        for entry in audit_log.timeline_entries(postmortem.incident.ref, after=after)
        if entry.kind not in LEFT_OUT
    ]


def _header(incident: Incident) -> str:
    points = (
        ("Opened", incident.created_at),
        ("Taken", incident.acknowledged_at),
        ("Mitigated", incident.mitigated_at),
        ("Resolved", incident.resolved_at),
    )
    lines = [
        f"Incident: {incident.ref} {incident.title}",
        f"Service: {incident.service.label if incident.service else 'not known'}",
        f"Team: {incident.team.label if incident.team else 'not known'}",
        f"Process version: {incident.process_version.number}",
        *(f"{word}: {_clock(at)}" for word, at in points if at is not None),
    ]
    return "\n".join(lines)


def _classification(incident: Incident, process: ProcessDefinition, log: list[Entry]) -> str:
    began = [entry for entry in log if entry.kind in {Kind.INCIDENT_OPENED, Kind.INCIDENT_DECLARED} and entry.data]
    lines = [
        f"{_clock(entry.occurred_at)} Priority {entry.data.get('priority')}, severity {entry.data.get('severity')}"
        for entry in began
        if entry.data
    ]
    changes = [entry for entry in log if entry.kind in {Kind.PRIORITY_CHANGED, Kind.SEVERITY_CHANGED}]
    lines += [f"{_clock(entry.occurred_at)} {sentence(entry.kind, entry.data)}" for entry in changes]
    final = process.catalogue.by_rank(incident.priority) if incident.priority is not None else None
    lines.append(f"At the end: {final.code if final else incident.priority_state}, {incident.severity}")
    return "\n".join(lines)


def _impact(incident: Incident) -> str:
    until = incident.mitigated_at or incident.resolved_at
    lines = [f"Start: {_clock(incident.created_at)} (recorded)"]
    if until:
        lines.append(f"End: {_clock(until)} (recorded), {_span(until - incident.created_at)}")
    links = incident.breach_links.select_related("breach").order_by("breach__at", "pk")
    breaches = [link.breach for link in links]
    lines += [f"Last breach: {one.bad} of {one.valid} events failed in {_span(one.window)}" for one in breaches[-1:]]
    if incident.objective is not None and until:
        lines += _spent(incident.objective, incident.created_at - NOTICED_WITHIN, until)
    return "\n".join(lines)


def _spent(objective: Objective, since: datetime, until: datetime) -> list[str]:
    """What failed while it lasted, and the share of the error budget that this was."""
    minutes = -(-(until - since) // timedelta(minutes=1))
    lasted = timedelta(minutes=max(minutes, 1))
    counts = slo.window_counts([objective.pk], [lasted, objective.period], now=until)[objective.pk]
    here, whole = counts[lasted], counts[objective.period]
    grant = allowed_ratio(objective.target) * whole.valid
    if not grant or not here.valid:
        return []
    share = Fraction(here.bad) / grant * 100
    return [
        f"Failed while it lasted: {here.bad} of {here.valid} events of {objective.label}, from {_clock(since)}",
        f"Error budget consumed: {float(share):.1f} % of what {_days(objective.period)} allow",
    ]


def _detection(incident: Incident) -> str:
    how = {"slo": "An SLO alert found it.", "resource": "A resource alert found it.", "human": "A person reported it."}
    lines = [how.get(incident.origin, "")]
    if incident.acknowledged_at:
        lines.append(f"Taken {_span(incident.acknowledged_at - incident.created_at)} after it was opened.")
    return "\n".join(filter(None, lines))


def _response(incident: Incident, log: list[Entry]) -> str:
    holders = incident.roles_held.select_related("person").order_by("from_at", "id")
    lines = [f"{held.role.replace('_', ' ')}: {held.person.label} from {_clock(held.from_at)}" for held in holders]
    pages = [entry for entry in log if entry.kind == Kind.PAGE_CREATED]
    if pages:
        lines.append(f"Pages: {len(pages)}, the first at {_clock(pages[0].occurred_at)}")
    lines += [_told(entry) for entry in log if entry.kind == Kind.UPDATE_SENT]
    return "\n".join(lines)


def _told(entry: Entry) -> str:
    data = entry.data or {}
    kind, groups, count = data.get("update_kind", "update"), data.get("groups", ""), data.get("recipients", 0)
    return f"{_clock(entry.occurred_at)} {kind} update to {groups} ({count} recipients)"


def _recovery(log: list[Entry]) -> str:
    ends = [entry for entry in log if entry.kind in {Kind.INCIDENT_MITIGATED, Kind.INCIDENT_RESOLVED}]
    return "\n".join(f"{_clock(entry.occurred_at)} {sentence(entry.kind, entry.data)}" for entry in ends)


def _clock(at: datetime) -> str:
    """An instant as the paper writes it, to the minute."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _span(span: timedelta) -> str:
    """A duration in words, to the minute."""
    minutes = int(span.total_seconds() // 60)
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if hours else f"{rest} min"


def _days(period: timedelta) -> str:
    return f"{period.days} days" if period >= timedelta(days=2) else _span(period)
