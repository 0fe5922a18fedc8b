"""Stretches without data, drawn hatched in every picture over time: unknown is never empty and never good."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from tocsin.web.pictures import drawing as draw


def stretches(known: Iterable[tuple[datetime, bool]], *, until: datetime) -> Iterator[tuple[datetime, datetime]]:
    """From (moment, whether something is known then), in order: the spans in which nothing is; the last ends at `until`."""
    began = None
    for at, is_known in known:
        if not is_known:
            began = began or at
        elif began is not None:
            yield began, at
            began = None
    if began is not None:
        yield began, until


def hatched(
    spans: Iterable[tuple[datetime, datetime]],
    x: Callable[[datetime], float],
    *,
    top: float,
    bottom: float,
    pattern: str,
) -> list[str]:
    """Each span as a hatched field from `top` to `bottom`, at least two units wide so that it can be seen."""
    return [
        draw.filled(x(start), top, max(x(end) - x(start), 2), bottom - top, pattern, title="No data")
        for start, end in spans
    ]
