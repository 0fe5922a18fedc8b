"""The boundary of one row among many that are due: what goes wrong with it is logged and holds up none of the others."""

from __future__ import annotations

import logging
from collections.abc import Callable

log = logging.getLogger(__name__)


def guarded(act: Callable[[], int], *, trouble: str) -> int:
    """What `act` comes to; 0 when it fails, and the log says `trouble`, which names the row, and why."""
    try:
        return act()
    except Exception:  # whatever it was, it is this row's; the others are looked at all the same
        log.exception("%s", trouble)
        return 0
