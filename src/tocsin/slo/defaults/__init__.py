"""Error budget policy to begin with; a team changes it as it likes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tocsin.platform import shipped

REVIEW_AFTER = timedelta(days=182)
"""When a team that begins with it looks at it again: in half a year."""


def default_policy() -> dict[str, Any]:
    """A fresh copy of the shipped policy, without the date of its next review."""
    document: dict[str, Any] = shipped.document(__name__, "error_budget_policy.yaml")
    return document
