from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from tocsin.core.budget_ledger import Run, account, tile
from tocsin.core.slo_windows import EPOCH, Span, WindowCounts

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SPAN = Span(EPOCH, EPOCH + 28 * DAY)
ONE_A_MINUTE = 28 * 1440


def failed(start: object, end: object) -> int:
    """One failure a minute."""
    return int((end - start) / timedelta(minutes=1))  # type: ignore[operator]


def run(number: int, first: timedelta, last: timedelta, window: timedelta = HOUR) -> Run:
    return Run(number, EPOCH + first, EPOCH + last, 3, window)


def test_a_run_is_charged_from_the_beginning_of_its_first_window() -> None:
    counts = WindowCounts(1_000 * ONE_A_MINUTE, ONE_A_MINUTE)
    found = account(SPAN, [run(1, 2 * HOUR, 5 * HOUR)], failed, counts=counts, target=Decimal("0.99"))
    [charge] = found.charges
    assert (charge.starts_at, charge.ends_at) == (EPOCH + HOUR, EPOCH + 5 * HOUR)
    assert charge.bad == 240
    assert charge.share == Fraction(240, 10 * ONE_A_MINUTE)
    assert found.spent == Fraction(1, 10)
    assert found.rest == ONE_A_MINUTE - 240


def test_what_ate_most_comes_first_and_nothing_is_charged_twice() -> None:
    runs = [run(1, 2 * HOUR, 3 * HOUR), run(2, 3 * HOUR + HOUR / 2, 9 * HOUR)]
    counts = WindowCounts(10**6, ONE_A_MINUTE)
    found = account(SPAN, runs, failed, counts=counts, target=Decimal("0.9"))
    assert [(charge.run.episode, charge.bad) for charge in found.charges] == [(2, 360), (1, 120)]


def test_a_window_that_reaches_before_the_period_is_cut_there() -> None:
    found = account(SPAN, [run(1, HOUR, HOUR, 3 * DAY)], failed, counts=WindowCounts(10**6, 100), target=Decimal("0.9"))
    assert (found.charges[0].starts_at, found.charges[0].bad) == (EPOCH, 60)


def test_without_events_nothing_is_granted_and_nothing_has_a_share() -> None:
    found = account(SPAN, [run(1, HOUR, HOUR)], lambda *_: 0, counts=WindowCounts(0, 0), target=Decimal("0.9"))
    assert (found.spent, found.charges[0].share, found.rest) == (None, None, 0)


@given(st.integers(0, 10**9), st.integers(60, 400 * 1440))
def test_tiles_never_overlap_and_leave_no_gap(second: int, minutes: int) -> None:
    period, now = timedelta(minutes=minutes), EPOCH + timedelta(seconds=second)
    found = tile(period, now=now)
    assert found.starts_at <= now < found.ends_at
    assert tile(period, now=found.ends_at).starts_at == found.ends_at
