"""Rows of this room as core's frozen values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tocsin.core.postmortem_rules import ActionItemFacts
from tocsin.postmortems.models import ActionItem
from tocsin.postmortems.queries import SETTLED


def item_facts(items: Iterable[ActionItem]) -> list[ActionItemFacts]:
    """What the rules need of each item; tracked elsewhere counts as settled."""
    return [
        ActionItemFacts(
            title=item.title,
            driver=item.driver,
            review_date=item.review_date,
            settled=item.status in SETTLED or bool(item.external_url),
        )
        for item in items
    ]


def item_data(item: ActionItem) -> dict[str, Any]:
    """What the log keeps of an action item: enough to tell later who drove it, and when it was to be looked at."""
    return {
        "action": item.pk,
        "title": item.title,
        "driver": item.driver,
        "review": str(item.review_date or ""),
    }
