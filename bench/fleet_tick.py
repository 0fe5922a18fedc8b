"""One tick for all SLOs at once: milliseconds a tick and bytes an SLO at several sizes."""

from __future__ import annotations

import statistics
import time
from decimal import Decimal

import numpy as np

from tocsin.core.burn_rate import AllowedRatio
from tocsin.core.fleet import FleetRing, tick

SIZES = (1_000, 10_000, 100_000)


def main() -> None:
    print(f"{'SLOs':>9} {'ms a tick':>10} {'bytes an SLO':>13}")
    for size in SIZES:
        ring = FleetRing(size)
        valid, bad = np.full(size, 1000, dtype=np.int64), np.ones(size, dtype=np.int64)
        for _ in range(20):
            ring.append(valid, bad)
        allowed = AllowedRatio.of(Decimal("0.999"))
        times = []
        for _ in range(7):
            began = time.perf_counter()
            ring.append(valid, bad)
            tick(ring, allowed)
            times.append((time.perf_counter() - began) * 1000)
        print(f"{size:>9} {statistics.median(times):>10.2f} {ring.bytes_per_slo:>13.0f}")


if __name__ == "__main__":
    main()
