"""tocsin slo bench: what judging many SLOs at once costs here."""

from __future__ import annotations

import sys
from pathlib import Path

import click


@click.command("bench")
@click.option(
    "--slos", "sizes", type=click.IntRange(min=1), multiple=True, help="How many SLOs; may be given several times."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document for each size, each on its line.")
@click.option(
    "--folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Where the files of the counts may lie meanwhile; a temporary folder when it is not given.",
)
def bench(sizes: tuple[int, ...], as_json: bool, folder: Path | None) -> None:
    """Measure judging many SLOs at once on this machine, without a server.

    For each size (10,000, 100,000 and 1,000,000 unless --slos says otherwise): milliseconds to judge all of them
    (tick_ms), to take in a minute's counts (take_ms) and to be back after a restart (restart_ms), bytes an SLO, memory
    of the process (rss_mb), and how busy the machine was (load). Files of 11 kB an SLO are written meanwhile. A size for
    which memory is short is named and left out; exit code 1 when that leaves none.
    """
    from tocsin.cli import fleet_bench

    sys.exit(fleet_bench.main(sizes=sizes or fleet_bench.SIZES, as_json=as_json, folder=folder))
