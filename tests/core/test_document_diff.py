"""What changed between two documents."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.core.document_diff import Change, Difference, differences

documents = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.text("ab", max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["code", "a", "b"]), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"a": 1}, {"a": 2}, [Difference("a", Change.CHANGED, 1, 2)]),
        ({"a": 1}, {}, [Difference("a", Change.REMOVED, before=1)]),
        ({}, {"a": {"b": 1}}, [Difference("a", Change.ADDED, after={"b": 1})]),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 3, "c": 2}}, [Difference("a.b", Change.CHANGED, 1, 3)]),
        ([1, 2], [1, 3, 4], [Difference("[1]", Change.CHANGED, 2, 3), Difference("[2]", Change.ADDED, after=4)]),
        ({"a": [1]}, {"a": {"0": 1}}, [Difference("a", Change.CHANGED, [1], {"0": 1})]),
        ({"a": 1}, {"a": True}, [Difference("a", Change.CHANGED, 1, True)]),
    ],
)
def test_each_place_that_differs_is_named(before: Any, after: Any, expected: list[Difference]) -> None:
    assert list(differences(before, after)) == expected


def test_a_row_put_in_front_leaves_the_rows_behind_it_alone() -> None:
    before = {"rows": [{"code": "P1", "pace": 120}, {"code": "P2", "pace": 240}]}
    after = {"rows": [{"code": "P0", "pace": 60}, {"code": "P1", "pace": 120}, {"code": "P2", "pace": 480}]}
    assert [(found.path, found.change) for found in differences(before, after)] == [
        ("rows[P0]", Change.ADDED),
        ("rows[P2].pace", Change.CHANGED),
    ]


def test_the_same_rows_in_another_order_are_a_change_of_the_list() -> None:
    before, after = [{"n": 1}, {"n": 2}], [{"n": 2}, {"n": 1}]
    assert list(differences(before, after)) == [Difference("", Change.CHANGED, [1, 2], [2, 1])]


def test_a_name_given_twice_names_nothing() -> None:
    before = [{"code": "a", "x": 1}, {"code": "a", "x": 2}]
    after = [{"code": "a", "x": 1}, {"code": "a", "x": 3}]
    assert [found.path for found in differences(before, after)] == ["[1].x"]


@given(documents)
def test_a_document_does_not_differ_from_itself(document: Any) -> None:
    assert differences(document, document) == ()


@given(documents, documents)
def test_documents_that_differ_have_a_difference_and_it_turns_round(before: Any, after: Any) -> None:
    there, back = differences(before, after), differences(after, before)
    assert {found.path for found in there} == {found.path for found in back}
    assert bool(there) == (repr(before) != repr(after)) or _equal_but_for_order(before, after)


def _equal_but_for_order(before: Any, after: Any) -> bool:
    return bool(before == after)
