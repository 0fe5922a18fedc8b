"""Say how big an incident is and which teams it needs; what follows from that is suggested, never decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db import transaction

from tocsin.audit import actions as audit
from tocsin.core.access import SYSTEM, Actor, Right
from tocsin.core.classification_effects import execution_role
from tocsin.core.errors import Invalid, NotFound
from tocsin.core.facts import Kind
from tocsin.core.process_definition import ProcessDefinition
from tocsin.core.process_parts import SeverityScheme
from tocsin.core.roles import is_coordinated
from tocsin.core.severity_weighing import is_exception, percent, weigh
from tocsin.incidents import known_facts, role_calls, snapshots
from tocsin.incidents.actions import rank, staffing
from tocsin.incidents.actions.incident_row import fact, held, save
from tocsin.incidents.classification_models import NamedTeam, Scope, Suggestion, SuggestionState
from tocsin.incidents.models import Incident
from tocsin.incidents.priority_words import priority_code
from tocsin.incidents.role_calls import RoleCall
from tocsin.people import queries as people
from tocsin.people.models import Team
from tocsin.platform.text import clean

SEVERITY, PRIORITY, COMPLEX = "severity", "priority", "complex"
YES = "yes"
MOST_TEAMS = 99
_FIELDS = ("users_share", "teams_needed", "signs")
_DIGITS = 6
_MANY_TEAMS = "More than one team is needed"


@rank.protected
def state_scope(actor: Actor, ref: str | int, stated: Mapping[str, Any], *, now: datetime) -> Incident:
    """Say how many users are affected (`users_share`, 0 to 1), how many teams are needed, which `signs` are seen.

    Only what `stated` names changes; None takes an answer back. Raises Invalid for anything else.
    """
    with transaction.atomic():
        incident = held(ref)
        rank.require(actor, incident, Right.INCIDENT_CLASSIFY, now=now)
        definition = snapshots.process_of(incident)
        row = Scope.objects.filter(incident=incident).first() or Scope(incident=incident, updated_at=now)
        before = (row.users_share, row.teams_said, dict(row.signs))
        _state(row, stated, definition.severities)
        if (row.users_share, row.teams_said, row.signs) == before:
            return incident
        row.updated_at = now
        row.save()
        save(incident, now=now)
        share = format(row.users_share, "f") if row.users_share is not None else None
        data = {"users_share": share, "teams_needed": row.teams_said, "signs": row.signs}
        told = fact(incident, Kind.SCOPE_STATED, said=_said(row, definition.severities), **data)
        audit.record(actor, [told], now=now)
        reweigh(incident, now=now)
    return incident


def _state(row: Scope, stated: Mapping[str, Any], scheme: SeverityScheme) -> None:
    faults = {name: f"There is nothing like that; there are {', '.join(_FIELDS)}." for name in {*stated} - {*_FIELDS}}
    if "users_share" in stated:
        share = _share(stated["users_share"])
        if share is None and stated["users_share"] is not None:
            faults["users_share"] = "It is a share from 0 to 1: 0.45 for 45 %."
        row.users_share = share
    if "teams_needed" in stated:
        teams = stated["teams_needed"]
        if teams is not None and (not isinstance(teams, int) or not 1 <= teams <= MOST_TEAMS):
            faults["teams_needed"] = f"It is a number of teams from 1 to {MOST_TEAMS}."
        row.teams_said = teams
    if "signs" in stated:
        faults |= _sign_faults(stated["signs"], scheme)
        row.signs = stated["signs"] or {}
    if faults:
        raise Invalid(faults)


def _share(given: Any) -> Decimal | None:
    try:
        share = Decimal(str(given))
    except InvalidOperation:
        return None
    return share.quantize(Decimal(10) ** -_DIGITS) if share.is_finite() and 0 <= share <= 1 else None


def _sign_faults(signs: Any, scheme: SeverityScheme) -> dict[str, str]:
    known = [sign.code for sign in scheme.signs]
    if signs is not None and not isinstance(signs, dict):
        return {"signs": "It maps a sign to true or false."}
    wrong = [code for code, answer in (signs or {}).items() if code not in known or not isinstance(answer, bool)]
    there = f"there are {', '.join(known)}" if known else "this process has none"
    return {f"signs.{code}": f"A sign of complexity, true or false; {there}." for code in wrong}


def _said(row: Scope, scheme: SeverityScheme) -> str:
    parts = [
        "users affected not known" if row.users_share is None else f"{percent(row.users_share)} of users affected",
        *([f"{row.teams_said} {'team' if row.teams_said == 1 else 'teams'} needed"] if row.teams_said else []),
        *(f"{sign.ask} {'yes' if row.signs[sign.code] else 'no'}" for sign in scheme.signs if sign.code in row.signs),
    ]
    return "; ".join(parts)


@rank.protected
def name_team(actor: Actor, ref: str | int, team: str, *, reason: str = "", now: datetime) -> Incident:
    """Say that another team is needed. While the response is coordinated its experts are asked at once, else later.

    A second team makes the incident complex. Naming twice changes nothing. Raises Invalid for an unknown team.
    """
    with transaction.atomic():
        incident = held(ref)
        rank.require(actor, incident, Right.INCIDENT_CLASSIFY, now=now)
        try:
            row = people.team(team.strip())
        except NotFound:
            raise Invalid({"team": f"There is no team called {team.strip()!r}."}) from None
        if row in known_facts.teams_of(incident):
            return incident
        save(incident, now=now)
        told = fact(incident, Kind.TEAM_NAMED, team=row.label, team_code=row.name, reason=clean(reason).strip()[:300])
        audit.record(actor, [told], now=now)
        needs_team(actor, incident, row, now=now)
        _ask_experts(actor, incident, row, now=now)
    return incident


def _ask_experts(actor: Actor, incident: Incident, team: Team, *, now: datetime) -> None:
    definition = snapshots.process_of(incident)
    if incident.is_open and is_coordinated(definition, incident.severity):
        role = execution_role(definition)
        call = RoleCall(role, role_calls.experts_of(team, role.code, now=now), team)
        staffing.ask(incident, definition, call, actor=actor, now=now)


def needs_team(actor: Actor, incident: Incident, team: Team, *, now: datetime) -> None:
    """Keep that an incident the caller holds needs a team; more than one makes it complex and asks for the severity."""
    if team not in known_facts.teams_of(incident):
        NamedTeam.objects.create(incident=incident, team=team, named_by=actor.ident, named_at=now)
    if len(known_facts.teams_of(incident)) > 1 and not incident.complex:
        set_complex(actor, incident, True, reason=_MANY_TEAMS, now=now)
    reweigh(incident, now=now)


@rank.protected
def mark_complex(actor: Actor, ref: str | int, *, is_complex: bool, reason: str = "", now: datetime) -> Incident:
    """Say that an incident is complex, or that it is not. Saying the same again changes nothing."""
    with transaction.atomic():
        incident = held(ref)
        rank.require(actor, incident, Right.INCIDENT_CLASSIFY, now=now)
        if incident.complex is not is_complex:
            set_complex(actor, incident, is_complex, reason=clean(reason).strip()[:300], now=now)
            reweigh(incident, now=now)
    return incident


def set_complex(actor: Actor, incident: Incident, is_complex: bool, *, reason: str, now: datetime) -> None:
    """Write whether an incident the caller holds is complex."""
    incident.complex = is_complex
    save(incident, "complex", now=now)
    said = "Complex" if is_complex else "Not complex"
    audit.record(actor, [fact(incident, Kind.COMPLEX_STATED, said=said, complex=is_complex, reason=reason)], now=now)
    if is_complex:
        _answer(actor, incident, COMPLEX, SuggestionState.ACCEPTED, reason=reason, now=now)


def reweigh(incident: Incident, *, now: datetime) -> None:
    """Bring what is suggested for an incident the caller holds up to date with what is known.

    What a person answered already is not suggested again while the facts are the same.
    """
    if not incident.is_open:
        return
    definition = snapshots.process_of(incident)
    scheme, known = definition.severities, known_facts.known(incident)
    found = weigh(scheme, known)
    off = scheme.switched_off or not is_exception(scheme, known, incident.severity)
    _keep(incident, definition, SEVERITY, "" if off else found.suggestion.severity, found.lines, now=now)
    unseen = known.looks_complex and not incident.complex
    _keep(incident, definition, COMPLEX, YES if unseen else "", _signs_seen(known.signs, scheme), now=now)
    highest = definition.catalogue.priorities[0].rank
    raised = incident.complex and incident.priority != highest
    _keep(incident, definition, PRIORITY, str(highest) if raised else "", ("The incident is complex",), now=now)


def _signs_seen(signs: Mapping[str, bool] | None, scheme: SeverityScheme) -> Sequence[str]:
    return [f"{sign.ask} Yes" for sign in scheme.signs if (signs or {}).get(sign.code)]


def _keep(
    incident: Incident, definition: ProcessDefinition, subject: str, value: str, basis: Sequence[str], *, now: datetime
) -> None:
    """Let exactly this be suggested; nothing where `value` is empty."""
    rows = Suggestion.objects.filter(incident=incident, subject=subject)
    latest = rows.exclude(state=SuggestionState.OVERTAKEN).order_by("-made_at", "-pk").first()
    known = latest is not None and (latest.value, latest.basis) == (value, list(basis))
    if known:
        return
    rows.filter(state=SuggestionState.OPEN).update(state=SuggestionState.OVERTAKEN, answered_at=now)
    if not value:
        return
    Suggestion.objects.create(incident=incident, subject=subject, value=value, basis=list(basis), made_at=now)
    words = value_words(definition, subject, value)
    told = fact(incident, Kind.SUGGESTION_MADE, subject=subject, value=words, basis="; ".join(basis))
    audit.record(SYSTEM, [told], now=now)


def value_words(definition: ProcessDefinition, subject: str, value: str) -> str:
    """What is suggested, as people say it: the code of a priority, the name of a severity."""
    return priority_code(definition, int(value), "set") if subject == PRIORITY else value


def answered_by_severity(actor: Actor, incident: Incident, severity: str, *, reason: str, now: datetime) -> None:
    """Setting the severity answers what was suggested: the same is a yes, anything else a no with its reason."""
    row = known_facts.open_suggestions(incident).get(SEVERITY)
    if row is not None:
        state = SuggestionState.ACCEPTED if row.value == severity else SuggestionState.DECLINED
        _answer(actor, incident, SEVERITY, state, reason=reason, now=now)


def answered_by_priority(actor: Actor, incident: Incident, priority: int | None, *, reason: str, now: datetime) -> None:
    """Setting the priority that was suggested accepts it; another one leaves the suggestion as it is."""
    row = known_facts.open_suggestions(incident).get(PRIORITY)
    if row is not None and row.value == str(priority):
        _answer(actor, incident, PRIORITY, SuggestionState.ACCEPTED, reason=reason, now=now)


def decline(actor: Actor, incident: Incident, subject: str, *, reason: str, now: datetime) -> None:
    """Write down that a person does not follow what was suggested for an incident the caller holds."""
    save(incident, now=now)
    _answer(actor, incident, subject, SuggestionState.DECLINED, reason=reason, now=now)


def _answer(
    actor: Actor, incident: Incident, subject: str, state: SuggestionState, *, reason: str, now: datetime
) -> None:
    row = known_facts.open_suggestions(incident).get(subject)
    if row is None:
        return
    row.state, row.answered_at, row.answered_by, row.reason = state, now, actor.ident, reason[:300]
    row.save(update_fields=["state", "answered_at", "answered_by", "reason"])
    definition = snapshots.process_of(incident)
    data: dict[str, Any] = {
        "answer": state.value.capitalize(),
        "subject": subject,
        "value": value_words(definition, subject, row.value),
        "reason": reason,
        "accepted": state == SuggestionState.ACCEPTED,
    }
    audit.record(actor, [fact(incident, Kind.SUGGESTION_ANSWERED, **data)], now=now)
