"""How the teams of Harbor Tickets came to their SLOs: what they said, what still watches resources, what they wish for."""

from __future__ import annotations

from datetime import datetime
from importlib.resources import files
from typing import Any

import yaml

from tocsin.adoption import actions, queries
from tocsin.adoption.models import WalkedCase
from tocsin.core.access import SYSTEM, Actor
from tocsin.people import actions as people_actions
from tocsin.people import queries as people
from tocsin.slo import actions as slos


def begin(*, now: datetime) -> None:
    """Before the story: stages, what the teams say, their policies, alerts, wishes, and one walk."""
    told = _told()
    for team, stage in told["stages"].items():
        people_actions.update_team(SYSTEM, name=team, stage=stage, now=now)
    for said in told["said"]:
        actions.state_point(_as(said["by"]), said["team"], said["point"], holds=True, reason=said["reason"], now=now)
    for team, owner in told["policies"].items():
        actions.activate_policy(_as(owner), team, now=now)
    for alert in told["alerts"]:
        _register(alert, now=now)
    for wish in told["wishes"]:
        wisher = _as(wish.pop("by"))
        actions.add_wish(wisher, now=now, **wish)
    _walk(told["walk"], now=now)


def lately(*, now: datetime) -> None:
    """When the demo opens: an SLO has replaced an alert, and a team has held a session."""
    told = _told()["lately"]
    for move in told["moves"]:
        slos.move_resource_alert(
            _as(move["by"]),
            move["alert"],
            move["state"],
            replaced_by=move.get("slo", ""),
            reason=move.get("reason", ""),
            now=now,
        )
    session = told["session"]
    agenda = queries.agenda(SYSTEM, team=session["team"], now=now)
    actions.record_session(
        _as(session["by"]),
        session["team"],
        held_on=now.date(),
        participants=session["participants"],
        decisions=[{"slo": one.name, "decision": "later", "note": session["later"]} for one in agenda],
        note=session["note"],
        now=now,
    )


def _told() -> dict[str, Any]:
    text = files("tocsin.demo").joinpath("files", "adoption.yaml").read_text(encoding="utf-8")
    found: dict[str, Any] = yaml.safe_load(text)
    return found


def _as(username: str) -> Actor:
    return people.actor_of(people.person(username))


def _register(told: dict[str, Any], *, now: datetime) -> None:
    owner = _as(told["by"])
    row = actions.register_alert(
        owner,
        alert_name=told["alert_name"],
        service=told["service"],
        metric=told["metric"],
        use_case=told["use_case"],
        now=now,
    )
    slos.assign_priority(owner, resource_alert=row, decision="set", priority=told["priority"], now=now)


def _walk(told: dict[str, Any], *, now: datetime) -> None:
    owner = _as(told["by"])
    walk = actions.begin_walk(owner, told["team"], priority=told["priority"], now=now)
    actions.name_use_cases(owner, walk.pk, [case["text"] for case in told["cases"]], now=now)
    for case in told["cases"]:
        row = WalkedCase.objects.get(walk=walk, text=case["text"])
        if len(case) == 1:
            continue  # nobody has looked at this one yet
        actions.see_use_case(owner, row.pk, slo=case.get("slo", ""), now=now)
        answer = {key: value for key, value in case.items() if key not in ("text", "slo")}
        if answer:
            actions.answer_find(owner, row.pk, now=now, **answer)
