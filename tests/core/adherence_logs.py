"""Logs of incidents, written by hand for the tests of the checks: `Log().began("10:00").taken("10:05")`."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Self

from tests.core.process_samples import P1, PROCESS, WARNING, at
from tocsin.core.adherence import CHECKS, RECORDED, judge
from tocsin.core.adherence_outcomes import Outcome, Verdict
from tocsin.core.adherence_record import Event
from tocsin.core.facts import Kind
from tocsin.core.process_definition import ProcessDefinition

EVERYTHING = RECORDED | {kind for check in CHECKS.values() for kind in check.reads}
"""As if the software recorded all that a check could ask for."""
REF = "INC-1"


def moment(clock: str | datetime) -> datetime:
    """ "10:05" on the first day, "5 10:05" on another one of that month."""
    if isinstance(clock, datetime):
        return clock
    day, _, time = clock.rpartition(" ")
    return at(time, day=int(day or 2))


class Log:
    """Entries of one incident, in the order they are written in."""

    def __init__(self, process: ProcessDefinition = PROCESS) -> None:
        self.process = process
        self.events: list[Event] = []

    def add(
        self, clock: str | datetime, kind: str, /, *, actor: str = "ada", removed: bool = False, **data: Any
    ) -> Self:
        seq = 10 + len(self.events)
        self.events.append(Event(seq, moment(clock), str(kind), actor, None if removed else data))
        return self

    def began(
        self,
        clock: str = "10:00",
        *,
        rank: int | None = P1,
        severity: str = WARNING,
        by_person: bool = False,
        **more: Any,
    ) -> Self:
        data: dict[str, Any] = {
            "rank": rank,
            "priority_state": "unset" if rank is None else "set",
            "severity": severity,
            "service": "tickets",
            "impact_state": "actual",
            "priority_by_person": by_person and rank is not None,
            "severity_by_person": by_person,
            "groups": [],
        }
        kind = Kind.INCIDENT_DECLARED if by_person else Kind.INCIDENT_OPENED
        return self.add(clock, kind, actor="ada" if by_person else "slo", **(data | more))

    def taken(self, clock: str) -> Self:
        return self.add(clock, Kind.INCIDENT_ACKNOWLEDGED, person="Ada", username="ada")

    def priority(
        self, clock: str, rank: int | None, *, reason: str = "More users", old: int | None = None, **more: Any
    ) -> Self:
        state = "none" if rank is None else "set"
        data = {"rank": rank, "priority_state": state, "reason": reason, "old_rank": old, "by_person": True}
        return self.add(clock, Kind.PRIORITY_CHANGED, **(data | more))

    def severity(self, clock: str, severity: str, *, reason: str = "", **more: Any) -> Self:
        data = {"severity": severity, "reason": reason, "by_person": True}
        return self.add(clock, Kind.SEVERITY_CHANGED, **(data | more))

    def role(self, clock: str, role: str, who: str = "ada") -> Self:
        return self.add(clock, Kind.ROLE_TAKEN, role_code=role, username=who)

    def released(self, clock: str, role: str, who: str = "ada") -> Self:
        return self.add(clock, Kind.ROLE_RELEASED, role_code=role, username=who)

    def told(self, clock: str, *audiences: str, kind: str = "progress", promised: str = "", **more: Any) -> Self:
        until = moment(promised).isoformat() if promised else None
        data = {"update_kind": kind, "audiences": list(audiences), "codes": [], "next_update_at": until}
        return self.add(clock, Kind.UPDATE_SENT, **(data | more))

    def resolved(self, clock: str, *, by_person: bool = True, **more: Any) -> Self:
        data = {"by_person": by_person, "service": "tickets", "category": "deploy"}
        return self.add(clock, Kind.INCIDENT_RESOLVED, **(data | more))

    def fulfilled(self, clock: str, kind: str, reference: str = "") -> Self:
        return self.add(clock, Kind.OBLIGATION_FULFILLED, obligation_kind=kind, key=kind, reference=reference)

    def waived(self, clock: str, key: str, reason: str = "Agreed with the owner") -> Self:
        return self.add(clock, Kind.OBLIGATION_WAIVED, key=key, reason=reason)

    def waived_check(self, clock: str, check: str, reason: str = "A drill of the network") -> Self:
        return self.add(clock, Kind.CHECK_WAIVED, check=check, reason=reason)

    def judged(self, as_of: str | datetime, *, recorded: frozenset[str] = EVERYTHING) -> dict[str, Outcome]:
        return judge(REF, self.events, self.process, as_of=moment(as_of), recorded=recorded)

    def says(self, code: str, as_of: str | datetime, *, recorded: frozenset[str] = EVERYTHING) -> Verdict:
        return self.judged(as_of, recorded=recorded)[code].verdict
