"""One look at all SLOs at once: milliseconds a tick, bytes an SLO and time to restart; the short form of `tocsin slo bench`."""

from __future__ import annotations

from tocsin.cli.fleet_bench import main

if __name__ == "__main__":
    main(sizes=(10_000, 100_000), as_json=False)
