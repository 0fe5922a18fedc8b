"""An incident's facts with the process they are judged by: what every kind of obligation asks of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from tocsin.core.obligation_facts import Audience, ObligationFacts, PriorityChange, SeverityChange
from tocsin.core.postmortem_rules import BusinessDays
from tocsin.core.process_definition import ProcessDefinition
from tocsin.core.process_parts import PriorityDefinition
from tocsin.core.roles import Duty, duty_holder

_Change = TypeVar("_Change", PriorityChange, SeverityChange)


@dataclass(frozen=True)
class Case:
    """An incident's facts with the process they are judged by."""

    facts: ObligationFacts
    process: ProcessDefinition
    calendar: BusinessDays

    @property
    def severity(self) -> str:
        return self.facts.severities[-1].severity if self.facts.severities else self.process.severities.start

    @property
    def current(self) -> PriorityChange | None:
        return self.facts.priorities[-1] if self.facts.priorities else None

    @property
    def priority(self) -> PriorityDefinition | None:
        return self.definition(self.current) if self.current is not None else None

    @property
    def ended(self) -> bool:
        return self.facts.resolved_at is not None

    def definition(self, change: PriorityChange) -> PriorityDefinition | None:
        return None if change.rank is None else self.process.catalogue.by_rank(change.rank)

    def owner(self, duty: Duty) -> str:
        return duty_holder(self.process, duty, self.severity, held=self.facts.roles_held).role

    def earliest(self, at: datetime) -> datetime:
        """`at`, but not before the response starts and not before the last reopening."""
        floors = (self.facts.response_starts_at, self.facts.reopened_at)
        return max([at, *(floor for floor in floors if floor is not None)])

    def targets(self, audience: Audience, change: PriorityChange) -> bool:
        """Whether that priority asks to tell that audience."""
        definition = self.definition(change)
        if definition is None:
            return False
        if audience is Audience.MANAGEMENT:
            return definition.criteria.notify_management or self.facts.management_added
        return definition.criteria.notify_stakeholder_groups and bool(self.facts.groups)

    def interval(self, audience: Audience, change: PriorityChange) -> timedelta | None:
        definition = self.definition(change)
        if definition is None or not self.targets(audience, change):
            return None
        return definition.criteria.update_every


def since_when(history: Sequence[_Change], holds: Callable[[_Change], bool]) -> datetime | None:
    """When the unbroken run up to now began in which `holds` is true; None when it is not true now."""
    began = None
    for change in reversed(history):
        if not holds(change):
            break
        began = change.at
    return began
