from decimal import Decimal
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.core.alert_latch import Heat
from tocsin.core.breach_rules import named_rule
from tocsin.core.burn_rate import AllowedRatio, burn_rate, exceeds, falls_below, might_exceed
from tocsin.core.errors import Invalid
from tocsin.core.fleet import HOUR, MINUTE, QUARTER, BucketRows, Columns, Tier
from tocsin.core.slo_windows import WindowArrays, WindowCounts

Counts = npt.NDArray[np.int64]
PLACES = np.arange(3)
ALL = slice(None)


def bucket_rows(start: int, valid: Counts, bad: Counts) -> BucketRows:
    """The counts of one bucket for every SLO."""
    slos = np.arange(valid.size)
    return BucketRows(slos, np.full(valid.size, start), valid, bad)


def filled(minutes: int, *, width: int = MINUTE, seed: int = 1) -> tuple[Tier, Counts, Counts]:
    rng = np.random.default_rng(seed)
    valid = rng.integers(0, 1000, (minutes, 3))
    bad = rng.binomial(valid, 0.01)
    columns = Columns.empty(3)
    for row in range(minutes):
        columns.advance(row * width)
        columns.tier(width).change(PLACES, bucket_rows(row * width, valid[row], bad[row]))
    return columns.tier(width), valid, bad


@pytest.mark.parametrize("minutes", [1, 2, 59, 362])
def test_a_window_holds_its_buckets_and_no_other(minutes: int) -> None:
    tier, valid, bad = filled(1_003)
    now = 1_002 * MINUTE
    found = tier.window(now - (minutes - 1) * MINUTE, now, ALL)
    assert found.valid.tolist() == valid[-minutes:].sum(axis=0).tolist()
    assert found.bad.tolist() == bad[-minutes:].sum(axis=0).tolist()


def test_a_window_may_end_before_the_newest_bucket() -> None:
    tier, valid, _ = filled(400)
    found = tier.window(380 * MINUTE, 390 * MINUTE + 59, PLACES[1:])
    assert found.valid.tolist() == valid[380:391].sum(axis=0)[1:].tolist()


def test_what_lies_too_far_back_is_refused_not_made_up() -> None:
    tier, _, _ = filled(1_000)
    now = 999 * MINUTE
    assert tier.reaches(now - 370 * MINUTE, now)
    assert not tier.reaches(now - 400 * MINUTE, now)
    with pytest.raises(Invalid):
        tier.window(now - 400 * MINUTE, now, ALL)
    with pytest.raises(Invalid):
        tier.window(now, now + MINUTE, ALL)


def test_time_that_passes_without_events_is_empty() -> None:
    tier, valid, _ = filled(30)
    tier.advance(35 * MINUTE)
    assert tier.window(28 * MINUTE, 35 * MINUTE, ALL).valid.tolist() == valid[28:].sum(axis=0).tolist()
    tier.advance(10_000 * MINUTE)
    assert tier.window(9_900 * MINUTE, 10_000 * MINUTE, ALL).valid.tolist() == [0, 0, 0]


@given(st.lists(st.tuples(st.integers(0, 399), st.integers(0, 2), st.integers(0, 900), st.integers(0, 90))))
def test_changing_buckets_comes_to_what_replacing_all_does(changes: list[tuple[int, int, int, int]]) -> None:
    changed, replaced = (Columns.empty(3).tier(MINUTE) for _ in range(2))
    known: dict[tuple[int, int], tuple[int, int]] = {}
    for tier in (changed, replaced):
        tier.advance(399 * MINUTE)
    for bucket, slo, valid, bad in changes:
        known[bucket, slo] = valid, bad
        one = [np.array([value]) for value in (0, bucket * MINUTE, valid, bad)]
        changed.change(np.array([slo]), BucketRows(*one))
    rows = np.array([(slo, bucket * MINUTE, *counts) for (bucket, slo), counts in known.items()], dtype=np.int64)
    replaced.replace(PLACES, BucketRows(*rows.reshape(-1, 4).T))
    for start in (22, 100, 398, 399):
        one, other = (tier.window(start * MINUTE, 399 * MINUTE, ALL) for tier in (changed, replaced))
        assert (one.valid.tolist(), one.bad.tolist()) == (other.valid.tolist(), other.bad.tolist())


def test_totals_beyond_32_bits_wrap_without_harm() -> None:
    tier = Columns.empty(1).tier(HOUR)
    for hour in range(10):
        tier.advance(hour * HOUR)
        tier.change(np.array([0]), bucket_rows(hour * HOUR, np.array([2**31 - 1]), np.array([2**30])))
    found = tier.window(9 * HOUR, 9 * HOUR, ALL)
    assert (found.valid[0], found.bad[0]) == (2**31 - 1, 2**30)


def test_growth_is_told_so_that_nobody_wraps_twice() -> None:
    tier = Columns.empty(2).tier(QUARTER)
    tier.advance(0)
    assert tier.change(np.array([1]), bucket_rows(0, np.array([5]), np.array([1]))).tolist() == [5]
    assert tier.change(np.array([1]), bucket_rows(0, np.array([3]), np.array([1]))).tolist() == [0]
    assert tier.replace(np.array([1]), bucket_rows(0, np.array([7]), np.array([1]))).tolist() == [7]


def test_an_slo_takes_at_most_sixteen_kilobytes() -> None:
    assert Columns.empty(100).nbytes / 100 <= 16_000


COUNTS = st.lists(
    st.tuples(st.sampled_from([0, 1, 7, 1000, 10**6]), st.integers(0, 10**6)).map(
        lambda pair: WindowCounts(pair[0], min(pair))
    ),
    min_size=25,
    max_size=25,
)


@given(COUNTS, st.sampled_from(["tocsin", "workbook", "depletion"]), st.sampled_from(["0.9", "0.999", "0.99999"]))
def test_a_rule_never_burns_where_it_may_not(counts: list[WindowCounts], name: str, target: str) -> None:
    rule = named_rule(name)
    sums = {span: WindowArrays.of([one]) for span, one in zip(rule.windows(), counts, strict=False)}
    allowed = AllowedRatio.of(Decimal(target))
    burns = any(row[0] == Heat.BURNING for row in rule.heats(sums, allowed))
    assert rule.may_burn(sums, allowed)[0] or not burns


@given(st.integers(0, 10**15), st.integers(0, 10**15), st.fractions(0, 50), st.sampled_from(["0.9", "0.9999999999"]))
def test_the_boundary_of_a_limit_is_decided_exactly(valid: int, bad: int, limit: Fraction, target: str) -> None:
    valid = max(valid, bad)
    arrays, allowed = WindowArrays.of([WindowCounts(valid, bad)]), AllowedRatio.of(Decimal(target))
    burn = burn_rate(Decimal(target), valid, bad)
    assert falls_below(arrays, limit=limit, allowed=allowed)[0] == (burn is not None and burn < limit)
    assert exceeds(arrays, limit=limit, allowed=allowed)[0] == (burn is not None and burn > limit)
    if burn is not None and burn > limit:
        assert might_exceed(arrays, limit=limit, allowed=allowed)[0]
