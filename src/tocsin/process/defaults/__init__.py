"""The process a new installation begins with, as data: one file for each section of the process document."""

from __future__ import annotations

from typing import Any

from tocsin.platform import shipped

SECTIONS = (
    "priorities",
    "severities",
    "matrix",
    "roles",
    "questions",
    "lifecycle",
    "postmortem",
    "stakeholders",
    "messages",
    "wellbeing",
)
OPTIONAL = ("regulatory_clocks",)
"""Sections that a process may leave out."""


def default_document() -> dict[str, Any]:
    """The shipped process as one new JSON-able document: section name to content, as `parse_process` reads it."""
    return {section: _section(section) for section in (*SECTIONS, *OPTIONAL)}


def _section(name: str) -> Any:
    return shipped.document(__name__, f"{name}.yaml")


SCHEMES = ("three-role", "six-role")


def survey_questions() -> list[dict[str, str]]:
    """What people who have been on call are asked about how it went so far."""
    questions: list[dict[str, str]] = _section("survey")["questions"]
    return questions


def sizing_questions() -> list[dict[str, str]]:
    """What an organisation says about itself: code, kind (number or text) and question."""
    questions: list[dict[str, str]] = _section("sizing")["questions"]
    return questions


def role_scheme(code: str) -> dict[str, Any]:
    """A shipped role scheme: name, what it fits, and the sections that a process in it says otherwise."""
    scheme: dict[str, Any] = _section(f"schemes/{code}")
    return scheme


def written(name: str) -> dict[str, Any]:
    """Another file of this folder as it stands: itil, frameworks."""
    found: dict[str, Any] = _section(name)
    return found
