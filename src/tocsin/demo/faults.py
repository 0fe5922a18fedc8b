"""What went wrong at Harbor Tickets in the last 90 days: made from a seed, the same each time."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

PAST = timedelta(days=90)
INCIDENTS = 41

# name -> (events a minute, how often it fails in the story). The live service keeps the same pace on its own clock, so
# that what breaks today spends the budget as it did in the past.
TRAFFIC: dict[str, tuple[int, int]] = {
    "logon-availability": (100, 5),
    "logon-latency": (100, 2),
    "account-update": (30, 1),
    "password-reset": (20, 1),
    "search-availability": (150, 3),
    "search-latency": (150, 2),
    "seat-map-availability": (120, 3),
    "seat-map-freshness": (40, 1),
    "basket-availability": (60, 2),
    "checkout-availability": (50, 4),
    "checkout-latency": (50, 2),
    "payment-authorised": (40, 2),
    "refund-issued": (12, 1),
    "register-availability": (20, 2),
    "notify-availability": (60, 2),
    "notify-latency": (60, 2),
    "preferences-availability": (12, 1),
    "language-correctness": (30, 0),
    "gateway-availability": (180, 2),
    "gateway-latency": (180, 1),
    "user-store-availability": (120, 1),
    "report-delivery": (12, 1),
    "ticket-pdf": (20, 0),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """From `start` on, for `lasts`, `share` of the events of `slo` failed. Somebody took it after `taken_after`."""

    slo: str
    start: datetime
    lasts: timedelta
    share: float
    taken_after: timedelta
    update_late: bool
    reported_by_person: bool


def story(*, until: datetime, seed: int) -> list[Fault]:
    """The faults of the 90 days before `until`, in order; the last two days are left in peace."""
    dice = random.Random(seed)  # noqa: S311 - a story, no secret
    names = [name for name, (_, weight) in TRAFFIC.items() for _ in range(weight)]
    begin = until - PAST + timedelta(days=2)
    room = (PAST - timedelta(days=4)) / INCIDENTS
    faults = []
    for number in range(INCIDENTS):
        start = begin + room * number + timedelta(minutes=dice.randrange(0, int(room.total_seconds() // 60) - 500))
        faults.append(
            Fault(
                slo=dice.choice(names),
                start=start.replace(second=0, microsecond=0),
                lasts=timedelta(minutes=dice.choice([15, 20, 30, 30, 45, 60, 90, 150])),
                share=dice.choice([0.12, 0.2, 0.25, 0.38, 0.5, 0.8]),
                taken_after=timedelta(minutes=dice.choice([1, 2, 3, 3, 4, 7])),
                update_late=dice.random() < 0.12,
                reported_by_person=dice.random() < 0.1,
            )
        )
    return faults
