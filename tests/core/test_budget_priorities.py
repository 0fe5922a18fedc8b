from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.core.budget_priorities import (
    CHAPTER_VELOCITY,
    RemainingRow,
    RemainingTable,
    VelocityRow,
    VelocityTable,
    priority_by_remaining,
    priority_by_velocity,
    unreachable_velocity_rows,
)

WINDOWS = CHAPTER_VELOCITY.windows()
PERIOD = timedelta(days=28)


@given(left=st.fractions(-1, 1), less=st.fractions(0, 1))
def test_less_budget_never_means_a_lower_priority(left: Fraction, less: Fraction) -> None:
    richer = priority_by_remaining(left, premature=True) or 5
    poorer = priority_by_remaining(left - less, premature=True) or 5
    assert poorer <= richer


def test_the_reckoning_verb_knows_no_special_case_at_zero() -> None:
    assert priority_by_remaining(Fraction(-1, 20), premature=False, overspent_always=False) is None
    assert priority_by_remaining(Fraction(-1, 20), premature=True, overspent_always=False) == 1


def test_other_tables_give_other_priorities() -> None:
    table = RemainingTable((RemainingRow(Fraction(1, 2), 3),))
    assert priority_by_remaining(Fraction(1, 2), premature=True, table=table) == 3
    assert priority_by_remaining(Fraction(51, 100), premature=True, table=table) is None
    assert priority_by_remaining(Fraction(0), premature=False, table=RemainingTable(())) is None
    fast = VelocityTable((VelocityRow(Fraction(1, 10), WINDOWS[0], 2),))
    assert priority_by_velocity({WINDOWS[0]: Fraction(11, 100)}, table=fast) == 2


@pytest.mark.req("R-9.2.5-2")
def test_seventy_five_percent_exactly_is_the_second_priority() -> None:
    at = dict.fromkeys(WINDOWS, Fraction(3, 4))
    assert priority_by_velocity(at) == 2
    assert priority_by_velocity(at | {WINDOWS[0]: Fraction(3, 4) + Fraction(1, 10**12)}) == 1


@given(spent=st.lists(st.fractions(0, 2), min_size=4, max_size=4))
def test_velocity_only_grows_with_what_longer_windows_add(spent: list[Fraction]) -> None:
    grown = [sum(spent[: n + 1], Fraction(0)) for n in range(4)]
    found = priority_by_velocity(dict(zip(WINDOWS, grown, strict=True)))
    more = priority_by_velocity({window: share + 1 for window, share in zip(WINDOWS, grown, strict=True)})
    assert more == 1
    assert found is None or found >= more


@pytest.mark.req("R-9.2.5-5")
def test_no_velocity_rule_can_fire_for_the_chapters_own_target() -> None:
    found = unreachable_velocity_rows(Decimal("0.997"), PERIOD)
    assert [one.row for one in found] == list(CHAPTER_VELOCITY.rows)
    assert [one.burn_needed for one in found] == [6048, 2016, 672, 504]
    assert {one.burn_possible for one in found} == {Fraction(1000, 3)}
    shares = [one.traffic_share_needed for one in found]
    assert shares == [Fraction(s) / 100 for s in ("0.225", "0.15", "0.075", "0.075")]
    above = [round(float(one.fires_above) * 100, 5) for one in found]
    assert above == [99.98347, 99.95040, 99.85119, 99.80159]


@pytest.mark.parametrize(
    ("target", "fireable"), [("0.9980", 0), ("0.9981", 1), ("0.9986", 2), ("0.9996", 3), ("0.9999", 4)]
)
def test_stricter_targets_make_more_rules_reachable(target: str, fireable: int) -> None:
    assert len(unreachable_velocity_rows(Decimal(target), PERIOD)) == 4 - fireable


def test_thirty_days_need_faster_burning() -> None:
    found = unreachable_velocity_rows(Decimal("0.9"), timedelta(days=30))
    assert [one.burn_needed for one in found] == [6480, 2160, 720, 540]
