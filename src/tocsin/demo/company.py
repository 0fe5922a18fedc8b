"""Set up Harbor Tickets through the same actions everybody uses: teams, people, rotations, services, SLOs, priorities."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from tocsin.alerts import actions as alerts
from tocsin.catalog import queries as catalog
from tocsin.config import apply
from tocsin.core.access import SYSTEM
from tocsin.demo import adoption, talks
from tocsin.oncall import actions as oncall
from tocsin.people import actions as people
from tocsin.process import actions as process
from tocsin.slo import actions as slo
from tocsin.slo.defaults import REVIEW_AFTER, default_policy

CONFIGURATION = (
    "services.yaml",
    "sources.yaml",
    "slos-identity.yaml",
    "slos-tickets.yaml",
    "slos-payments.yaml",
    "slos-notifications.yaml",
    "slos-platform.yaml",
    "priorities.yaml",
    "views.yaml",
)


@dataclass(frozen=True, slots=True)
class Company:
    """What the rest of the demo needs to know: the keys of the senders and who is who."""

    sli_key: str
    alert_key: str
    usernames: tuple[str, ...]
    domain: str


def text_of(name: str) -> str:
    """One of the demo's own files."""
    return files("tocsin.demo").joinpath("files", name).read_text(encoding="utf-8")


def set_up(*, now: datetime, until: datetime) -> Company:
    """Create the whole company as of `now`; who is named first in a rotation is on call at `until`, when it opens.

    Raises when one of its own files is refused.
    """
    told: dict[str, Any] = yaml.safe_load(text_of("company.yaml"))
    _people(told, now=now)
    _groups(told, now=now)
    plan = apply.apply_texts(SYSTEM, {name: text_of(name) for name in CONFIGURATION}, dry_run=False, now=now)
    if plan.errors:
        raise ValueError(f"the demo's own files are refused: {plan.errors[:3]}")
    talks.hold(now=now)
    review = (until + REVIEW_AFTER).date().isoformat()
    slo.save_budget_policy(
        SYSTEM, team=told["teams"][0]["name"], document={**default_policy(), "next_review": review}, now=now
    )
    _on_call(told, now=now, until=until)
    adoption.begin(now=now)
    keys = {}
    for sender in told["integrations"]:
        _, keys[sender["kind"]] = alerts.add_integration(
            SYSTEM, kind=sender["kind"], name=sender["name"], service=sender.get("service"), now=now
        )
    return Company(
        sli_key=keys["sli"],
        alert_key=keys["alertmanager"],
        usernames=tuple(person["name"] for person in told["people"]),
        domain=told["domain"],
    )


def _people(told: dict[str, Any], *, now: datetime) -> None:
    for team in told["teams"]:
        people.add_team(SYSTEM, **team, now=now)
    for person in told["people"]:
        people.add_person(
            SYSTEM,
            username=person["name"],
            display_name=person["display_name"],
            email=f"{person['name']}@{told['domain']}",
            role=person.get("role", "responder"),
            time_zone=person["time_zone"],
            now=now,
        )
        for team in person["owns"]:
            people.add_member(SYSTEM, team=team, username=person["name"], is_owner=True, now=now)
        for team in person["teams"]:
            people.add_member(SYSTEM, team=team, username=person["name"], now=now)
    people.set_fallback_contact(SYSTEM, email=told["fallback_contact"], now=now)


def _groups(told: dict[str, Any], *, now: datetime) -> None:
    for code, names in told["groups"].items():
        for name in names:
            address = f"{name}@{told['domain']}"
            process.add_group_member(SYSTEM, group=code, email=address, name=_spoken(name), now=now)


def _spoken(name: str) -> str:
    return " ".join(part.capitalize() for part in name.replace("-", " ").replace(".", " ").split())


def _on_call(told: dict[str, Any], *, now: datetime, until: datetime) -> None:
    for rotation in told["rotations"]:
        document = _schedule(rotation, now=now, until=until)
        oncall.save_rotation(SYSTEM, document, team=rotation["team"] or None, role=rotation["role"], now=now)
    for policy in told["policies"]:
        steps = [{"wait_minutes": told["wait_minutes"], "targets": targets} for targets in policy["steps"]]
        document = {"name": policy["name"], "repeat": 1, "steps": steps}
        oncall.save_policy(SYSTEM, document, team=policy["team"], now=now)
    for service in catalog.services(SYSTEM):
        if service.team is not None:
            oncall.set_service_escalation(SYSTEM, service=service.name, policy=service.team.name, now=now)


def _schedule(rotation: dict[str, Any], *, now: datetime, until: datetime) -> dict[str, Any]:
    """A weekly rotation from the Monday before `now`, 09:00 on the wall clock of its zone."""
    start = _monday(now, rotation["zone"])
    weeks = (_monday(until, rotation["zone"]) - start + timedelta(hours=2)) // timedelta(
        weeks=1
    )  # two hours: clock changes
    users = rotation["users"]
    layer: dict[str, Any] = {
        "name": "weekly",
        "start": start.isoformat(),
        "rotation": {"unit": "week", "every": 1},
        "users": [[users[(turn - weeks) % len(users)]] for turn in range(len(users))],
    }
    if rotation.get("saturday_gap"):
        layer["restrictions"] = [
            {"days": ["MO", "TU", "WE", "TH", "FR", "SU"], "from": "00:00", "to": "00:00"},
            {"days": ["SA"], "from": rotation["saturday_gap"], "to": "00:00"},
        ]
    return {"name": rotation["name"], "time_zone": rotation["zone"], "layers": [layer]}


def _monday(now: datetime, zone: str) -> datetime:
    local = now.astimezone(ZoneInfo(zone)) - timedelta(hours=9)  # before nine on Monday it is still last week's turn
    day = local.date() - timedelta(days=local.weekday())
    return datetime.combine(day, time(9, 0), tzinfo=ZoneInfo(zone)).astimezone(UTC)
