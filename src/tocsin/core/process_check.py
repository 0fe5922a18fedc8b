"""What is wrong with a written process, what it leaves open, and what to do about each: for people who write one.

`problems` says what keeps a document from being used. This goes further: it lays the parts side by side and finds where
they contradict each other, what can never happen, and, told who is on call, which roles nobody could fill.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tocsin.core.document_reading import Level, Problem
from tocsin.core.errors import Invalid
from tocsin.core.process_contradictions import contradictions
from tocsin.core.process_definition import parse_process, problems
from tocsin.core.process_remedies import remedy
from tocsin.core.process_staffing import RULES as STAFFING
from tocsin.core.process_staffing import Staff, staffing_problems


@dataclass(frozen=True)
class Finding:
    """One fault or doubt: its place, the name of the rule, what is the matter, and what would mend it."""

    where: str
    rule: str
    says: str
    remedy: str
    level: Level

    @property
    def section(self) -> str:
        """The section of the document it is about."""
        return self.where.split(".", 1)[0]

    @property
    def is_about_people(self) -> bool:
        """Whether people are missing, not a word of the process."""
        return self.rule in STAFFING

    @property
    def role(self) -> str:
        """The role that nobody is on call for; "" for any other finding."""
        return self.where.rsplit(".", 1)[-1] if self.rule in {"role_has_a_rotation", "team_has_a_rotation"} else ""


def check(document: Mapping[str, Any], staff: Staff | None = None) -> tuple[Finding, ...]:
    """Every finding about a process document, errors first. Without `staff` nothing is said about people.

    A document that cannot be read has only the faults that keep it from being read: the parts are compared when each
    of them is known.
    """
    found: list[Problem] = problems(document)
    try:
        process = parse_process(document)
    except Invalid:
        return _findings(found)
    found += contradictions(process)
    if staff is not None:
        found += staffing_problems(process, staff)
    return _findings(found)


def _findings(found: list[Problem]) -> tuple[Finding, ...]:
    rows = [Finding(one.where, one.rule, one.message, remedy(one.rule), one.level) for one in found]
    return tuple(sorted(rows, key=lambda one: (one.level is Level.WARNING, one.where, one.rule)))
