"""`python -m bench`: every figure, one after the other."""

from __future__ import annotations

import runpy
import sys

FIGURES = (
    ("bench.page_latency",),
    ("bench.alert_quality",),
    ("bench.fleet_tick",),
    ("bench.fleet_cycle", "--slos", "2000", "--cycles", "3", "--ruled", "100"),
    ("bench.incident_pages", "--incidents", "2000", "--events", "100000", "--rounds", "60"),
)
"""Modules and what makes their short form."""

if __name__ == "__main__":
    for name, *short in FIGURES:
        print(f"\n== {' '.join((name, *short))} ==", flush=True)
        sys.argv = [name, *short]
        runpy.run_module(name, run_name="__main__")
