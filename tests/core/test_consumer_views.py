"""Where consumers differ from the provider: how far, who is flagged, which talk comes first."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.core.consumer_views import (
    Divergence,
    GapReport,
    Opinion,
    Stance,
    Strategy,
    UseCase,
    View,
    divergences,
    gap_report,
    spread,
    stance,
    unanswered,
)
from tocsin.core.priorities import PriorityState

LOWEST = 4
NONE, UNSET = Opinion(PriorityState.NONE), Opinion(PriorityState.UNSET)


def rank(number: int) -> Opinion:
    return Opinion(PriorityState.SET, number)


def case(decided: Opinion, *said: Opinion, slo: str = "notify", provider: str = "notifications") -> UseCase:
    views = tuple(View(f"team:c{number}", f"C{number}", one) for number, one in enumerate(said, start=1))
    return UseCase(slo, provider, decided, views)


SAMPLE = case(rank(2), rank(1), rank(3))


def test_the_sample_row_spans_two_levels_and_flags_the_more_urgent_consumer() -> None:
    assert spread(SAMPLE, lowest=LOWEST) == 2
    found = divergences([SAMPLE], lowest=LOWEST)
    assert [(one.view.key, one.levels, one.flagged) for one in found] == [
        ("team:c1", 1, True),
        ("team:c2", -1, False),
    ]
    assert found[0].offers == (Strategy.ADAPTIVE_CAPACITY, Strategy.OWN_GROUP)
    assert found[1].offers == ()


@pytest.mark.parametrize(
    ("decided", "said", "expected"),
    [
        (rank(2), rank(1), Stance.MORE_URGENT),
        (rank(2), rank(3), Stance.LESS_URGENT),
        (rank(2), rank(2), Stance.SAME),
        (rank(2), NONE, Stance.LESS_URGENT),
        (NONE, rank(4), Stance.MORE_URGENT),
        (NONE, NONE, Stance.SAME),
        (rank(2), UNSET, Stance.ASKED),
        (UNSET, rank(1), Stance.NO_DECISION),
        (UNSET, UNSET, Stance.ASKED),
    ],
)
def test_how_a_view_stands_to_the_decision(decided: Opinion, said: Opinion, expected: Stance) -> None:
    assert stance(decided, case(decided, said).views[0], lowest=LOWEST) is expected


def test_the_largest_comes_first_and_of_equal_ones_the_more_urgent() -> None:
    small = case(rank(2), rank(1), rank(3), slo="a")
    large = case(rank(4), rank(1), slo="b")
    nothing = case(NONE, rank(4), slo="c")
    found = divergences([small, nothing, large], lowest=LOWEST)
    assert [(one.slo, one.levels) for one in found] == [("b", 3), ("a", 1), ("c", 1), ("a", -1)]


def test_the_report_groups_by_provider_and_names_the_talk_to_have_first() -> None:
    coping = View("team:shop", "Shop", rank(1), Strategy.OWN_GROUP)
    first = UseCase("notify", "notifications", rank(4), (coping,))
    second = case(rank(2), rank(1), slo="search", provider="tickets")
    undecided = case(UNSET, rank(1), slo="printing", provider="platform")
    report = gap_report([second, first, undecided], lowest=LOWEST)
    assert list(report.by_provider) == ["notifications", "tickets"]
    assert report.total == 2
    assert [one.slo for one in report.undecided] == ["printing"]
    talk = report.talk_first
    assert talk is not None
    # Shop differs by more, but has its own way to cope.
    assert (talk.slo, talk.view.key) == ("search", "team:c1")
    assert GapReport({}, ()).talk_first is None


def test_everybody_who_sees_it_otherwise_is_owed_a_word() -> None:
    found = divergences([SAMPLE], lowest=LOWEST)
    assert [view.key for view in unanswered(found, {"team:c1": "We mend it by spring.", "team:c2": "  "})] == [
        "team:c2"
    ]
    assert unanswered(found, {"team:c1": "x", "team:c2": "y"}) == []


opinions = st.one_of(st.just(NONE), st.just(UNSET), st.integers(1, LOWEST).map(rank))


@given(decided=opinions, said=st.lists(opinions, max_size=6))
def test_what_holds_for_every_row(decided: Opinion, said: list[Opinion]) -> None:
    row = case(decided, *said)
    found: list[Divergence] = divergences([row], lowest=LOWEST)
    sizes = [abs(one.levels) for one in found]
    assert sizes == sorted(sizes, reverse=True)
    assert all(size > 0 for size in sizes)
    assert max(sizes, default=0) <= spread(row, lowest=LOWEST) <= LOWEST
    stances = {view.key: stance(decided, view, lowest=LOWEST) for view in row.views}
    assert {one.view.key for one in found if one.flagged} == {
        key for key, one in stances.items() if one is Stance.MORE_URGENT
    }
    assert len(found) == sum(one in {Stance.MORE_URGENT, Stance.LESS_URGENT} for one in stances.values())
