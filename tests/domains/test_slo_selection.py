"""Finding the SLOs that a pushed series counts for: the same as looking at each of them, without looking at each."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tocsin.slo.promql import Matcher, Selector
from tocsin.slo.pushed_series import Selection, Series, Wanted, selects

labels = st.sampled_from(["job", "code", "path"])
words = st.sampled_from(["", "a", "b", "200", "503"])
matchers = st.one_of(
    st.builds(Matcher, labels, st.sampled_from(["=", "!="]), words),
    st.builds(Matcher, labels, st.sampled_from(["=~", "!~"]), st.sampled_from(["5..", "a|b", ".*", ".+"])),
)
wanted = st.builds(
    Wanted,
    st.integers(1, 50),
    st.integers(1, 3),
    st.sampled_from(["good", "total"]),
    st.builds(Selector, st.sampled_from(["a_total", "b_total"]), st.lists(matchers, max_size=3).map(tuple)),
)
series = st.builds(
    Series,
    st.sampled_from([("a_total",), ("b_total",), ("c", "a_total")]),
    st.dictionaries(labels, words.filter(bool), max_size=3),
    st.just([(0, 1.0, 0, False)]),
)


@given(st.lists(wanted, max_size=12), series, st.sampled_from([None, 1, 2]))
def test_the_index_finds_exactly_what_looking_at_each_finds(
    some: list[Wanted], one: Series, service_id: int | None
) -> None:
    found = Selection(some).of(one, service_id=service_id)
    reference = [
        use
        for use in some
        if use.selector.name in one.names and service_id in (None, use.service_id) and selects(use.selector, one.labels)
    ]
    assert sorted(map(repr, found)) == sorted(map(repr, reference))


def test_ten_thousand_slos_on_one_counter_are_not_looked_at_one_by_one() -> None:
    some = [
        Wanted(
            number, 1, "total", Selector("a_total", (Matcher("env", "=", "live"), Matcher("job", "=", f"j{number}")))
        )
        for number in range(10_000)
    ]
    index = Selection(some)._by_name["a_total"]
    assert len(index.near({"env": "live", "job": "j77"})) == 1
    assert index.near({"env": "live", "job": "nobody"}) == []
