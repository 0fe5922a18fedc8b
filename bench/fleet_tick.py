"""One tick for all SLOs at once: milliseconds a tick and bytes an SLO at several sizes."""

from __future__ import annotations

import statistics
import time
from datetime import UTC, datetime

from tocsin.core.fleet import FleetRing, tick

SIZES = (1_000, 10_000, 100_000)


def main() -> None:
    print(f"{'SLOs':>9} {'ms a tick':>10} {'bytes an SLO':>13}")
    for size in SIZES:
        ring = FleetRing.empty(size) if hasattr(FleetRing, "empty") else FleetRing(size)
        now = datetime(2026, 11, 23, 12, tzinfo=UTC)
        times = []
        for _ in range(7):
            began = time.perf_counter()
            tick(ring, now=now)
            times.append((time.perf_counter() - began) * 1000)
        print(f"{size:>9} {statistics.median(times):>10.2f} {ring.nbytes // size:>13}")


if __name__ == "__main__":
    main()
