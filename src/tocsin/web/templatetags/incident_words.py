"""Incidents in words and small parts: where one stands, who has it, what a timeline line looks like."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from django import template
from django.template.context import Context
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString

from tocsin.core.access import Right
from tocsin.core.decision_duties import DecisionDuty, Execution
from tocsin.core.facts import Kind
from tocsin.core.incident_findings import Finding, FirstWord, Knowledge, Lead
from tocsin.core.incident_phases import Phase
from tocsin.core.obligation_facts import Audience, ObligationKind
from tocsin.core.process_parts import NAMED_PERSON
from tocsin.incidents import snapshots
from tocsin.incidents.models import Incident, Obligation, Page, State
from tocsin.incidents.queries import TimelineLine
from tocsin.platform.models import OutboxState
from tocsin.slo.models import Health
from tocsin.web.instants import clock_text, span_text
from tocsin.web.slo_words import known_left, state_of
from tocsin.web.templatetags.shown import percent, when

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


@register.simple_tag(takes_context=True)
def budget_now(context: Context, incident: Incident) -> SafeString | str:
    """What is left of the budget that burns, after a dot; "" where there is no budget or the incident is over."""
    if incident.objective is None or not incident.is_open:
        return ""
    state = state_of(incident.objective)
    left = known_left(state)
    if left is not None and left <= 0:
        return " · budget spent"
    if left is not None and state.exhausts_at:
        return format_html(" · budget gone {} at this rate", when(context, state.exhausts_at, "long"))
    if left is not None:
        return f" · {percent(left)} of the budget left"
    if state.health == Health.INVALID:
        return " · impossible numbers, so nobody can tell what is left of the budget"
    since = format_html(" since {}", when(context, state.last_data_at)) if state.last_data_at else " yet"
    return format_html(" · no data{}, so nobody can tell what is left of the budget", since)


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
    Kind.INCIDENT_PASSED_ON: ("pass", ""),
    Kind.INCIDENT_ESCALATED: ("pass", ""),
    Kind.INCIDENT_ESCALATED_UP: ("pass", ""),
    Kind.ESCALATION_ACKNOWLEDGED: ("hand", "done"),
    Kind.INCIDENT_CAUSE_STATED: ("note", "told"),
    Kind.INCIDENT_WORKAROUND_STATED: ("note", "told"),
    Kind.CUSTOMER_REPORTED: ("note", "told"),
    Kind.INCIDENT_NOTED: ("note", ""),
    "note": ("note", ""),
    "chat": ("updates", ""),
    "decision": ("check", "told"),
    "observation": ("note", ""),
    Kind.DECISION_ACKNOWLEDGED: ("check", ""),
    Kind.DECISION_MOVED: ("check", ""),
    Kind.DECISION_REPORTED: ("check", "done"),
    Kind.DECISION_REMINDED: ("clock", "alarm"),
    Kind.QUESTION_ASKED: ("note", "told"),
    Kind.QUESTION_ANSWERED: ("check", "done"),
    Kind.TASK_GIVEN: ("note", "told"),
    Kind.TASK_ENDED: ("check", "done"),
    Kind.SUB_TEAM_FORMED: ("role", ""),
    Kind.SUB_TEAM_ENDED: ("role", ""),
    Kind.CONDITION_REPORTED: ("note", "told"),
    Kind.PRIORITY_CHANGED: ("level", "told"),
    Kind.SEVERITY_CHANGED: ("level", "told"),
    Kind.PAGE_TAKEN: ("hand", "done"),
    Kind.OBLIGATION_LATE: ("clock", "alarm"),
    Kind.REGULATORY_LATE: ("clock", "alarm"),
    Kind.OBLIGATION_FULFILLED: ("check", "done"),
    Kind.OBLIGATION_WAIVED: ("cross", ""),
    Kind.UPDATE_SENT: ("send", "told"),
    Kind.STATUS_MAIL_QUEUED: ("send", "told"),
    Kind.ESCALATION_EXHAUSTED: ("bell", "alarm"),
}
BY_FIRST_WORD = {"page": ("bell", ""), "alert": ("alert", ""), "breach": ("alert", ""), "role": ("role", "")}
QUIET = {Kind.PAGE_ACCEPTED, Kind.ALERT_REPEATED, Kind.ALERT_SUPPRESSED, Kind.BREACH_ATTACHED}
STAMP = re.compile(r"\b\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|\+00:00)")


@register.simple_tag
def dot_of(line: TimelineLine) -> dict[str, Any]:
    """Icon and colour of a timeline line; `quiet` ones are written smaller, `told` ones were written by people."""
    icon, css = DOTS.get(line.kind) or BY_FIRST_WORD.get(line.kind.split(".")[0], ("page", ""))
    people = line.kind in {"note", "chat", "decision", "observation"}
    return {"icon": icon, "css": css, "quiet": line.kind in QUIET, "by_people": people}


DUTIES = {
    ObligationKind.SET_PRIORITY: "Decide on a priority",
    ObligationKind.HOTFIX: "Roll out a fix",
    ObligationKind.POSTMORTEM: "Hold a review",
    ObligationKind.WORK_ITEM: "Make a work item",
    ObligationKind.CHOOSE_GROUPS: "Choose who hears of it",
    ObligationKind.UPDATE_OPENING: "First update to {audience}",
    ObligationKind.UPDATE_PROGRESS: "Next update to {audience}",
    ObligationKind.UPDATE_CLOSING: "Say to {audience} that it is over",
    ObligationKind.FILL_ROLE: "Somebody as {role}",
}
AUDIENCES = {Audience.GROUPS.value: "stakeholder groups", Audience.MANAGEMENT.value: "management"}
WAYS = {
    ObligationKind.SET_PRIORITY: ("priority", "Choose"),
    ObligationKind.CHOOSE_GROUPS: ("groups", "Choose"),
    ObligationKind.POSTMORTEM: ("review", "Open the review"),
    ObligationKind.UPDATE_OPENING: ("updates", "Write"),
    ObligationKind.UPDATE_PROGRESS: ("updates", "Write"),
    ObligationKind.UPDATE_CLOSING: ("updates", "Write"),
    ObligationKind.FILL_ROLE: ("roles", "Ask somebody"),
}
IN_A_SHEET = {ObligationKind.SET_PRIORITY, ObligationKind.CHOOSE_GROUPS, ObligationKind.FILL_ROLE}


@register.filter
def audience_words(code: str) -> str:
    return AUDIENCES.get(code, code)


@register.filter
def duty_words(one: Obligation) -> str:
    """What is owed, as people say it."""
    template = DUTIES.get(ObligationKind(one.kind)) if one.kind in set(ObligationKind) else None
    if template is None:
        return one.kind.replace("_", " ").capitalize()
    role = one.owner_role.replace("_", " ")
    return template.format(audience=AUDIENCES.get(one.audience, one.audience), role=role)


@register.filter
def owner_words(one: Obligation) -> str:
    """Whose it is: a person once there is one, until then the role that has the duty."""
    if one.owner:
        return one.owner.label
    return "whoever is named for it" if one.owner_role == NAMED_PERSON else one.owner_role.replace("_", " ")


@register.filter
def grace(one: Obligation) -> timedelta:
    """How long after its time it is still in time."""
    return snapshots.process_of(one.incident).catalogue.notification.overdue_grace


@register.simple_tag
def way_to(one: Obligation) -> dict[str, Any]:
    """Where an obligation is met; those without a place of their own are ticked off with what shows it."""
    kind = ObligationKind(one.kind) if one.kind in set(ObligationKind) else None
    home = f"/i/{one.incident.number}"
    if kind in WAYS:
        place, words = WAYS[kind]
        role = f"?role={one.owner_role}" if kind is ObligationKind.FILL_ROLE else ""
        return {"url": f"{home}/{place}{role}", "words": words, "sheet": kind in IN_A_SHEET}
    return {"url": f"{home}/obligations/{one.pk}/fulfil", "words": "Done", "sheet": True}


PHASES = {
    Phase.INITIAL_DIAGNOSIS: "First diagnosis",
    Phase.ESCALATION: "Escalation",
    Phase.INVESTIGATION: "Investigation and diagnosis",
    Phase.RESOLUTION: "Resolution and recovery",
    Phase.CLOSURE: "Closure",
}
FINDINGS = {
    Knowledge.UNSAID: "nobody has said",
    Knowledge.KNOWN: "known",
    Knowledge.UNKNOWN: "not known",
}
LEADS = {
    Lead.AHEAD: "stakeholders, before a customer reported it",
    Lead.BEHIND: "a customer, before we told stakeholders",
    Lead.UNKNOWN: "unknown: no customer has reported it",
}


@register.filter
def phase_words(phase: Phase) -> str:
    """A step of the response, as people say it."""
    return PHASES[phase]


@register.filter
def finding_words(finding: Finding) -> str:
    return FINDINGS[finding.knowledge]


@register.filter
def lead_words(word: FirstWord) -> str:
    """Who heard first, stakeholders or a customer."""
    return LEADS[word.lead]


EXECUTIONS = {
    Execution.OPEN: "not begun",
    Execution.DOING: "being carried out",
    Execution.DONE: "carried out",
    Execution.NOT_DONE: "not carried out",
}
LATE_DUTIES = {
    DecisionDuty.RECEIVE: "nobody said it was taken in,",
    DecisionDuty.EXECUTE: "carrying it out is",
    DecisionDuty.REPORT: "the report is",
}


@register.filter
def execution_words(execution: str) -> str:
    """How far carrying out a decision has come."""
    return EXECUTIONS[Execution(execution)]


@register.filter
def duty_late_words(duty: DecisionDuty) -> str:
    """What of a decision is late; how late stands behind it."""
    return LATE_DUTIES[duty]


MESSAGE_STATES = {
    OutboxState.QUEUED: "waits to be sent",
    OutboxState.CLAIMED: "is being sent",
    OutboxState.SENT: "accepted by the provider",
    OutboxState.FAILED: "did not go through",
    OutboxState.EXPIRED: "too old to be sent",
    OutboxState.CANCELLED: "taken back, not needed any more",
}
ANSWERS = {
    "taken": "took it",
    "passed": "passed it on",
    "late": "answered, somebody else had it",
    "called_off": "called off",
}


@register.filter
def message_words(state: str) -> str:
    """What is known of a message. That somebody read it is never claimed: only an answer shows that."""
    return MESSAGE_STATES[OutboxState(state)]


@register.filter
def answer_words(page: Page) -> str:
    return ANSWERS.get(page.answer, "no answer yet")


@register.filter
def lasted(end: datetime, start: datetime) -> str:
    return span_text(end - start)


@register.simple_tag(takes_context=True)
def when_utc(context: Context, instant: datetime) -> str:
    """The same instant in UTC, for reading aloud to somebody elsewhere."""
    return clock_text(instant, UTC, now=context["now"])


@register.simple_tag(takes_context=True)
def said(context: Context, text: str) -> SafeString:
    """A sentence of the log, its stamps written in the viewer's zone like every other time; everything is escaped."""
    parts: list[SafeString | str] = []
    end = 0
    for found in STAMP.finditer(text):
        parts.append(conditional_escape(text[end : found.start()]))
        parts.append(when(context, datetime.fromisoformat(found[0])))
        end = found.end()
    parts.append(conditional_escape(text[end:]))
    return SafeString("".join(parts))
