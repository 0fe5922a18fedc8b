"""Incidents in words and small parts: where one stands, who has it, what a timeline line looks like."""

from __future__ import annotations

from typing import Any

from django import template
from django.template.context import Context

from tocsin.core.access import Right
from tocsin.core.facts import Kind
from tocsin.incidents.models import Incident, State
from tocsin.incidents.queries import TimelineLine

register = template.Library()

STATES = {
    State.TRIGGERED: "nobody has it yet",
    State.ACKNOWLEDGED: "taken",
    State.INVESTIGATING: "investigating",
    State.IDENTIFIED: "cause found",
    State.MITIGATED: "users no longer feel it",
    State.RESOLVED: "working again",
    State.CLOSED: "closed",
    State.MERGED: "merged",
    State.CANCELLED: "was no incident",
}
CHIPS = {State.TRIGGERED: "bad", State.MITIGATED: "good", State.RESOLVED: "good"}


@register.filter
def state_words(incident: Incident) -> str:
    """Where it stands, as people say it; who has it comes first while somebody has."""
    state = State(incident.state)
    if state is State.ACKNOWLEDGED and incident.acknowledged_by:
        return f"{incident.acknowledged_by.label} has it"
    return STATES[state]


@register.filter
def state_chip(incident: Incident) -> str:
    return CHIPS.get(State(incident.state), "info" if incident.is_open else "")


@register.filter
def state_name(state: str) -> str:
    """A state of the process in people's words, without a name."""
    return STATES[State(state)] if state in State.values else state


@register.simple_tag(takes_context=True)
def may_take(context: Context, incident: Incident) -> bool:
    """Whether "I'm on it" is offered: the incident waits for somebody, and this person may answer."""
    actor = context["actor"]
    team = incident.team.name if incident.team else None
    return incident.state == State.TRIGGERED and actor.may(Right.INCIDENT_ACKNOWLEDGE, team=team)


DOTS: dict[str, tuple[str, str]] = {
    Kind.INCIDENT_OPENED: ("alert", "alarm"),
    Kind.INCIDENT_DECLARED: ("alert", "alarm"),
    Kind.INCIDENT_ACKNOWLEDGED: ("hand", "done"),
    Kind.INCIDENT_RESOLVED: ("check", "done"),
    Kind.INCIDENT_CLOSED: ("check", "done"),
    Kind.INCIDENT_MITIGATED: ("check", "done"),
    Kind.INCIDENT_REOPENED: ("undo", "alarm"),
    Kind.INCIDENT_UNDONE: ("undo", ""),
    Kind.INCIDENT_ESCALATED: ("pass", ""),
    Kind.INCIDENT_NOTED: ("note", ""),
    "note": ("note", ""),
    "chat": ("updates", ""),
    "decision": ("check", "told"),
    "observation": ("note", ""),
    Kind.PRIORITY_CHANGED: ("level", "told"),
    Kind.SEVERITY_CHANGED: ("level", "told"),
    Kind.PAGE_TAKEN: ("hand", "done"),
    Kind.OBLIGATION_LATE: ("clock", "alarm"),
    Kind.OBLIGATION_FULFILLED: ("check", "done"),
    Kind.OBLIGATION_WAIVED: ("cross", ""),
    Kind.UPDATE_SENT: ("send", "told"),
    Kind.STATUS_MAIL_QUEUED: ("send", "told"),
    Kind.ESCALATION_EXHAUSTED: ("bell", "alarm"),
}
BY_FIRST_WORD = {"page": ("bell", ""), "alert": ("alert", ""), "breach": ("alert", ""), "role": ("role", "")}
QUIET = {Kind.PAGE_ACCEPTED, Kind.ALERT_REPEATED, Kind.ALERT_SUPPRESSED, Kind.BREACH_ATTACHED}


@register.simple_tag
def dot_of(line: TimelineLine) -> dict[str, Any]:
    """Icon and colour of a timeline line; `quiet` ones are written smaller, `told` ones were written by people."""
    icon, css = DOTS.get(line.kind) or BY_FIRST_WORD.get(line.kind.split(".")[0], ("page", ""))
    people = line.kind in {"note", "chat", "decision", "observation"}
    return {"icon": icon, "css": css, "quiet": line.kind in QUIET, "by_people": people}
