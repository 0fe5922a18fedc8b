"""Escalations of an incident as its log tells them: to another team (functional) or to management (hierarchic).

Asking the next in the wake-up chain is neither: that chain belongs to the incident from its beginning.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from tocsin.core.adherence_record import Event
from tocsin.core.facts import Kind


class Direction(StrEnum):
    FUNCTIONAL = "functional"
    HIERARCHIC = "hierarchic"


KIND_OF = {Direction.FUNCTIONAL: Kind.INCIDENT_ESCALATED, Direction.HIERARCHIC: Kind.INCIDENT_ESCALATED_UP}
_DIRECTION_OF = {kind.value: direction for direction, kind in KIND_OF.items()}


@dataclass(frozen=True, slots=True)
class EscalationMade:
    """Somebody asked another team or management, and who answered when. `seq` names it: the log entry that made it."""

    seq: int
    direction: Direction
    at: datetime
    by: str
    asked_from: str
    asked_to: str
    reason: str
    by_name: str
    names: tuple[str, ...] = ()
    acknowledged_at: datetime | None = None
    acknowledged_by: str = ""

    @property
    def is_open(self) -> bool:
        return self.acknowledged_at is None


def escalations(events: Iterable[Event]) -> tuple[EscalationMade, ...]:
    """Every escalation in order. An entry without a receiver (older, or redacted) is passed over; the first answer counts."""
    found: dict[int, EscalationMade] = {}
    for event in events:
        direction = _DIRECTION_OF.get(event.kind)
        if direction is not None and event.text("to"):
            found[event.seq] = EscalationMade(
                seq=event.seq,
                direction=direction,
                at=event.at,
                by=event.actor,
                asked_from=event.text("from"),
                asked_to=event.text("to"),
                reason=event.text("reason"),
                by_name=event.text("by_name") or event.actor,
                names=tuple(sorted(event.words("persons"))),
            )
        elif event.kind == Kind.ESCALATION_ACKNOWLEDGED:
            made = found.get(event.get("escalation") or 0)
            if made is not None and made.is_open:
                by = event.text("person") or event.actor
                found[made.seq] = replace(made, acknowledged_at=event.at, acknowledged_by=by)
    return tuple(found.values())
