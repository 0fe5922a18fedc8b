"""One shape for every list: {"items": [...], "next": cursor or null}."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

Row = TypeVar("Row")


def listing(
    rows: Iterable[Row], shape: Callable[[Row], dict[str, Any]], *, following: str | None = None
) -> dict[str, Any]:
    """The rows in their JSON shape. `following` is the cursor of the next page, when there is one."""
    return {"items": [shape(row) for row in rows], "next": following}
