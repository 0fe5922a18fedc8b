"""Putting a team's incident policy in force, and what it says of itself."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from tocsin.adoption import snapshots
from tocsin.adoption.models import Statement, TeamPolicy
from tocsin.audit import actions as audit
from tocsin.audit.actions import Fact
from tocsin.core import team_readiness as core
from tocsin.core.access import Actor, Right, require
from tocsin.core.errors import Invalid, Refused
from tocsin.core.facts import Kind
from tocsin.core.team_readiness import SAID_BY_THE_TEAM, Point
from tocsin.people import queries as people
from tocsin.platform import db
from tocsin.platform.text import clean, one_line


def activate_policy(actor: Actor, team: str, *, now: datetime) -> TeamPolicy:
    """Put the incident policy of a team in force from now on; when it is already, nothing happens.

    Raises Refused naming every record that is missing.
    """
    require(actor, Right.TEAM_WRITE, team=team)
    with transaction.atomic():
        row = people.team(team)
        db.advisory_lock(f"tocsin.adoption.policy.{row.pk}")
        found = TeamPolicy.objects.filter(team=row, ended_at=None).first()
        if found is not None:
            return found
        lacks = core.missing(snapshots.facts_of(row, now=now))
        if lacks:
            raise Refused(
                f"The incident policy of {row.label} cannot be in force yet. Missing: {core.missing_words(lacks)}.",
                reason="prerequisites_missing",
                remedy=f"Add what is missing, then try again; /teams/{row.name} shows each with its way.",
            )
        made = TeamPolicy.objects.create(team=row, activated_at=now, activated_by=actor.ident)
        _tell(actor, Kind.TEAM_POLICY_ACTIVATED, {"team": row.name}, now=now)
    return made


def end_policy(actor: Actor, team: str, *, reason: str, now: datetime) -> TeamPolicy:
    """Take the policy of a team out of force, with the reason. Raises Refused when none is in force."""
    require(actor, Right.TEAM_WRITE, team=team)
    why = _sentence(reason, "reason", "Say why the policy ends; the log keeps it.")
    with transaction.atomic():
        row = people.team(team)
        found = db.lock(TeamPolicy.objects.filter(team=row, ended_at=None)).first()
        if found is None:
            raise Refused(f"No incident policy of {row.label} is in force.", reason="not_active")
        found.ended_at, found.ended_by, found.end_reason = now, actor.ident, why
        found.save(update_fields=["ended_at", "ended_by", "end_reason"])
        _tell(actor, Kind.TEAM_POLICY_ENDED, {"team": row.name, "reason": why}, now=now)
    return found


def state_point(actor: Actor, team: str, point: str, *, holds: bool, reason: str, now: datetime) -> Statement:
    """The team's own answer to a point of the readiness test that no record can show."""
    require(actor, Right.TEAM_WRITE, team=team)
    askable = [one.value for one in Point if one in SAID_BY_THE_TEAM]
    if point not in askable:
        raise Invalid({"point": f"The team answers {' and '.join(askable)}; the rest is read from the records."})
    why = _sentence(reason, "reason", "Say in a sentence what makes you say so.")
    with transaction.atomic():
        row = people.team(team)
        made = Statement.objects.create(
            team=row, point=point, holds=holds, reason=why, said_by=actor.ident, said_at=now
        )
        _tell(actor, Kind.TEAM_POINT_STATED, {"team": row.name, "point": point, "holds": holds, "reason": why}, now=now)
    return made


def _sentence(text: str, field: str, asked: str) -> str:
    said = one_line(clean(text))
    if not said:
        raise Invalid({field: asked})
    return said


def _tell(actor: Actor, kind: Kind, data: dict[str, object], *, now: datetime) -> None:
    audit.record(actor, [Fact(kind=kind, data=data)], now=now)
