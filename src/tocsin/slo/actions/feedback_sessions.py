"""Providers and consumers talk: the record of a feedback session on priorities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import transaction

from tocsin.audit import actions as audit
from tocsin.audit.actions import Fact, stamp
from tocsin.core.access import Actor, Right
from tocsin.core.errors import Invalid, NotAllowed
from tocsin.core.facts import Kind
from tocsin.people.models import Team
from tocsin.platform.text import clean, one_line
from tocsin.slo.models import FeedbackSession, Objective, SessionOutcome

_MOST_NAMES = 200


def record_session(
    actor: Actor,
    *,
    team: str,
    held_at: datetime,
    invited: Sequence[str],
    attended: Sequence[str] = (),
    outcomes: Mapping[str, str],
    now: datetime,
) -> FeedbackSession:
    """Keep the record of a feedback session of `team`: when, who was asked, who came, what came out for each SLO."""
    with transaction.atomic():
        owner = Team.objects.filter(name=team).first()
        if owner is None:
            raise Invalid({"team": f"There is no team called {team!r}."})
        if owner.name not in actor.teams and not actor.may(Right.PROCESS_WRITE):
            raise NotAllowed(
                "Members of the team and SRE coaches keep the record of its sessions.",
                remedy=f"Ask somebody of {owner.label}.",
            )
        asked, came = _names(invited), _names(attended)
        told = {slo: clean(text.strip()) for slo, text in outcomes.items() if text.strip()}
        _check_session(asked, came, told, owner, held_at, now)
        session = FeedbackSession.objects.create(
            team=owner, held_at=held_at, invited=asked, attended=came, recorded_by=actor.ident, recorded_at=now
        )
        rows = {row.name: row for row in Objective.objects.filter(name__in=told)}
        SessionOutcome.objects.bulk_create(
            SessionOutcome(session=session, objective=rows[slo], text=text) for slo, text in told.items()
        )
        data = {
            "team": owner.name,
            "held_at": stamp(held_at),
            "invited": asked,
            "attended": came,
            "outcomes": told,
        }
        audit.record(actor, [Fact(kind=Kind.FEEDBACK_SESSION_HELD, data=data)], now=now)
    return session


def _names(given: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(name for one in given if (name := one_line(clean(one), limit=150))))


def _check_session(
    asked: Sequence[str], came: Sequence[str], told: Mapping[str, str], team: Team, held_at: datetime, now: datetime
) -> None:
    problems: dict[str, str] = {}
    if not asked:
        problems["invited"] = "Name who was invited, one a line."
    if max(len(asked), len(came)) > _MOST_NAMES:
        problems["invited"] = f"A session has at most {_MOST_NAMES} people."
    if held_at > now:
        problems["held_at"] = "A record is of a session that has been; this is in the future."
    if not told:
        problems["outcomes"] = "Say what came out for at least one SLO."
    known = set(Objective.objects.filter(name__in=told, service__team=team).values_list("name", flat=True))
    foreign = [slo for slo in told if slo not in known]
    if foreign:
        problems["outcomes"] = f"{foreign[0]} is no SLO of {team.label}."
    if problems:
        raise Invalid(problems)
