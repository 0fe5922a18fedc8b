"""Patterns match what the standard library's matcher matches, but no pattern can be made slow."""

from __future__ import annotations

import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.core.linear_patterns import MOST_NODES, Pattern, PatternRefused, compiled

SAMPLES = [
    "",
    "a",
    "b",
    "ab",
    "aab",
    "abb",
    "abc",
    "aaa",
    "a\nb",
    "A",
    "AB",
    "1",
    "a1",
    " ",
    "-",
    "]",
    "^",
    "a.b",
    "ba",
    "ccc",
    "é",
]


@pytest.mark.parametrize(
    "pattern",
    [
        "", "a", "a*", "a+b?", "a|b", "(a|b)*", "(?:ab)+", ".", ".*", "a.b", "[ab]+", "[^a]", "[a-c]{2,3}", "a{2}", "a{1,}b",
        "a{0,2}", "a{x}", r"\w+", r"\d", r"a\.b", r"[\w-]", "[]]", "[^]a]", "[a-]+", r"\s", r"\S+", r"\W", "^a$", "^(a|b)$",
        "a^b", "$", "^$", "a|", "(|a)b", "(a*)*b", "(a|ab)(c|bcd)*", "(?i)ab", "(?s).*", "(?is)A.B", "a*?b", "a{1,2}?b", "(?P<x>a)b",
        r"\x61", r"[\x61-\x63]+", r"a\nb", "é", "(^a|b)b*", "(a$|ab)", r"[^\d]", r"[\d\s]+",
    ],
)  # fmt: skip
def test_a_pattern_matches_exactly_what_the_standard_library_says(pattern: str) -> None:
    ours, theirs = Pattern(pattern), re.compile(pattern, re.ASCII if "(?i)" not in pattern else 0)
    assert [text for text in SAMPLES if ours.matches(text)] == [text for text in SAMPLES if theirs.fullmatch(text)]


atoms = st.sampled_from(["a", "b", ".", "[ab]", "[^a]", r"\w", "(?:a|b)", "(?:ab|a)", "(?:a*b)"])
pieces = st.builds(
    lambda atom, repeat: atom + repeat, atoms, st.sampled_from(["", "*", "+", "?", "{2}", "{1,3}", "{2,}"])
)
sequences = st.lists(pieces, max_size=4).map("".join)
patterns = st.lists(sequences, min_size=1, max_size=3).map("|".join)


@given(patterns, st.text(alphabet="abc\n", max_size=7))
def test_any_pattern_and_text_agree_with_the_standard_library(pattern: str, text: str) -> None:
    assert Pattern(pattern).matches(text) is bool(re.fullmatch(pattern, text, re.ASCII))


@given(st.text(alphabet=string.printable, max_size=12))
def test_any_text_is_a_pattern_or_is_refused_but_never_an_accident(pattern: str) -> None:
    try:
        made = Pattern(pattern)
    except PatternRefused as refusal:
        assert str(refusal)  # noqa: PT017 - either way out is right, and this one must say why
    else:
        assert made.matches("abc") in {True, False}


@given(st.text(max_size=20))
def test_an_escaped_text_matches_itself_only(text: str) -> None:
    literal = "".join("\\" + character if character in r"\.+*?()|[]{}^$" else character for character in text)
    assert Pattern(literal).matches(text)
    assert not Pattern(literal).matches(text + "x")


@pytest.mark.parametrize(
    "pattern",
    ["(", ")", "a)", "[a", "[", "*", "+a", "a**", "a*+", "a{2}{3}", "a{3,2}", "(?=a)", "(?!a)", "(?<a)", r"\1", r"\b", r"\pL", "[[:alpha:]]", "[b-a]", "\\", r"\xzz", "(a", "a(?i)b"],
)  # fmt: skip
def test_what_is_wrong_or_not_supported_is_refused(pattern: str) -> None:
    with pytest.raises(PatternRefused):
        Pattern(pattern)


@pytest.mark.parametrize(
    "pattern", ["a" * 600, "(a{20}){30}", "((((a{9}){9}){9}){9}){9}", "(" * 250 + "a" + ")" * 250, "a{9999}"]
)
def test_a_pattern_that_is_too_large_is_refused_or_small_after_all(pattern: str) -> None:
    try:
        assert len(Pattern(pattern)._nodes) <= MOST_NODES
    except PatternRefused as refusal:
        assert "large" in str(refusal) or "longer" in str(refusal) or "deeply" in str(refusal)  # noqa: PT017


@pytest.mark.timeout(10)
@pytest.mark.parametrize("pattern", ["(a*)*b", "(a|a)*b", "(a+)+$", "(.*a){20}", "a*a*a*a*a*a*a*a*b", "(a?){50}a{50}"])
def test_patterns_that_bring_a_backtracking_matcher_to_its_knees_are_quick(pattern: str) -> None:
    assert Pattern(pattern).matches("a" * 1_000 + "!") is False


def test_what_is_remembered_stays_bounded_whatever_the_texts() -> None:
    pattern = Pattern("[^a]*")
    for code in range(0x100, 0x3000):
        assert pattern.matches(chr(code))
    assert len(pattern._steps) <= 4_000


def test_a_repeat_without_its_least_number_is_plain_text_as_in_re2() -> None:
    assert Pattern("a{,2}").matches("a{,2}")
    assert not Pattern("a{,2}").matches("aa")


def test_a_pattern_is_built_once() -> None:
    assert compiled("built.*once") is compiled("built.*once")
