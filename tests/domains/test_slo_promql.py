"""Queries taken apart and put together: growth of counters, many SLOs in one question."""

from __future__ import annotations

import promql_parser
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.slo.prometheus import Ask, questions
from tocsin.slo.promql import UnsupportedQuery, counters, query_problem, quoted, shape_of, shared_counter, shared_growth

SUM = 'sum(http_requests_total{job="logon",code!~"5.."})'


def test_growth_is_the_difference_of_two_moments_with_resets_seen_to() -> None:
    found = counters("sum(errors_total)").growth(60)
    assert "errors_total{} - errors_total{} offset 60s" in found
    assert "resets(errors_total{}[360s]) > 0" in found
    assert "min_over_time(errors_total{}[60s])" in found
    promql_parser.parse(found)


def test_ten_counters_in_one_query_are_each_put_in_their_own_place() -> None:
    query = " + ".join(f"sum(c{number}_total)" for number in range(12))
    text = counters(query).growth(60)
    for number in range(12):
        assert f"c{number}_total{{}} offset 60s" in text
    assert "tocsin_counter" not in text


@pytest.mark.parametrize(
    "query",
    [
        SUM,
        f"({SUM})",
        SUM.replace("sum(", "sum(rate(").replace("})", "}[5m]))"),
        SUM.replace("sum(", "sum(increase(").replace("})", "}[1h]))"),
    ],
)
def test_rates_and_increases_of_a_counter_are_asked_as_the_counter_itself(query: str) -> None:
    found = counters(query)
    assert found.summed
    assert str(found.selectors[0]) == 'http_requests_total{code!~"5..",job="logon"}'


@pytest.mark.parametrize(
    "query", ["sum by (code) (a_total)", "sum(a_total) - sum(b_total)", "a_total", "max(a_total)", "sum(a_total) / 2"]
)
def test_whatever_is_no_plain_sum_is_asked_alone(query: str) -> None:
    assert not counters(query).summed
    promql_parser.parse(counters(query).growth(60))


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("sum(", "no PromQL"),
        ("1 + 1", "names no counter"),
        ("sum(a_total offset 5m)", "another time"),
        ("sum(a_total @ 100)", "another time"),
        ("sum(max_over_time(a_total[5m]))", "range of its own"),
        ("sum(rate(a_total[5m:1m]))", "range of its own"),
        ("histogram_quantile(0.9, sum(delta(a_bucket[5m])) by (le))", "range of its own"),
    ],
)
def test_what_cannot_be_asked_is_said_when_the_slo_is_saved(query: str, words: str) -> None:
    problem = query_problem(query)
    assert problem is not None
    assert words in problem


def test_a_query_that_can_be_asked_has_no_problem() -> None:
    assert query_problem(SUM) is None


@given(st.text(max_size=40).filter(lambda text: "\x00" not in text and "\r" not in text))
def test_any_label_value_survives_quoting(value: str) -> None:
    query = f"sum(a_total{{l={quoted(value)}}})"
    selector = counters(query).selectors[0]
    assert selector.matchers[0].value == value
    promql_parser.parse(counters(query).growth(60))


@given(st.lists(st.sampled_from(["a", "b.c", "x|y", 'q"', "\\d+", "(z)", "", "^$", "[k]"]), min_size=1, max_size=6))
def test_a_shared_question_parses_and_names_every_value_literally(values: list[str]) -> None:
    import re

    asks = [Ask(number, "total", f"sum(a_total{{l={quoted(value)}}})") for number, value in enumerate(values)]
    (question,) = questions(asks, 60)
    assert {ask.objective_id for found in question.asks.values() for ask in found} == set(range(len(values)))
    selector = counters(f"sum({_first_selector(question.text)})").selectors[0]
    (matcher,) = selector.matchers
    for value in values:
        matched = re.fullmatch(matcher.value, value) is not None if matcher.operator == "=~" else matcher.value == value
        assert matched


def _first_selector(text: str) -> str:
    return text[text.index("a_total") : text.index(" - a_total")]


def test_slos_that_differ_in_equal_labels_share_one_question() -> None:
    asks = []
    for number in range(50):
        job = f"job-{number}"
        asks.append(Ask(number, "good", f'sum(http_requests_total{{job="{job}",zone="eu",code!~"5.."}})'))
        asks.append(Ask(number, "total", f'sum(http_requests_total{{zone="eu",job="{job}"}})'))
    found = questions(asks, 60)
    assert len(found) == 2
    assert all(question.by == ("job",) for question in found)
    assert all(len(question.asks) == 50 for question in found)
    assert 'zone="eu"' in found[0].text
    assert found[0].text.startswith("sum by (job) (")


def test_two_labels_that_differ_are_both_told_apart() -> None:
    asks = [
        Ask(1, "total", 'sum(a{x="1",y="2"})'),
        Ask(2, "total", 'sum(a{x="2",y="1"})'),
        Ask(3, "total", 'sum(a{x="1",y="1"})'),
    ]
    (question,) = questions(asks, 60)
    assert question.by == ("x", "y")
    assert {key: [ask.objective_id for ask in found] for key, found in question.asks.items()} == {
        ("1", "2"): [1],
        ("2", "1"): [2],
        ("1", "1"): [3],
    }


def test_the_same_query_of_two_slos_is_asked_once() -> None:
    (question,) = questions([Ask(1, "total", SUM), Ask(2, "total", SUM)], 60)
    assert question.by == ()
    assert [ask.objective_id for ask in question.asks[()]] == [1, 2]


def test_regular_expressions_and_other_metrics_are_other_shapes() -> None:
    asks = [Ask(1, "total", 'sum(a{x=~"1"})'), Ask(2, "total", 'sum(a{x=~"2"})'), Ask(3, "total", "sum(b)")]
    assert len(questions(asks, 60)) == 3


def test_a_label_that_must_equal_two_values_is_no_shape_to_share() -> None:
    shape, values = shape_of(counters('sum(a{x="1",x="2"})').selectors[0])
    assert (shape.labels, values) == ((), ())
    promql_parser.parse(shared_growth(shared_counter(shape, [values]), 60))


def test_a_broken_query_in_the_rows_is_a_failure_of_the_source_not_of_the_engine() -> None:
    from tocsin.slo.prometheus import SourceFailed

    with pytest.raises(SourceFailed):
        questions([Ask(1, "total", "sum(")], 60)
    with pytest.raises(UnsupportedQuery):
        counters("1")
