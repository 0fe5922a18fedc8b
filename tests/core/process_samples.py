"""The shipped process, the same with one cell changed, and instants of one day, for the tests of process decisions."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tocsin.core.obligation_facts import (
    Audience,
    AudienceFacts,
    Obligation,
    ObligationFacts,
    PriorityChange,
    SeverityChange,
)
from tocsin.core.obligations import obligations
from tocsin.core.priorities import PriorityState
from tocsin.core.process_definition import ProcessDefinition, parse_process
from tocsin.process.defaults import default_document

PROCESS = parse_process(default_document())
P1, P2, P3, P4 = (priority.rank for priority in PROCESS.catalogue.priorities)
CRITICAL, ERROR, WARNING = PROCESS.severities.codes
COORDINATOR, COMMUNICATOR, EXPERT = (role.code for role in PROCESS.roles.roles if not role.optional)
VECTORS: list[dict[str, Any]] = json.loads(Path(__file__).with_name("vectors.json").read_text(encoding="utf-8"))
ALL_HELD = frozenset({COORDINATOR, COMMUNICATOR, EXPERT})


def vectors(*kinds: str) -> list[dict[str, Any]]:
    """The exact vectors of the given kinds; at least one, so that a renamed kind cannot pass as "all of none"."""
    found = [vector for vector in VECTORS if vector["kind"] in kinds]
    assert found
    return found


def document_with(path: str, value: object) -> dict[str, Any]:
    """The shipped document with the cell at a dotted path replaced ("matrix.permutations.2.verdict")."""
    document = default_document()
    *steps, last = path.split(".")
    place: Any = document
    for step in steps:
        place = place[int(step)] if isinstance(place, list) else place[step]
    if isinstance(place, list):
        place[int(last)] = value
    else:
        place[last] = value
    return document


def process_with(path: str, value: object) -> ProcessDefinition:
    """The shipped process with one cell changed."""
    return parse_process(document_with(path, value))


def at(clock: str, *, day: int = 2) -> datetime:
    """An instant of Monday 2026-03-02 (or another day of that month), UTC: at("10:00")."""
    hours, minutes = clock.split(":")
    return datetime(2026, 3, day, tzinfo=UTC) + timedelta(hours=int(hours), minutes=int(minutes))


def decided(clock: str, rank: int) -> PriorityChange:
    """The priority was set to `rank` at that time."""
    return PriorityChange(at(clock), PriorityState.SET, rank)


def facts(
    *priorities: PriorityChange, severity: str = WARNING, held: frozenset[str] = ALL_HELD, **others: Any
) -> ObligationFacts:
    """An incident with these priorities, one severity, all roles held and one group chosen, unless told otherwise."""
    start = priorities[0].at if priorities else at("10:00")
    plain = ObligationFacts(
        created_at=start,
        priorities=priorities,
        severities=(SeverityChange(start, severity),),
        groups=("product-owners",),
        roles_held=held,
    )
    return replace(plain, **others)


def told(audience: Audience, *, count: int, last: str, promised: str | None = None) -> AudienceFacts:
    """An audience that has heard `count` messages, the last at `last`, which promised the next for `promised`."""
    return AudienceFacts(audience, count, at(last), at(promised) if promised else None)


def asked(given: ObligationFacts, *, now: str = "23:00", process: ProcessDefinition = PROCESS) -> dict[str, Obligation]:
    """The obligations of an incident by key."""
    return {one.key: one for one in obligations(given, process, now=at(now))}


def due(given: ObligationFacts, key: str, *, process: ProcessDefinition = PROCESS, now: str = "23:00") -> str:
    """When an obligation is due, as a time of the day."""
    due_at = asked(given, process=process, now=now)[key].due_at
    return f"{due_at:%H:%M}" if due_at else "none"
