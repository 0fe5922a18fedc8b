"""Error budget policy to begin with; a team changes it as it likes."""

from __future__ import annotations

from datetime import timedelta
from importlib import resources
from typing import Any

import yaml

REVIEW_AFTER = timedelta(days=182)
"""When a team that begins with it looks at it again: in half a year."""


def default_policy() -> dict[str, Any]:
    """A fresh copy of the shipped policy, without the date of its next review."""
    text = resources.files(__name__).joinpath("error_budget_policy.yaml").read_text(encoding="utf-8")
    document: dict[str, Any] = yaml.safe_load(text)
    return document
