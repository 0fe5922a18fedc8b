"""What an update says before its writer changes it: the process's template, filled from the record."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from tocsin.audit.models import Entry
from tocsin.audit.queries import of_kinds
from tocsin.comms.models import Update, UpdateKind
from tocsin.core.facts import Kind, sentence
from tocsin.core.process_definition import ProcessDefinition
from tocsin.core.process_parts import Area
from tocsin.core.wording import UpdateDraft
from tocsin.core.wording import UpdateKind as CoreKind
from tocsin.incidents.models import Incident, RoleHeld, State
from tocsin.platform.addresses import public_url
from tocsin.platform.text import one_line

UNKNOWN = "not known yet"
NEUTRAL: Mapping[str, str] = {
    "workaround": "none known yet",
    "done_so_far": "the team is working on it",
    "region": "all",
    "needs": "nothing at present",
    "data_statement": "still being checked",
}
"""What stands where the record has nothing to say; everything else reads as not known yet."""
STATES: Mapping[str, str] = {
    State.TRIGGERED: "not yet taken up",
    State.ACKNOWLEDGED: "being looked into",
    State.INVESTIGATING: "being investigated",
    State.IDENTIFIED: "being repaired, the cause is known",
    State.MITIGATED: "watched, users no longer feel it",
    State.RESOLVED: "working again",
    State.CLOSED: "working again",
    State.MERGED: "handled as part of another incident",
    State.CANCELLED: "found to be no incident",
}
NEXT_STEPS: Mapping[str, str] = {
    State.TRIGGERED: "finding out what is wrong",
    State.ACKNOWLEDGED: "finding out what is wrong",
    State.INVESTIGATING: "finding the cause",
    State.IDENTIFIED: "removing the cause",
    State.MITIGATED: "watching that it stays well",
}
_NEWS = (Kind.INCIDENT_INVESTIGATING, Kind.INCIDENT_IDENTIFIED, Kind.INCIDENT_MITIGATED)
_SLOT = re.compile(r"\{([a-z_]+)\}")
_SENTENCE_ABOUT_NEXT = re.compile(r"[^.]*\{next_update_at\}[^.]*\.?")


def next_kind(incident: Incident) -> UpdateKind:
    """Opening first (anew after a closing one), closing once it works again, progress in between."""
    if not incident.is_open:
        return UpdateKind.CLOSING
    last = last_update(incident)
    return UpdateKind.OPENING if last is None or last.kind == UpdateKind.CLOSING else UpdateKind.PROGRESS


def last_update(incident: Incident) -> Update | None:
    return Update.objects.filter(incident=incident).order_by("-sent_at", "-id").first()


def cadence(incident: Incident, process: ProcessDefinition) -> timedelta | None:
    """The longest time the incident's priority allows between two updates."""
    priority = process.catalogue.by_rank(incident.priority) if incident.priority is not None else None
    return priority.criteria.update_every if priority else None


def next_time(incident: Incident, process: ProcessDefinition, *, now: datetime) -> datetime | None:
    """When the next update comes at the latest, to the full minute; None where the priority sets no pace."""
    every = cadence(incident, process)
    return (now + every).replace(second=0, microsecond=0) if every else None


def filled(template: str, values: Mapping[str, str]) -> str:
    """`template` with each `{name}` replaced by its value; one that is missing reads as a neutral word.

    Values are never read as templates. A sentence about the next update is left out when none is to come.
    """
    if not values.get("next_update_at"):
        template = _SENTENCE_ABOUT_NEXT.sub("", template).strip()
    return _SLOT.sub(lambda slot: values.get(slot[1]) or NEUTRAL.get(slot[1], UNKNOWN), template)


def service_of(incident: Incident) -> str:
    """What people call the thing that is affected."""
    return incident.service.label if incident.service else incident.ref


def subject_of(
    incident: Incident, kind: UpdateKind, *, no_change: bool = False, next_update_at: datetime | None = None
) -> str:
    """What one reads without opening the mail: the service, the fact, when one hears next."""
    service = one_line(service_of(incident), limit=60)
    if kind is UpdateKind.CLOSING:
        return f"{service} is working again"
    until = f" (next update {next_update_at.astimezone(UTC):%H:%M} UTC)" if next_update_at else ""
    fact = "no change yet" if no_change else one_line(incident.title, limit=150)
    return f"{service}{' update' if kind is UpdateKind.PROGRESS and not no_change else ''}: {fact}{until}"


def text_of(
    incident: Incident, process: ProcessDefinition, kind: UpdateKind, *, next_update_at: datetime | None
) -> str:
    """What an update says by itself: a change of priority since the last one, then the template of its kind."""
    text = template_text(incident, process, kind, next_update_at=next_update_at)
    last = last_update(incident)
    if kind is UpdateKind.CLOSING or last is None or not changed_from(incident, process, last):
        return text
    changed = priority_change_text(incident, process, former=last.priority)
    return f"{changed} {text}" if changed else text


def template_text(
    incident: Incident, process: ProcessDefinition, kind: UpdateKind, *, next_update_at: datetime | None
) -> str:
    """The template of a kind of message for the incident's priority, filled from the record."""
    template = _template(incident, process, kind)
    said = values(incident, process, next_update_at=next_update_at)
    return filled(template, said) if template else one_line(incident.title)


def priority_change_text(incident: Incident, process: ProcessDefinition, *, former: int | None) -> str:
    """The sentence about a new priority; `former` is the rank that was told before. "" where the process has none."""
    template = process.messages.single_templates.get("priority_change", "")
    said = values(incident, process, next_update_at=None)
    said["priority_changed_from"] = priority_name(process, former, "set" if former is not None else "unset")
    return filled(template, said)


def _template(incident: Incident, process: ProcessDefinition, kind: UpdateKind) -> str:
    """By the priority; the mildest one's where the priority has none of its own."""
    templates = process.messages.templates.get(kind.value, {})
    rank = process.catalogue.unset_rank if incident.priority_state == "unset" else incident.priority
    return templates.get(rank or 0) or templates.get(max(templates, default=0), "")


def no_change_text(incident: Incident, *, next_update_at: datetime | None) -> str:
    """Nothing new is said as well: whoever waits knows that work goes on."""
    until = f" Next update by {clock_text(next_update_at)} UTC." if next_update_at else ""
    return f"{one_line(service_of(incident))}: no change since the last update. Work goes on.{until}"


def clock_text(instant: datetime) -> str:
    """The day and the minute in UTC; whoever shows it names the zone."""
    return instant.astimezone(UTC).strftime("%Y-%m-%d %H:%M")


def priority_name(process: ProcessDefinition, rank: int | None, state: str) -> str:
    """What stakeholders read for a priority."""
    known = process.catalogue.by_rank(rank) if rank is not None else None
    if known is not None:
        return known.code
    return "priority not decided yet" if state == "unset" else "no priority"


def values(incident: Incident, process: ProcessDefinition, *, next_update_at: datetime | None) -> dict[str, str]:
    """What the templates may speak of, each on one line; "" where the record has nothing."""
    last = last_update(incident)
    said = {
        "incident_id": incident.ref,
        "priority": priority_name(process, incident.priority, incident.priority_state),
        "priority_changed_from": changed_from(incident, process, last),
        "severity": incident.severity,
        "service": service_of(incident),
        "region": str(incident.labels.get("region", "")),
        "started_at": clock_text(incident.created_at),
        "ended_at": clock_text(incident.resolved_at) if incident.resolved_at else "",
        "impact": incident.title,
        "symptoms": incident.title,
        "state": STATES.get(incident.state, ""),
        "done_so_far": _done_since(incident, last),
        "next_steps": NEXT_STEPS.get(incident.state, ""),
        "next_update_at": clock_text(next_update_at) if next_update_at else "",
        "where_to_look": f"{public_url()}/i/{incident.number}",
        "coordinator": _coordinator(incident, process),
        "reason": _reason(incident),
    }
    return {name: one_line(value).rstrip(".") for name, value in said.items()}


def changed_from(incident: Incident, process: ProcessDefinition, last: Update | None) -> str:
    """The priority that the last update spoke of, when it is another one by now; else ""."""
    if last is None or last.priority == incident.priority:
        return ""
    return priority_name(process, last.priority, "set" if last.priority is not None else "unset")


def _done_since(incident: Incident, last: Update | None) -> str:
    news = of_kinds([incident.ref], _NEWS)
    latest = (news.filter(at__gt=last.sent_at) if last else news).last()
    return sentence(latest.kind, latest.data) if latest else ""


def _coordinator(incident: Incident, process: ProcessDefinition) -> str:
    """Whoever holds a role that coordinates, else whoever took the incident."""
    roles = [role.code for role in process.roles.roles if Area.COORDINATION in role.areas]
    held = RoleHeld.objects.filter(incident=incident, until_at=None, role__in=roles).select_related("person").first()
    person = held.person if held else incident.acknowledged_by
    return person.label if person else ""


def _reason(incident: Incident) -> str:
    entry = Entry.objects.filter(incident=incident.ref, kind=Kind.PRIORITY_CHANGED).order_by("-seq").first()
    return str((entry.data or {}).get("reason") or "") if entry else ""


def draft_facts(
    incident: Incident,
    process: ProcessDefinition,
    kind: UpdateKind,
    text: str,
    next_update_at: datetime | None,
    *,
    for_outsiders: bool = False,
) -> UpdateDraft:
    """What core's wording checks need to know of the update."""
    last = last_update(incident)
    return UpdateDraft(
        kind=CoreKind(kind.value),
        text=text,
        next_update_at=next_update_at,
        cadence=cadence(incident, process),
        previous_text=last.text if last else "",
        previous_sent_at=last.sent_at if last else None,
        for_outsiders=for_outsiders,
        internal_names=_people_in(incident) if for_outsiders else (),
    )


def _people_in(incident: Incident) -> tuple[str, ...]:
    held = RoleHeld.objects.filter(incident=incident).select_related("person")
    people = [one.person for one in held] + ([incident.acknowledged_by] if incident.acknowledged_by else [])
    names = {name for person in people for name in (person.username, person.display_name) if len(name) > 2}
    return tuple(sorted(names))
