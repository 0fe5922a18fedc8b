"""Data that ships with Tocsin: what can be measured, and what SLOs add to plain alerts."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import yaml


@cache
def document(name: str) -> Any:
    """The shipped document of that name."""
    return yaml.safe_load(files("tocsin.adoption.defaults").joinpath(name).read_text(encoding="utf-8"))
