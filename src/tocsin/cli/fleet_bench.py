"""What judging many SLOs side by side costs on this machine: the very columns and rules the engine uses, without a database."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import click
import numpy as np

from tocsin.core.breach_rules import RuleState, judge_all, named_rule
from tocsin.core.burn_rate import AllowedRatio
from tocsin.core.fleet import HOURS_OF_A_MONTH, BucketRows
from tocsin.core.fleet_look import Known, Terms, look
from tocsin.core.slo_windows import EPOCH, WindowArrays
from tocsin.platform import clock
from tocsin.slo.fleet_blocks import USUAL_SIZE, Block, Kind, bytes_for, kept_block, new_block

SIZES = (10_000, 100_000, 1_000_000)
TICKS = 5
BURNING_EVERY = 1000
_SECOND = 30_000 * 3600
_PERIOD = timedelta(days=30)
_SHOWN = (timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=1), timedelta(hours=6))
_SPARE = 2 << 30  # bytes left to others
_RULE = named_rule("tocsin", period=_PERIOD)

Row = dict[str, Any]
COLUMNS = ("slos", "tick_ms", "take_ms", "restart_ms", "bytes_per_slo", "rss_mb", "load")


def main(*, sizes: Sequence[int], as_json: bool, folder: Path | None = None) -> int:
    """Print a line for each size that fits; returns 0, or 1 when none did."""
    if not as_json:
        click.echo("".join(f"{name:>15}" for name in COLUMNS))
    done = 0
    for slos in sizes:
        with tempfile.TemporaryDirectory(prefix="tocsin-bench-", dir=folder) as place:
            lack = _lack(slos, Path(place))
            if lack:
                click.echo(lack, err=True)
                continue
            row = measured(slos, Path(place))
        done += 1
        click.echo(json.dumps(row) if as_json else "".join(f"{row[name]:>15,}" for name in COLUMNS))
    return 0 if done else 1


def needed(slos: int) -> int:
    """Bytes that so many SLOs take, as memory while they are judged and as files beside it."""
    return bytes_for(Kind(HOURS_OF_A_MONTH), slos) + slos * 200


def _lack(slos: int, folder: Path) -> str:
    """What is missing for this size, as a sentence; empty when nothing is."""
    memory, disk = _free_memory(), _free_disk(folder)
    if memory is not None and needed(slos) + _SPARE > memory:
        return (
            f"{slos:,} SLOs need {_gib(needed(slos))} of memory and {_gib(_SPARE)} to spare; {_gib(memory)} are free. "
            "Not measured: free some memory, or ask for fewer with --slos."
        )
    if needed(slos) > disk:
        return f"{slos:,} SLOs need {_gib(needed(slos))} in {folder.parent}; {_gib(disk)} are free. Name another with --folder."
    return ""


def _gib(count: int) -> str:
    return f"{count / 2**30:.1f} GiB"


def _free_memory() -> int | None:
    """Bytes that programs may still take, None where the system does not say."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")), None)


def _free_disk(folder: Path) -> int:
    return shutil.disk_usage(folder).free


def _rss_mb() -> int:
    """Memory of this process now, the pages of its files included."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except (OSError, ValueError):
        return 0
    return pages * 4096 >> 20


def measured(slos: int, folder: Path) -> Row:
    """Fill a fleet in files, judge it a few times, leave it and come back."""
    sizes = [min(USUAL_SIZE, slos - begin) for begin in range(0, slos, USUAL_SIZE)]
    paths = [folder / f"{place:04d}.counts" for place in range(len(sizes))]
    blocks = [_filled(path, size) for path, size in _shown("filling", list(zip(paths, sizes, strict=True)))]
    take, tick = [], []
    for minute in _shown("judging", range(1, TICKS + 1)):
        second = _SECOND + minute * 60
        take.append(_milliseconds(partial(_take, blocks, second)))
        tick.append(_milliseconds(partial(_judge, blocks, second)))
    size = sum(block.nbytes for block in blocks)
    rss = _rss_mb()
    for block in blocks:
        block.close()
    blocks.clear()
    restart = _milliseconds(lambda: _judge([_kept(path) for path in paths], _SECOND + TICKS * 60))
    return {
        "slos": slos,
        "tick_ms": round(statistics.median(tick), 2),
        "take_ms": round(statistics.median(take), 2),
        "restart_ms": round(restart, 1),
        "bytes_per_slo": round(size / slos),
        "rss_mb": rss,
        "load": round(os.getloadavg()[0], 1),
    }


def _shown(label: str, steps: Sequence[Any]) -> Iterator[Any]:
    """The steps, with a bar on standard error while a person watches."""
    with click.progressbar(steps, label=label, file=sys.stderr, hidden=not _is_watched()) as bar:
        yield from bar


def _is_watched() -> bool:
    return sys.stderr.isatty()


def _milliseconds(work: Callable[[], Any]) -> float:
    began = clock.monotonic()
    work()
    return (clock.monotonic() - began) * 1000


def _filled(path: Path, slos: int) -> Block:
    """A month in which each SLO kept well within its budget, but for one in a thousand that burns."""
    block = new_block(Kind(HOURS_OF_A_MONTH), slos, path)
    block.columns.advance(_SECOND)
    valid, bad = _counts(slos)
    for width in (60, 900, 3600):
        tier = block.columns.tier(width)
        each = np.stack((valid, bad)) * (width // 60)
        for back in range(tier.rows):
            tier.totals[(tier.head - back) % tier.rows] = (each * (tier.rows - back)).astype(tier.totals.dtype)
    block.version[:] = 1
    return block


def _counts(slos: int) -> tuple[Any, Any]:
    """Events of one minute: valid, and bad ones at about half of what 99.9 % allow."""
    place = np.arange(slos, dtype=np.int64)
    valid = 2000 + place % 100
    bad = np.where(place % BURNING_EVERY == 7, 100, 1)
    return valid, bad


def _take(blocks: Sequence[Block], second: int) -> None:
    """Let a minute pass and take in its counts."""
    for block in blocks:
        block.columns.advance(second)
        valid, bad = _counts(block.slos)
        places = np.arange(block.slos)
        for width in (60, 900, 3600):
            start = np.full(block.slos, second - second % width)
            block.columns.tier(width).change(places, BucketRows(places, start, valid, bad))


def _judge(blocks: Sequence[Block], second: int) -> int:
    """All burn rates, budgets and decisions; returns how many SLOs had to be looked at closely."""
    spans = sorted({*_RULE.windows(), _RULE.own_window, *_SHOWN, timedelta(hours=24)})
    closer = [_look(block, spans, second) for block in blocks]
    valid, bad = (np.concatenate([part[kind] for part in closer], axis=1) for kind in range(2))
    few = {span: WindowArrays(valid[place], bad[place]) for place, span in enumerate(spans)}
    slos = int(valid.shape[1])
    judge_all(_RULE, few, [RuleState()] * slos, targets=_allowed(slos), now=EPOCH + timedelta(seconds=second))
    return slos


def _look(block: Block, spans: Sequence[timedelta], second: int) -> tuple[Any, Any]:
    """Look at a block; returns valid and bad events of those that need a closer look, a row for each window."""
    sums = {span: _window(block, span, second) for span in spans}
    no = np.zeros(block.slos, dtype=np.bool_)
    known = Known(awake=no, silent=no, lost=no, invalid=no, heard=~no)
    terms = Terms(_RULE, _SHOWN, timedelta(hours=6), Fraction(1), Fraction(720))
    found = look(terms, sums, _window(block, _PERIOD, second), known, _allowed(block.slos))
    at = np.flatnonzero(found.closer)
    return np.array([sums[span].valid[at] for span in spans]), np.array([sums[span].bad[at] for span in spans])


def _allowed(slos: int) -> AllowedRatio:
    return AllowedRatio(np.full(slos, 1, dtype=np.int64), np.full(slos, 1000, dtype=np.int64))


def _window(block: Block, span: timedelta, second: int) -> WindowArrays:
    seconds = int(span.total_seconds())
    width = 60 if seconds <= 6 * 3600 else 900 if seconds <= 3 * 86400 else 3600
    first = (second + width // 2) // width * width - seconds
    return block.columns.tier(width).window(first, second, slice(None))


def _kept(path: Path) -> Block:
    block = kept_block(path)
    assert block is not None, "it was closed in order"  # noqa: S101 - for the type checker
    return block
