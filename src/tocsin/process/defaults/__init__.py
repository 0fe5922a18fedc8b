"""The process a new installation begins with, as data: one file for each section of the process document."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import yaml

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
    return yaml.safe_load(files(__name__).joinpath(f"{name}.yaml").read_text(encoding="utf-8"))
