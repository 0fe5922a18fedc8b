"""The turns that wake people: chains that are due, promises that are late."""

from __future__ import annotations

from datetime import datetime

from tocsin.incidents import actions as incidents

AT_ONCE = 100
"""Rows handled before the loop looks at the clock again."""


def escalate(*, now: datetime) -> int:
    """One step of each wake-up chain that is due. Returns how many were."""
    return incidents.advance_escalations(now=now, limit=AT_ONCE)


def tell_late(*, now: datetime) -> int:
    """Tell owners of what is late. Returns how many obligations were."""
    return incidents.tell_late_obligations(now=now, limit=AT_ONCE)
