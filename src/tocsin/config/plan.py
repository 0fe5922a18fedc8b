"""What applying files would do, or did."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tocsin.slo.openslo.nodes import Problem


@dataclass(frozen=True, slots=True, order=True)
class FileProblem:
    """Something wrong or odd at a line of a file."""

    path: str
    line: int
    message: str

    @classmethod
    def of(cls, file: str, problem: Problem) -> FileProblem:
        return cls(file, problem.line, f"{problem.path}: {problem.message}" if problem.path else problem.message)

    def as_json(self) -> dict[str, Any]:
        return {"path": self.path, "line": self.line, "message": self.message}


@dataclass(slots=True)
class Plan:
    """Objects by what becomes of them ("SLO logon-availability"). With any error nothing was written."""

    created: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    errors: list[FileProblem] = field(default_factory=list)
    warnings: list[FileProblem] = field(default_factory=list)

    def as_document(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "created": self.created,
            "changed": self.changed,
            "unchanged": self.unchanged,
            "errors": [problem.as_json() for problem in self.errors],
            "warnings": [problem.as_json() for problem in self.warnings],
        }
