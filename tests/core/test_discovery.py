"""What becomes of a find, which SLI could stand in for an alert, and coverage that counts each use case once."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.adoption.defaults import document
from tocsin.core.discovery import Answer, UseCase, Watched, coverage, first_yes, same_use_case
from tocsin.core.sli_capabilities import capabilities, replacement

KNOWN = capabilities(document("capabilities.yaml"))


@pytest.mark.req("R-9.2.7-2")
def test_the_first_yes_counts_in_the_order_of_the_questions() -> None:
    for existing, new, alert in product([True, False], repeat=3):
        wanted = (
            Answer.EXISTING_SLI
            if existing
            else Answer.NEW_SLI
            if new
            else Answer.RESOURCE_ALERT
            if alert
            else Answer.NOTHING
        )
        assert first_yes(existing_sli=existing, new_sli=new, resource_alert=alert) is wanted


@pytest.mark.parametrize(
    ("metric", "name", "sli"),
    [
        ("cpu", "CPU>90% on host ABC", "latency"),
        ("", "CPU>90% on host ABC", "latency"),
        ("", "HighErrorRate", "availability"),
        ("", "http5xxTooMany", "availability"),
        ("queue depth", "TooManyErrors", "freshness"),
        ("replication_lag_seconds", "", "freshness"),
        ("fan speed", "Fan of rack 7", None),
        ("", "CertificateExpiresSoon", None),
    ],
)
def test_the_sli_that_could_replace_an_alert(metric: str, name: str, sli: str | None) -> None:
    found = replacement(KNOWN, metric, name)
    assert (found.code if found else None) == sli


def test_each_kind_of_sli_says_how_it_can_be_measured() -> None:
    assert len({one.code for one in KNOWN}) == len(KNOWN)
    assert all(one.ways and one.question.endswith("?") for one in KNOWN)


def test_a_way_that_nobody_described_is_found() -> None:
    wrong = {
        "ways": [],
        "sli_kinds": [{"code": "x", "name": "x", "question": "x?", "ways": ["magic"], "instead_of": []}],
    }
    with pytest.raises(ValueError, match="magic"):
        capabilities(wrong)


CASES = st.builds(
    UseCase,
    text=st.text(max_size=5),
    rank=st.sampled_from([1, 2, 3]),
    state=st.just("set"),
    watched=st.sampled_from(list(Watched)),
) | st.builds(
    UseCase,
    text=st.text(max_size=5),
    rank=st.none(),
    state=st.sampled_from(["none", "unset"]),
    watched=st.sampled_from(list(Watched)),
)


@given(st.lists(CASES))
def test_coverage_counts_each_use_case_once(cases: list[UseCase]) -> None:
    lines = coverage(cases, [1, 2, 3])
    assert sum(one.total for one in lines) == len(cases)
    assert sum(one.not_yet for one in lines) == sum(one.watched is Watched.NOT_YET for one in cases)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [("Nobody can pay", "nobody  can pay.", True), ("Nobody can pay", "Nobody can pay twice", False)],
)
def test_the_same_use_case_in_other_words_of_case(one: str, other: str, same: bool) -> None:
    assert same_use_case(one, other) is same
