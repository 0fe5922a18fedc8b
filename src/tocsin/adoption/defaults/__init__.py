"""Data that ships with Tocsin: what can be measured, and what SLOs add to plain alerts."""

from __future__ import annotations

from typing import Any

from tocsin.platform import shipped


def document(name: str) -> Any:
    """The shipped document of that name."""
    return shipped.document(__name__, name)
