"""The counts of all SLOs this node judges, in memory, kept in step with the rows of the database.

The rows are the truth. Whoever adds counts gives the SLO a new `counts_version` and notes in `counts_from` how far back
anything was touched; whoever evaluates notes the version that was seen as `counts_base`. So a node that knows the
version before reads only what was touched since, one that knows neither reads all rows of that SLO, and versions are
drawn by lot, so that what a rolled-back transaction left in memory is never taken for true.
"""

from __future__ import annotations

import fcntl
import logging
import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt
from django.db import connection

from tocsin.core.fleet import BucketRows
from tocsin.core.slo_windows import IntArray, WindowArrays
from tocsin.slo.buckets import HOUR, WIDTHS, epoch_seconds, floor_to
from tocsin.slo.fleet_blocks import FIRST_SIZES, UNKNOWN, USUAL_SIZE, Block, Kind, kept_block, new_block
from tocsin.slo.models import Bucket
from tocsin.slo.windows import Stretch

_log = logging.getLogger(__name__)
_TABLE = Bucket._meta.db_table  # noqa: SLF001 - the table's name, from Django's own meta
_HOURS = (31 * 24, 93 * 24, 367 * 24)
_WHOLE_AT_ONCE = 200
_TAILS_AT_ONCE = 10_000
_RECENT = 2 * HOUR
_MOST_BACK = 600  # seconds; less than the tier of minutes has to spare
_NARROW, _WIDE = 2**32, 2**62


def hours_for(period: timedelta) -> int | None:
    """How many hours must be kept for a budget period; None when that is more than is kept for any."""
    needed = -(-period // timedelta(hours=1)) + 3
    return next((hours for hours in _HOURS if needed <= hours), None)


@dataclass(frozen=True, slots=True)
class Asked:
    """An SLO that is to be judged, and what its row says of its counts."""

    pk: int
    version: int
    base: int
    touched_from: int | None
    hours: int


@dataclass(frozen=True, slots=True, eq=False)
class Seat:
    """Where an SLO's counts lie."""

    block: Block
    place: int


@dataclass(slots=True)
class Fleet:
    """Use it under `lock`, after the rows of the SLOs in question have been locked."""

    folder: Path | None = None
    lock: threading.RLock = field(default_factory=threading.RLock)
    _blocks: list[Block] = field(default_factory=list)
    _free: defaultdict[Kind, list[Seat]] = field(default_factory=lambda: defaultdict(list))
    _seats: dict[int, Seat] = field(default_factory=dict)
    _second: int = 0
    _held: IO[str] | None = None

    def keep_in(self, folder: Path) -> int:
        """From now on lie in files of `folder`, and take over what is there. Returns how many SLOs that was.

        When another process has that folder, all stays in memory.
        """
        with self.lock:
            self._forget()
            folder.mkdir(parents=True, exist_ok=True)
            self._held = (folder / "lock").open("w")
            try:
                fcntl.flock(self._held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                _log.warning("%s is used by another process; counts are read from the database at each start", folder)
                return 0
            self.folder = folder
            for path in sorted(folder.glob("*.counts")):
                self._take_over(path)
            return len(self._seats)

    def close(self) -> None:
        """Let what is known reach the disk; what is known stays usable in memory only."""
        with self.lock:
            for block in self._blocks:
                block.close()
            self._forget()

    def _forget(self) -> None:
        self._blocks, self._second = [], 0
        self._free.clear()
        self._seats.clear()
        self.folder = None
        if self._held is not None:
            self._held.close()
            self._held = None

    def _take_over(self, path: Path) -> None:
        block = kept_block(path)
        if block is None:
            path.unlink()
            return
        self._add(block)
        for place in np.flatnonzero(block.pk).tolist():
            self._seats[int(block.pk[place])] = Seat(block, place)

    def _add(self, block: Block) -> None:
        self._blocks.append(block)
        empty = np.flatnonzero(block.pk == 0)[::-1]
        self._free[block.kind] += [Seat(block, place) for place in empty.tolist()]

    @property
    def bytes(self) -> int:
        return sum(block.nbytes for block in self._blocks)

    # --- in step with the rows

    def refresh(self, asked: Sequence[Asked], *, now: datetime) -> dict[int, Seat]:
        """Bring the counts of these SLOs up to their rows and to `now`; returns where each lies."""
        second = epoch_seconds(now)
        if second < self._second - _MOST_BACK:
            self._doubt_everything()  # a clock set back: what lies ahead of it is not yet true
        self._second = max(second, self._second)
        for block in self._blocks:
            block.columns.advance(second)
        whole: list[Asked] = []
        tails: defaultdict[int, list[Asked]] = defaultdict(list)
        for one in asked:
            seat = self._seats.get(one.pk) or self._seat(one.pk, Kind(one.hours), second)
            if seat.block.kind.hours < one.hours:
                seat = self._move(one.pk, Kind(one.hours, wide=seat.block.kind.wide), second)
            known = int(seat.block.version[seat.place])
            since = second if one.touched_from is None else one.touched_from
            if known == one.version:
                continue
            if known == one.base and since > second - _RECENT:
                tails[floor_to(since, HOUR)].append(one)
            else:
                whole.append(one)
        for group in tails.values():
            for begin in range(0, len(group), _TAILS_AT_ONCE):
                whole += self._read_tails(group[begin : begin + _TAILS_AT_ONCE], second)
        for begin in range(0, len(whole), _WHOLE_AT_ONCE):
            self._read_whole(whole[begin : begin + _WHOLE_AT_ONCE], second)
        return {one.pk: self._seats[one.pk] for one in asked}

    def _doubt_everything(self) -> None:
        for block in self._blocks:
            block.version[:] = UNKNOWN
            block.header[8:11] = -1
            for width in WIDTHS:
                block.columns.tier(width).totals[:] = 0
        self._second = 0

    def _seat(self, pk: int, kind: Kind, second: int) -> Seat:
        if not self._free[kind]:
            many = sum(block.kind == kind for block in self._blocks)
            slos = FIRST_SIZES[many] if many < len(FIRST_SIZES) else USUAL_SIZE
            block = new_block(kind, slos, self._path(kind, many))
            block.columns.advance(second)
            self._add(block)
        seat = self._free[kind].pop()
        seat.block.version[seat.place] = UNKNOWN
        seat.block.pk[seat.place] = pk
        self._seats[pk] = seat
        return seat

    def _path(self, kind: Kind, number: int) -> Path | None:
        if self.folder is None:
            return None
        return self.folder / f"{kind.hours}{'-wide' if kind.wide else ''}-{number:04d}.counts"

    def _move(self, pk: int, kind: Kind, second: int) -> Seat:
        left = self._seats.pop(pk)
        left.block.version[left.place], left.block.pk[left.place] = UNKNOWN, 0
        self._free[left.block.kind].append(left)
        return self._seat(pk, kind, second)

    def _read_whole(self, asked: Sequence[Asked], second: int) -> None:
        """Read every row that a window could ask for, and move those whose counts outgrow their totals."""
        for block, group in self._by_block(asked).items():
            places = np.array([self._seats[one.pk].place for one in group], dtype=np.intp)
            block.version[places] = UNKNOWN
            most = np.zeros(places.size, dtype=np.int64)
            tiers = {width: block.columns.tier(width) for width in WIDTHS}
            since = {width: (tier.head - tier.rows + 1) * width for width, tier in tiers.items()}
            for width, (counts, ahead) in _rows(group, since, second).items():
                most = np.maximum(most, tiers[width].replace(places, counts))
                most[ahead] = _WIDE
            block.events[places] = most
            for at, one in enumerate(group):
                if most[at] < (_WIDE if block.kind.wide else _NARROW // 2):
                    block.version[places[at]] = one.version
                elif not block.kind.wide and most[at] < _WIDE:
                    self._move(one.pk, Kind(block.kind.hours, wide=True), second)
                    self._read_whole([one], second)

    def _read_tails(self, asked: Sequence[Asked], second: int) -> list[Asked]:
        """Read what was touched since the version that is known; returns those that must be read whole after all."""
        since = min(second if one.touched_from is None else one.touched_from for one in asked)
        again = []
        for block, group in self._by_block(asked).items():
            places = np.array([self._seats[one.pk].place for one in group], dtype=np.intp)
            block.version[places] = UNKNOWN
            grown = np.zeros(places.size, dtype=np.int64)
            starts = {width: floor_to(since, width) for width in WIDTHS}
            for width, (counts, ahead) in _rows(group, starts, second).items():
                grown = np.maximum(grown, block.columns.tier(width).change(places, counts))
                grown[ahead] = _WIDE
            block.events[places] += grown
            full = block.events[places] >= (_WIDE if block.kind.wide else _NARROW)
            for at, one in enumerate(group):
                if full[at]:
                    again.append(one)
                else:
                    block.version[places[at]] = one.version
        return again

    def _by_block(self, asked: Iterable[Asked]) -> dict[Block, list[Asked]]:
        found: defaultdict[Block, list[Asked]] = defaultdict(list)
        for one in asked:
            found[self._seats[one.pk].block].append(one)
        return found


def is_known(seat: Seat) -> bool:
    """Whether the counts of a place could be taken in; else its SLO is judged from the rows."""
    return int(seat.block.version[seat.place]) != UNKNOWN


def sums(
    block: Block, places: npt.NDArray[np.intp], stretches: Mapping[timedelta, Stretch], *, now: datetime
) -> dict[timedelta, WindowArrays] | None:
    """The counts of these places in each stretch; None when one lies outside what is remembered."""
    second, found = epoch_seconds(now), {}
    for span, stretch in stretches.items():
        tier = block.columns.tier(stretch.width)
        if not tier.reaches(stretch.start, second):
            return None
        found[span] = tier.window(stretch.start, second, places)
    return found


def _rows(
    asked: Sequence[Asked], since: Mapping[int, int], second: int
) -> dict[int, tuple[BucketRows, npt.NDArray[np.intp]]]:
    """Buckets of each width from `since` on, SLOs numbered as in `asked`; and those that have some in the future."""
    ids = [one.pk for one in asked]
    postgresql = connection.vendor == "postgresql"
    named = "= ANY(%s)" if postgresql else f"IN ({', '.join(['%s'] * len(ids))})"
    part = f"SELECT objective_id, width, start, good, bad FROM {_TABLE} WHERE objective_id {named} "  # noqa: S608 - ours
    parameters = [value for width, start in since.items() for value in (*([ids] if postgresql else ids), width, start)]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join([f"{part} AND width = %s AND start >= %s"] * len(since)), parameters)
        flat = np.fromiter(chain.from_iterable(cursor), dtype=np.int64).reshape(-1, 5)
    order = np.argsort(ids)
    flat[:, 0] = order[np.searchsorted(np.asarray(ids)[order], flat[:, 0])]
    return {width: _of_width(flat[flat[:, 1] == width], second) for width in since}


def _of_width(flat: IntArray, second: int) -> tuple[BucketRows, npt.NDArray[np.intp]]:
    later = flat[:, 2] > second
    slo, _, start, good, bad = flat[~later].T
    return BucketRows(slo, start, good + bad, bad), np.unique(flat[later, 0])


fleet = Fleet()
"""The one of this process. It lies in memory alone until the engine gives it a folder."""
