"""How an incident is classified over JSON: what is known, what is suggested, what a change would bring, taking back."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from django.http import HttpRequest
from ninja import Field, Router, Schema

from tocsin.api import shapes
from tocsin.api.auth import actor
from tocsin.comms.status_effects import StatusEffect, StatusEffects
from tocsin.core.access import Right, require
from tocsin.core.matrix import pair_text
from tocsin.core.obligation_facts import Obligation
from tocsin.incidents import actions, effect_words, known_facts, queries, snapshots
from tocsin.incidents.actions.suggesting import value_words
from tocsin.incidents.models import Incident, Suggestion
from tocsin.incidents.previewing import Preview, Previewer
from tocsin.people.models import Person
from tocsin.platform import clock

router = Router(tags=["incidents"])


class ScopeStated(Schema):
    users_share: float | str | None = Field(None, description="Share of users affected, 0 to 1; null: not known.")
    teams_needed: int | None = None
    signs: dict[str, bool] | None = Field(None, description="Signs of complexity: code to yes or no.")


class TeamNamed(Schema):
    team: str
    reason: str = ""


class Complexity(Schema):
    complex: bool
    reason: str = ""


class Answer(Schema):
    accept: bool
    reason: str = ""


class TakenBack(Schema):
    seq: int | None = Field(None, description="The entry to take back; without it the last change of this kind.")


@router.get("/incidents/{ref}/classification")
def show(request: HttpRequest, ref: str) -> dict[str, Any]:
    """What is known of its size, how each criterion weighs, what is suggested, and what was answered."""
    return _shown(request, ref)


@router.post("/incidents/{ref}/scope")
def state_scope(request: HttpRequest, ref: str, body: ScopeStated) -> dict[str, Any]:
    """Say how many users are affected, how many teams are needed, which signs are seen; only what is given changes."""
    actions.state_scope(actor(request), ref, body.dict(exclude_unset=True), now=clock.now())
    return _shown(request, ref)


@router.post("/incidents/{ref}/teams")
def name_team(request: HttpRequest, ref: str, body: TeamNamed) -> dict[str, Any]:
    """Say that another team is needed."""
    actions.name_team(actor(request), ref, body.team, reason=body.reason, now=clock.now())
    return _shown(request, ref)


@router.post("/incidents/{ref}/complex")
def mark_complex(request: HttpRequest, ref: str, body: Complexity) -> dict[str, Any]:
    """Say that it is complex, or that it is not."""
    actions.mark_complex(actor(request), ref, is_complex=body.complex, reason=body.reason, now=clock.now())
    return _shown(request, ref)


@router.post("/incidents/{ref}/suggestions/{subject}")
def answer(
    request: HttpRequest, ref: str, subject: Literal["severity", "priority", "complex"], body: Answer
) -> dict[str, Any]:
    """Accept what is suggested, which makes the change, or decline it."""
    actions.answer_suggestion(actor(request), ref, subject, accept=body.accept, reason=body.reason, now=clock.now())
    return _shown(request, ref)


@router.post("/incidents/{ref}/roles/{role}/ask")
def ask_role(request: HttpRequest, ref: str, role: str) -> dict[str, Any]:
    """Ask whoever is on call for a role to join, whatever the severity calls."""
    actions.ask_role(actor(request), ref, role, now=clock.now())
    return _shown(request, ref)


@router.post("/incidents/{ref}/undo")
def undo(request: HttpRequest, ref: str, body: TakenBack) -> dict[str, Any]:
    """Take back a change of priority or severity, or a resolution, within 30 s. What was sent stays sent."""
    row = actions.undo(actor(request), ref, body.seq, now=clock.now())
    return shapes.incident(queries.incident(actor(request), row.number))


def preview(request: HttpRequest, ref: str, *, priority: int | None = None, severity: str = "") -> dict[str, Any]:
    """What a change would bring about; nothing is written. A severity where one is given, else the priority."""
    who = actor(request)
    row = queries.incident(who, ref)
    require(who, Right.INCIDENT_CLASSIFY, team=row.team.name if row.team else None)
    previewer = Previewer(who, row, now=clock.now())
    state = "set" if priority is not None else "none"
    found = previewer.severity(severity) if severity else previewer.priority(priority, state)
    catalogue = previewer.definition.catalogue
    criteria: list[str] = []
    heard = None
    if not severity:
        before = catalogue.by_rank(row.priority) if row.priority else None
        after = catalogue.by_rank(priority) if priority is not None else None
        begins, ends = effect_words.difference(before, after)
        criteria = begins + [f"no longer: {text}" for text in ends]
        heard = StatusEffects(who, row, now=previewer.now).of(priority)
    return _preview(found, previewer, criteria, heard)


def _preview(found: Preview, previewer: Previewer, criteria: list[str], heard: StatusEffect | None) -> dict[str, Any]:
    definition, owed = previewer.definition, found.obligations
    allowed = found.judged.pair.accepted or found.needs_reason
    return {
        "dry_run": True,
        "accepted": allowed and not found.judged.pair.nearest,
        "needs_reason": found.needs_reason,
        "exception": [one.value for one in found.judged.against],
        "why": effect_words.standing(found, definition) or None,
        "nearest": [pair_text(definition, pair) for pair in found.judged.pair.nearest],
        "late": found.lateness.value if found.lateness else None,
        "begins": [_owed(one) for one in owed.begins],
        "ends": [_owed(one) for one in owed.ends],
        "moves": [{**_owed(one.after), "due_before": shapes.at(one.before.due_at)} for one in owed.moves],
        "asks": [
            {"role": call.role.code, "team": call.team.name if call.team else None, "people": _names(call.persons)}
            for call in found.calls
        ],
        "releases": [{"role": one.role, "people": _names(one.persons)} for one in found.released],
        "pages": _names(found.woken),
        "subscribers_mailed": heard.addresses if heard and heard.at_once else 0,
        "effects": [
            *criteria,
            *effect_words.people_called(found, definition),
            *effect_words.by_the_clock(found, when=_utc),
            *([heard.words] if heard else []),
        ],
    }


def _utc(instant: datetime) -> str:
    return f"{instant:%H:%M} UTC"


def _owed(one: Obligation) -> dict[str, Any]:
    return {
        "key": one.key,
        "kind": one.kind.value,
        "audience": one.audience or None,
        "owner_role": one.owner_role,
        "due_at": shapes.at(one.due_at),
    }


def _names(persons: list[Person]) -> list[str]:
    return [person.username for person in persons]


def _shown(request: HttpRequest, ref: str) -> dict[str, Any]:
    row = queries.incident(actor(request), ref)
    definition = snapshots.process_of(row)
    known = known_facts.known(row)
    weighed = known_facts.weighing(row, definition)
    return {
        "id": row.ref,
        "priority": row.priority,
        "severity": row.severity,
        "complex": row.complex,
        "users_share": format(known.users_share, "f") if known.users_share is not None else None,
        "teams_needed": known.teams,
        "teams": [team.name for team in known_facts.teams_of(row)],
        "signs": [
            {"code": sign.code, "ask": sign.ask, "answer": (known.signs or {}).get(sign.code)}
            for sign in definition.severities.signs
        ],
        "criteria": [
            {"criterion": one.criterion.value, "severity": one.severity, "arithmetic": one.arithmetic}
            for one in weighed.criteria
        ],
        "suggestions": [_suggestion(row, one) for one in known_facts.suggestions(row)],
    }


def _suggestion(incident: Incident, row: Suggestion) -> dict[str, Any]:
    return {
        "subject": row.subject,
        "value": value_words(snapshots.process_of(incident), row.subject, row.value),
        "basis": row.basis,
        "state": row.state,
        "made_at": shapes.at(row.made_at),
        "answered_at": shapes.at(row.answered_at),
        "answered_by": row.answered_by or None,
        "reason": row.reason or None,
    }
