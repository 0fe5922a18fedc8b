"""Label matchers: the four operators, how they are written, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.core.errors import Invalid
from tocsin.core.matchers import (
    LONGEST_VALUE,
    Matcher,
    Operator,
    all_hold,
    api_of_matcher,
    holds,
    matcher,
    matcher_of_api,
    parse_matcher,
)

LABELS = {"service": "checkout", "severity": "page"}


@pytest.mark.parametrize(
    ("text", "held"),
    [
        ("service=checkout", True),
        ("service=check", False),
        ("service!=billing", True),
        ("service!=checkout", False),
        ("service=~check.*", True),
        ("service=~check", False),
        ("service=~eckou", False),
        ("service!~check", True),
        ("service!~check|checkout", False),
        ("team=", True),
        ("team!=", False),
        ('team=~""', True),
        ("team=~.+", False),
        ("team!~.+", True),
        ("service=~(?i)CHECKOUT", True),
    ],
)
def test_a_matcher_describes_the_whole_value_and_a_missing_label_is_empty(text: str, held: bool) -> None:
    assert holds(parse_matcher(text), LABELS) is held


def test_several_matchers_must_all_hold_and_none_always_do() -> None:
    assert all_hold([parse_matcher("service=checkout"), parse_matcher("severity=~page|ticket")], LABELS)
    assert not all_hold([parse_matcher("service=checkout"), parse_matcher("severity=info")], LABELS)
    assert all_hold([], LABELS)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('severity =~ "page|ticket"', Matcher("severity", Operator.MATCHES, "page|ticket")),
        (' a="b c" ', Matcher("a", Operator.EQUAL, "b c")),
        (r'path=~"\d+\.js"', Matcher("path", Operator.MATCHES, r"\d+\.js")),
        (r'text="say \"hi\"\\"', Matcher("text", Operator.EQUAL, 'say "hi"\\')),
        ("a==b", Matcher("a", Operator.EQUAL, "=b")),
        ('a="', Matcher("a", Operator.EQUAL, '"')),
    ],
)
def test_matchers_are_read_as_people_write_them(text: str, expected: Matcher) -> None:
    assert parse_matcher(text) == expected


@pytest.mark.parametrize("text", ["", "service", "=x", "1a=b", "a b=c", "a" * 3000 + "=b", "a=~(", "a=~*"])
def test_what_is_no_matcher_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        parse_matcher(text)


def test_the_refusal_of_a_pattern_says_what_is_wrong_with_it() -> None:
    with pytest.raises(Invalid, match="a parenthesis is not closed"):
        matcher("a", Operator.MATCHES, "(b")


def test_a_value_too_long_to_be_judged_is_never_silenced() -> None:
    labels = {"a": "x" * (LONGEST_VALUE + 1)}
    assert not holds(matcher("a", Operator.MATCHES, ".*"), labels)
    assert not holds(matcher("a", Operator.MATCHES_NOT, "y"), labels)
    assert holds(matcher("a", Operator.NOT_EQUAL, "y"), labels)


@pytest.mark.parametrize(
    ("document", "operator"),
    [
        ({"isRegex": False}, Operator.EQUAL),
        ({"isRegex": True, "isEqual": None}, Operator.MATCHES),
        ({"isRegex": False, "isEqual": False}, Operator.NOT_EQUAL),
        ({"isRegex": True, "isEqual": False}, Operator.MATCHES_NOT),
    ],
)
def test_matchers_of_the_api_are_read_also_without_is_equal(document: dict[str, object], operator: Operator) -> None:
    assert matcher_of_api({"name": "a", "value": "b", **document}) == Matcher("a", operator, "b")


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"name": "a"},
        {"name": 1, "value": "b"},
        {"name": "", "value": "b"},
        {"name": "a", "value": "(", "isRegex": True},
    ],
)
def test_a_wrong_matcher_of_the_api_is_refused(document: dict[str, object]) -> None:
    with pytest.raises(Invalid):
        matcher_of_api(document)


@given(
    st.from_regex(r"[a-z_:][a-z0-9_:]{0,8}", fullmatch=True),
    st.sampled_from([Operator.EQUAL, Operator.NOT_EQUAL]),
    st.text(max_size=20),
)
def test_what_is_written_is_read_back(name: str, operator: Operator, value: str) -> None:
    written = matcher(name, operator, value)
    assert parse_matcher(str(written)) == written
    assert matcher_of_api(api_of_matcher(written)) == written
