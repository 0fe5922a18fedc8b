"""Which SLOs a list shows: what the address asks for, in the order of danger, a page at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict

from tocsin.slo.models import Objective, PriorityAssignment
from tocsin.web.slo_words import STATES, danger, state_code, state_of

SHOWN = 25
LONGEST = 100
NAMES = ("team", "service", "state", "priority", "health", "q")
UNSET, NONE = "unset", "none"


@dataclass(frozen=True, slots=True)
class Search:
    """What was asked for. Empty is anything; `page` counts from 1."""

    asked: Mapping[str, str]
    page: int

    @property
    def filtered(self) -> bool:
        return any(self.asked.values())

    def address(self, page: int) -> str:
        """The query of another page of the same search."""
        kept = {name: value for name, value in self.asked.items() if value}
        return urlencode({**kept, **({"page": page} if page > 1 else {})})

    def matches(self, objective: Objective, assignment: PriorityAssignment | None) -> bool:
        says = UNSET if assignment is None else str(assignment.priority or NONE)
        team = objective.service.team
        found = {
            "team": team.name if team else "",
            "service": objective.service.name,
            "state": state_code(objective),
            "health": state_of(objective).health,
            "priority": says,
        }
        return all(not self.asked[name] or self.asked[name] == value for name, value in found.items()) and (
            self._has_words(objective)
        )

    def _has_words(self, objective: Objective) -> bool:
        """Whether every word that was typed stands somewhere in the SLO's names."""
        team = objective.service.team
        names = [
            objective.name,
            objective.label,
            objective.use_case,
            objective.service.label,
            team.label if team else "",
        ]
        text = " ".join(names).casefold()
        return all(word in text for word in self.asked["q"].casefold().split())


def search_of(given: QueryDict) -> Search:
    """What an address asks for; numbers and names that mean nothing find nothing, they are no fault."""
    asked = {name: given.get(name, "").strip()[:LONGEST] for name in NAMES}
    page = given.get("page", "")
    return Search(asked, int(page) if page.isascii() and page.isdecimal() and 0 < len(page) < 6 and int(page) else 1)


@dataclass(frozen=True, slots=True)
class Part:
    """One page of what was found. `before` and `after` are the queries of its neighbours, "" at the ends."""

    rows: Sequence[Objective]
    count: int
    first: int
    last: int
    before: str | None
    after: str | None


def part(found: Sequence[Objective], search: Search) -> Part:
    """The page that was asked for, the last one when there are fewer; danger first."""
    ordered = sorted(found, key=danger)
    pages = max(1, -(-len(ordered) // SHOWN))
    page = min(search.page, pages)
    start = (page - 1) * SHOWN
    rows = ordered[start : start + SHOWN]
    return Part(
        rows=rows,
        count=len(ordered),
        first=start + 1 if rows else 0,
        last=start + len(rows),
        before=search.address(page - 1) if page > 1 else None,
        after=search.address(page + 1) if page < pages else None,
    )


def choices(objectives: Sequence[Objective]) -> dict[str, Any]:
    """What each filter offers: only what there is."""
    teams = {one.service.team.name: one.service.team.label for one in objectives if one.service.team}
    services = {one.service.name: one.service.label for one in objectives}
    return {
        "teams": [("", "Every team"), *sorted(teams.items(), key=lambda pair: pair[1])],
        "services": [("", "Every service"), *sorted(services.items(), key=lambda pair: pair[1])],
        "states": [("", "Any state"), *((code, words) for code, (words, _) in STATES.items())],
    }
