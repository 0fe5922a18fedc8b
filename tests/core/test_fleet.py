from datetime import timedelta
from decimal import Decimal

import numpy as np
import numpy.typing as npt
import pytest

from tocsin.core.burn_rate import AllowedRatio
from tocsin.core.errors import Invalid
from tocsin.core.fleet import BURN_WINDOWS, SPEND_WINDOWS, FleetRing, tick

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
Counts = npt.NDArray[np.int64]


def filled(minutes: int, slos: int = 3, seed: int = 1) -> tuple[FleetRing, Counts, Counts]:
    rng = np.random.default_rng(seed)
    valid = rng.integers(0, 1000, (minutes, slos))
    bad = rng.binomial(valid, 0.01)
    ring = FleetRing(slos)
    for row in range(minutes):
        ring.append(valid[row], bad[row])
    return ring, valid, bad


@pytest.mark.parametrize("minutes", [1, 2, 59, 379])
def test_windows_of_up_to_379_minutes_are_exact(minutes: int) -> None:
    ring, valid, bad = filled(1_003)
    found = ring.window(minutes * MINUTE)
    assert found.valid.tolist() == valid[-minutes:].sum(axis=0).tolist()
    assert found.bad.tolist() == bad[-minutes:].sum(axis=0).tolist()


@pytest.mark.parametrize(("hours", "row"), [(7, 15), (24, 15), (72, 15), (73, 60), (400, 60)])
def test_longer_windows_begin_on_the_row_before_their_start(hours: int, row: int) -> None:
    ring, valid, _ = filled(24_017)
    begin = (24_017 - hours * 60) // row * row
    assert ring.window(hours * HOUR).valid.tolist() == valid[begin:].sum(axis=0).tolist()


def test_a_window_longer_than_the_history_holds_all_there_is() -> None:
    ring, valid, _ = filled(10)
    assert ring.window(24 * HOUR).valid.tolist() == valid.sum(axis=0).tolist()


def test_thirty_days_are_remembered_after_the_ring_has_gone_round() -> None:
    ring = FleetRing(1)
    one, none = np.array([1], dtype=np.int64), np.array([0], dtype=np.int64)
    for _ in range(95_000):
        ring.append(one, none)
    assert 43_200 <= ring.window(timedelta(days=30)).valid[0] < 43_260
    with pytest.raises(Invalid):
        ring.window(timedelta(days=31))


def test_totals_beyond_32_bits_wrap_without_harm() -> None:
    ring = FleetRing(1)
    for _ in range(10):
        ring.append(np.array([2**31 - 1]), np.array([2**30]))
    found = ring.window(MINUTE)
    assert (found.valid[0], found.bad[0]) == (2**31 - 1, 2**30)


def test_counts_of_the_wrong_length_are_refused() -> None:
    with pytest.raises(Invalid):
        FleetRing(2).append(np.array([1]), np.array([0]))


def test_an_slo_takes_at_most_sixteen_kilobytes() -> None:
    assert FleetRing(100).bytes_per_slo <= 16_000


def test_a_tick_shows_burn_spend_rest_and_end() -> None:
    ring = FleetRing(4)
    valid = np.array([1000, 1000, 0, 1000], dtype=np.int64)
    for minute in range(600):
        late = minute >= 595
        ring.append(valid, np.array([1, 500 * late, 0, 0], dtype=np.int64))
    found = tick(ring, AllowedRatio.of_each([Decimal("0.998"), Decimal("0.99"), Decimal("0.9"), Decimal("0.9")]))
    assert set(found.burn) == set(BURN_WINDOWS)
    assert set(found.spend) == set(SPEND_WINDOWS)
    assert found.burn[5 * MINUTE][0] == pytest.approx(0.5)
    assert found.burn[5 * MINUTE][1] == pytest.approx(50)
    assert found.remaining[0] == pytest.approx(0.5)
    assert found.spend[5 * MINUTE][1] == pytest.approx(2500 / 6000)
    assert found.exhaustion_hours[0] == pytest.approx(0.5 / 0.05)
    assert np.isnan([found.remaining[2], found.burn[HOUR][2], found.exhaustion_hours[2]]).all()
    assert found.exhaustion_hours[3] == np.inf


def test_an_overspent_budget_has_no_hours_left() -> None:
    ring = FleetRing(1)
    ring.append(np.array([10]), np.array([5]))
    found = tick(ring, AllowedRatio.of(Decimal("0.9")))
    assert found.remaining[0] == pytest.approx(-4)
    assert found.exhaustion_hours[0] == 0
