"""`python -m bench`: every figure, one after the other."""

from __future__ import annotations

import runpy
import sys

FIGURES = ("bench.page_latency", "bench.alert_quality", "bench.fleet_tick")

if __name__ == "__main__":
    for name in FIGURES:
        print(f"\n== {name} ==", flush=True)
        sys.argv = [name]
        runpy.run_module(name, run_name="__main__")
