"""The body of `POST /api/v1/sli/counts` (contract SLI-1): counts of good and bad events by SLO, all taken or none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import msgspec

MOST_ROWS = 10_000
MOST_EVENTS = 10**15
AHEAD = timedelta(minutes=5)
"""How far a sender's clock may run before ours."""


class PushedCount(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Events of the SLO called `slo`; `at` is when they happened, None for when they arrive."""

    slo: str
    good: int
    bad: int
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RowError:
    """What is wrong with the row at `index`; `field` is empty when it is the row as a whole."""

    index: int
    field: str
    detail: str


@dataclass(frozen=True, slots=True)
class DecodedCounts:
    """The readable rows with their indexes, and what is wrong with these and the others."""

    rows: Sequence[tuple[int, PushedCount]]
    errors: Sequence[RowError]


class Unreadable(ValueError):
    """The body is neither a row nor a list of rows."""


_many = msgspec.json.Decoder(list[PushedCount])
_raw = msgspec.json.Decoder(list[msgspec.Raw])
_one_raw = msgspec.json.Decoder(msgspec.Raw)
_row = msgspec.json.Decoder(PushedCount)


def decode(body: bytes) -> DecodedCounts:
    """The rows of `body`, a JSON array of rows or one row. Raises Unreadable for anything else."""
    errors: list[RowError] = []
    try:
        rows = list(enumerate(_many.decode(body))) if body.lstrip()[:1] == b"[" else [(0, _row.decode(body))]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        rows, errors = _row_by_row(body)
    if len(rows) > MOST_ROWS:
        raise Unreadable(f"a request may carry {MOST_ROWS} rows")
    errors += [error for index, row in rows if (error := _row_error(index, row))]
    return DecodedCounts(rows, sorted(errors, key=lambda error: error.index))


def unknown_names(rows: Sequence[tuple[int, PushedCount]], known: Mapping[str, object]) -> list[RowError]:
    """An error for each row whose SLO is not among the `known` ones."""
    return [
        RowError(index, "slo", f"There is no SLO called {row.slo[:63]!r}.")
        for index, row in rows
        if row.slo not in known
    ]


def too_late(rows: Sequence[tuple[int, PushedCount]], *, now: datetime) -> list[RowError]:
    """An error for each row that claims to be from the future."""
    return [
        RowError(index, "at", "The time lies in the future.")
        for index, row in rows
        if row.at is not None and row.at.tzinfo is not None and instant(row.at) > now + AHEAD
    ]


def instant(at: datetime) -> datetime:
    """`at` in UTC; `decode` let only aware times pass."""
    return at.astimezone(UTC)


def _row_by_row(body: bytes) -> tuple[list[tuple[int, PushedCount]], list[RowError]]:
    try:
        parts = _raw.decode(body) if body.lstrip()[:1] == b"[" else [_one_raw.decode(body)]
    except RecursionError:
        raise Unreadable("the body is nested too deeply") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Unreadable(str(error)) from None
    rows: list[tuple[int, PushedCount]] = []
    errors: list[RowError] = []
    for index, part in enumerate(parts):
        try:
            rows.append((index, _row.decode(part)))
        except RecursionError:
            errors.append(RowError(index, "", "nested too deeply"))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            errors.append(RowError(index, "", str(error)))
    return rows, errors


def _row_error(index: int, row: PushedCount) -> RowError | None:
    if not 0 <= row.good <= MOST_EVENTS:
        return RowError(index, "good", f"A count lies between 0 and {MOST_EVENTS}.")
    if not 0 <= row.bad <= MOST_EVENTS:
        return RowError(index, "bad", f"A count lies between 0 and {MOST_EVENTS}.")
    if row.at is not None and (row.at.tzinfo is None or not 1970 <= row.at.year <= 9000):
        return RowError(index, "at", "The time is RFC 3339 with its offset, for example 2026-11-23T02:12:00Z.")
    if not row.slo or "\x00" in row.slo:
        return RowError(index, "slo", "The name of an SLO is missing.")
    return None
