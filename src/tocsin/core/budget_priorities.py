"""The two mechanical, exploratory tables that turn a budget's state into a priority.

They speak only for an SLO that nobody has given a priority, and only where they are switched on. The rows are
data: an organisation's own tables replace the chapter's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

from tocsin.core.burn_rate import limit_for_share, max_burn, rule_reachable
from tocsin.core.error_budget import allowed_ratio


@dataclass(frozen=True, slots=True)
class RemainingRow:
    """``priority`` applies when at most this share of the grant is left."""

    at_most: Fraction
    priority: int


@dataclass(frozen=True, slots=True)
class RemainingTable:
    """Rows in the order in which they are tried; the first match decides."""

    rows: tuple[RemainingRow, ...]


@dataclass(frozen=True, slots=True)
class VelocityRow:
    """``priority`` applies when more than this share of the grant went within ``window``."""

    more_than: Fraction
    window: timedelta
    priority: int


@dataclass(frozen=True, slots=True)
class VelocityTable:
    """Rows in the order in which they are tried; the first match decides."""

    rows: tuple[VelocityRow, ...]

    def windows(self) -> tuple[timedelta, ...]:
        """Return the lookback windows whose depletion the table asks for."""
        return tuple(row.window for row in self.rows)


CHAPTER_REMAINING = RemainingTable(
    (
        RemainingRow(Fraction(1, 5), 1),
        RemainingRow(Fraction(2, 5), 2),
        RemainingRow(Fraction(3, 5), 3),
        RemainingRow(Fraction(4, 5), 4),
    )
)

CHAPTER_VELOCITY = VelocityTable(
    (
        VelocityRow(Fraction(3, 4), timedelta(minutes=5), 1),
        VelocityRow(Fraction(1, 2), timedelta(minutes=10), 2),
        VelocityRow(Fraction(1, 4), timedelta(minutes=15), 3),
        VelocityRow(Fraction(1, 4), timedelta(minutes=20), 4),
    )
)


def priority_by_remaining(
    remaining: Fraction,
    *,
    premature: bool,
    table: RemainingTable = CHAPTER_REMAINING,
    overspent_always: bool = True,
) -> int | None:
    """Return the priority of what is left, if the trend ends prematurely (requirements 4.6).

    With ``overspent_always`` a budget at or below zero takes the first row whatever the trend says; the
    reckoning verb of the command line has no such special case.
    """
    if overspent_always and remaining <= 0 and table.rows:
        return table.rows[0].priority
    if not premature:
        return None
    return next((row.priority for row in table.rows if remaining <= row.at_most), None)


def priority_by_velocity(
    depletion: Mapping[timedelta, Fraction], *, table: VelocityTable = CHAPTER_VELOCITY
) -> int | None:
    """Return the priority of how fast the grant went, strictly above a row's share.

    ``depletion`` maps each window's length to the share of the period's grant spent inside it.
    """
    return next((row.priority for row in table.rows if depletion[row.window] > row.more_than), None)


@dataclass(frozen=True, slots=True)
class UnreachableRow:
    """A velocity row that even traffic can never meet, and what it would take.

    ``burn_needed`` must be exceeded while a total outage burns at ``burn_possible``; ``fires_above`` is the
    target beyond which the row becomes reachable; ``traffic_share_needed`` is the share of the period's traffic that
    would have to fall into the window, all of it bad.
    """

    row: VelocityRow
    burn_needed: Fraction
    burn_possible: Fraction
    fires_above: Fraction
    traffic_share_needed: Fraction


def unreachable_velocity_rows(
    target: Decimal, period: timedelta, *, table: VelocityTable = CHAPTER_VELOCITY
) -> tuple[UnreachableRow, ...]:
    """Return the rows that cannot fire for this target at even traffic."""
    return tuple(
        _unreachable(row, needed, target)
        for row in table.rows
        if not rule_reachable(target, needed := limit_for_share(row.more_than, row.window, period))
    )


def _unreachable(row: VelocityRow, needed: Fraction, target: Decimal) -> UnreachableRow:
    return UnreachableRow(
        row=row,
        burn_needed=needed,
        burn_possible=max_burn(target),
        fires_above=1 - 1 / needed,
        traffic_share_needed=row.more_than * allowed_ratio(target),
    )
