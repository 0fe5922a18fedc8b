"""Where the columns of many SLOs lie: blocks of places, in memory or in files that outlive the process.

A file is the memory itself, mapped: after a restart what was known is there at once. It is trusted when it was closed
in order or when the machine has not been started anew since; otherwise pages may have been lost on the way to the disk,
and the rows of the database fill it again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tocsin.core.fleet import Columns, Tier, tier_rows
from tocsin.core.slo_windows import IntArray

FIRST_SIZES = (256, 1024)
USUAL_SIZE = 8192
UNKNOWN = -1
"""The version of a place whose counts are not known."""
_MAGIC = 0x546F6373696E31  # changes with the layout
_HEADER = 16  # int64 cells: magic, slos, hours, bytes a total, boot, closed in order, and from 8 on the three heads
_CLOSED, _BOOT, _HEADS = 5, 4, 8
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class Kind:
    """What SLOs of a block have in common: how many hours are kept, and how wide a running total is."""

    hours: int
    wide: bool = False

    @property
    def dtype(self) -> npt.DTypeLike:
        return np.uint64 if self.wide else np.uint32


class Block:
    """Places for `slos` SLOs. `pk` is whose a place is (0: nobody's), `version` that of its counts, `events` at least
    as many as its longest tier holds."""

    def __init__(self, kind: Kind, slos: int, cells: npt.NDArray[np.uint8]) -> None:
        self.kind, self.slos, self._file = kind, slos, cells
        self._cells = cells.view(np.ndarray)  # the same bytes, without what numpy does for each slice of a file
        self.header: IntArray = cells[: _HEADER * 8].view(np.int64)
        self.pk, self.version, self.events = (self._column(place) for place in range(3))
        self.columns = Columns(list(self._tiers()))

    def _column(self, place: int) -> IntArray:
        begin = (_HEADER + place * self.slos) * 8
        return self._cells[begin : begin + self.slos * 8].view(np.int64)

    def _tiers(self) -> Iterator[Tier]:
        begin, item = (_HEADER + 3 * self.slos) * 8, np.dtype(self.kind.dtype).itemsize
        for place, (width, rows) in enumerate(tier_rows(self.kind.hours)):
            size = rows * 2 * self.slos * item
            totals = self._cells[begin : begin + size].view(self.kind.dtype).reshape(rows, 2, self.slos)
            yield Tier(width, totals, self.header[_HEADS + place : _HEADS + place + 1])
            begin += size

    def begin(self) -> None:
        """Make it empty."""
        self.header[:] = 0
        self.header[:_CLOSED] = (
            _MAGIC,
            self.slos,
            self.kind.hours,
            np.dtype(self.kind.dtype).itemsize,
            _this_boot(),
        )
        self.header[_HEADS : _HEADS + 3] = -1
        self.pk[:] = 0
        self.version[:] = UNKNOWN

    def is_trusted(self) -> bool:
        """Whether what a file holds is whole."""
        boot = int(self.header[_BOOT])
        return bool(self.header[_CLOSED]) or (boot != 0 and boot == _this_boot())

    def close(self) -> None:
        """Let everything reach the disk and say so."""
        if isinstance(self._file, np.memmap):
            self._file.flush()
            self.header[_CLOSED] = 1
            self._file.flush()

    @property
    def nbytes(self) -> int:
        return self._cells.nbytes


def bytes_for(kind: Kind, slos: int) -> int:
    """How much room a block takes."""
    rows = sum(rows for _, rows in tier_rows(kind.hours))
    return (_HEADER + 3 * slos) * 8 + rows * 2 * slos * np.dtype(kind.dtype).itemsize


def new_block(kind: Kind, slos: int, path: Path | None) -> Block:
    """An empty block, in a file when there is a path."""
    size = bytes_for(kind, slos)
    cells = np.zeros(size, dtype=np.uint8) if path is None else np.memmap(path, np.uint8, "w+", shape=(size,))
    block = Block(kind, slos, cells)
    block.begin()
    return block


def kept_block(path: Path) -> Block | None:
    """The block in a file as it was left, None when it cannot be trusted."""
    cells = np.memmap(path, np.uint8, "r+")
    if cells.size < _HEADER * 8:
        return None
    magic, slos, hours, item = cells[: 4 * 8].view(np.int64).tolist()
    if magic != _MAGIC or item not in (4, 8) or min(slos, hours) < 1:
        return None
    kind = Kind(hours, wide=item == 8)
    if cells.size != bytes_for(kind, slos):
        return None
    block = Block(kind, slos, cells)
    if not block.is_trusted():
        return None
    block.header[_CLOSED], block.header[_BOOT] = 0, _this_boot()
    cells.flush()
    return block


def _this_boot() -> int:
    """A number of this start of the machine, 0 where it cannot be known."""
    try:
        return int(_BOOT_ID.read_text().strip().replace("-", "")[:15], 16)
    except (OSError, ValueError):
        return 0
