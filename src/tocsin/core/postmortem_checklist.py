"""The checklists around a postmortem: before, during and after the meeting, each item done, left out with a reason, or open.

The items are data of the process version that the incident pinned.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from tocsin.core.process_definition import ProcessDefinition
from tocsin.core.process_parts import LifecycleItem


class ItemState(StrEnum):
    OPEN = "open"
    DONE = "done"
    EXPLAINED = "explained"


@dataclass(frozen=True, slots=True)
class Mark:
    """What somebody said of an item; `reason` is why it was left out."""

    state: ItemState
    by: str
    at: datetime
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ChecklistLine:
    item: LifecycleItem
    mark: Mark | None

    @property
    def state(self) -> ItemState:
        return self.mark.state if self.mark else ItemState.OPEN


def checklist(process: ProcessDefinition, marks: Mapping[str, Mark]) -> tuple[ChecklistLine, ...]:
    """Every item of the process in its order, with what was said of it."""
    return tuple(ChecklistLine(item, marks.get(item.code)) for item in process.postmortem.lifecycle)


def item_of(process: ProcessDefinition, code: str) -> LifecycleItem | None:
    """The item of that code, None where the process has none."""
    return next((item for item in process.postmortem.lifecycle if item.code == code), None)


@dataclass(frozen=True, slots=True)
class Gate:
    """Whether the meeting may start. `open_issues` are tensions between people that nobody has settled."""

    open_issues: int = 0
    objected: bool = False

    def holds(self, *, override: bool) -> bool:
        """Only a person's decision opens it early, and none while the person concerned objects."""
        return self.open_issues > 0 and (self.objected or not override)


def has_gate(process: ProcessDefinition) -> bool:
    """Whether the process lets open tensions postpone the meeting."""
    return any(item.gate for item in process.postmortem.lifecycle)
