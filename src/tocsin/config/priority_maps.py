"""Priority maps as files: what the decisions of a team look like in version control, as they are or as they would be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import unified_diff
from typing import Any

import yaml

from tocsin.config.kinds import OUR_VERSION, PRIORITY_MAP
from tocsin.core.access import Actor
from tocsin.core.priorities import AssignMode, PriorityState
from tocsin.slo import queries
from tocsin.slo.actions import Decided, same_response
from tocsin.slo.models import Decision, Objective, PriorityAssignment

_UNITS = ((86_400, "d"), (3600, "h"), (60, "m"))
NO_TEAM = "no-team"


@dataclass(frozen=True, slots=True)
class MapFile:
    """One team's map: its file name, the text as it would be, and what changes against the decisions in force."""

    name: str
    text: str
    diff: str
    undecided: tuple[str, ...]


def map_files(
    actor: Actor,
    decisions: Sequence[Decided],
    *,
    groups: Sequence[str] | None = None,
    reason: str = "",
    now: datetime,
) -> list[MapFile]:
    """The maps of every team that `decisions` touch, all of the team's SLOs in them; nothing is decided."""
    wanted = {one.slo: one for one in decisions}
    everything = queries.objectives(actor)
    teams = sorted({_team_of(one) for one in everything if one.name in wanted})
    held = queries.assignments_at([one.pk for one in everything], now, with_groups=True)
    return [_file(team, everything, held, wanted, groups=groups, reason=reason) for team in teams]


def _team_of(objective: Objective) -> str:
    return objective.service.team.name if objective.service.team else NO_TEAM


def _file(
    team: str,
    everything: Sequence[Objective],
    held: Mapping[int, PriorityAssignment],
    wanted: Mapping[str, Decided],
    *,
    groups: Sequence[str] | None,
    reason: str,
) -> MapFile:
    members = [one for one in everything if _team_of(one) == team]
    now = [entry_of(one, held.get(one.pk)) for one in members]
    then = [
        _changed(one, held.get(one.pk), wanted[one.name], groups, reason) if one.name in wanted else entry
        for one, entry in zip(members, now, strict=True)
    ]
    name = f"{team}-priorities.yaml"
    before, after = text_of(team, now), text_of(team, then)
    diff = "".join(
        unified_diff(before.splitlines(keepends=True), after.splitlines(keepends=True), f"a/{name}", f"b/{name}")
    )
    undecided = tuple(one.name for one, entry in zip(members, then, strict=True) if entry is None)
    return MapFile(name, after, diff, undecided)


def entry_of(objective: Objective, row: PriorityAssignment | None) -> dict[str, Any] | None:
    """A decision as a line of a map; None for an SLO nobody has decided on."""
    if row is None:
        return None
    groups = [group.code for group in row.groups.all()]
    entry = _entry(objective.name, row.decision, row.priority, groups, row.reason, row.raise_rule)
    return {**entry, **_further(row.assign_mode, row.severity, row.escalation_policy)}


def _further(assign_mode: str, severity: str = "", escalation_policy: str = "") -> dict[str, str]:
    """What else an entry says, where it is not the usual."""
    mode = assign_mode if assign_mode == AssignMode.MANUAL else ""
    said = {"assignMode": mode, "severity": severity, "escalationPolicy": escalation_policy}
    return {key: value for key, value in said.items() if value}


def _changed(
    objective: Objective, row: PriorityAssignment | None, one: Decided, groups: Sequence[str] | None, reason: str
) -> dict[str, Any] | None:
    if one.decision == PriorityState.UNSET:
        return None
    kept = [group.code for group in row.groups.all()] if row is not None else []
    rule = row.raise_rule if row is not None else None
    raising = rule if rule and one.priority is not None and int(rule["to"]) < one.priority else None
    said = reason or (row.reason if row is not None else "")
    entry = _entry(objective.name, one.decision, one.priority, kept if groups is None else groups, said, raising)
    return {**entry, **_further(row.assign_mode if row else "", **same_response(row, one.decision, one.priority, said))}


def _entry(
    slo: str,
    decision: str,
    priority: int | None,
    groups: Sequence[str],
    reason: str,
    raise_rule: Mapping[str, Any] | None,
) -> dict[str, Any]:
    entry: dict[str, Any] = {"slo": slo, "priority": priority if decision == Decision.SET else "none"}
    if groups:
        entry["groups"] = list(groups)
    if raise_rule:
        within = _span(int(raise_rule["within_seconds"]))
        entry["raise"] = [{"when": f"breaches > {raise_rule['more_than']} in {within}", "to": int(raise_rule["to"])}]
    if reason:
        entry["because"] = reason
    return entry


def _span(seconds: int) -> str:
    size, unit = next(((size, unit) for size, unit in _UNITS if seconds % size == 0), (60, "m"))
    return f"{max(1, seconds // size)}{unit}"


def text_of(team: str, entries: Sequence[dict[str, Any] | None]) -> str:
    """A map as its file, one SLO a line, so that a change is a line of a diff."""
    head = {"apiVersion": OUR_VERSION, "kind": PRIORITY_MAP}
    metadata = {"name": team} if team == NO_TEAM else {"name": team, "team": team}
    lines = [_flow(entry) for entry in entries if entry is not None]
    return "".join(
        [
            yaml.safe_dump(head, sort_keys=False),
            f"metadata: {_flow(metadata)}\n",
            "spec:\n",
            "  slos:\n" if lines else "  slos: []\n",
            *(f"    - {line}\n" for line in lines),
        ]
    )


def _flow(value: Any) -> str:
    text: str = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=10_000, allow_unicode=True)
    return text.strip()
