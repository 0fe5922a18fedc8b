"""An error budget policy: seven parts, conditions judged exactly at their lines, consequences that begin once and end."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domains.worlds import NOW
from tocsin.core.budget_policy_document import budget_policy_document, parse_budget_policy
from tocsin.core.error_budget_policy import (
    BudgetPolicy,
    Finding,
    IncidentCost,
    Spending,
    Standing,
    Verdict,
    changes,
    judge,
    percent,
    thaw_days,
)
from tocsin.core.errors import Invalid
from tocsin.slo.defaults import default_policy

DAY = timedelta(days=1)


def document(**changed: Any) -> dict[str, Any]:
    return {**default_policy(), "next_review": "2027-05-23", **changed}


def policy(**changed: Any) -> BudgetPolicy:
    return parse_budget_policy(document(**changed))


def clause(kind: str, **when: Any) -> BudgetPolicy:
    """A policy of one clause X."""
    one = {"code": "X", "when": {"kind": kind, **when}, "condition": "when", "consequence": "what"}
    return policy(clauses=[one])


def spending(**changed: Any) -> Spending:
    """An SLO that granted 36,000 events of which a quarter is gone (V3)."""
    fields: dict[str, Any] = {
        "slo": "log-on",
        "period_began_at": NOW - 28 * DAY,
        "grant": Fraction(36_000),
        "left": Fraction(3, 4),
        "bad_within": {7: 0},
        "grant_within": {91: Fraction(117_000)},
        "incidents": (),
    }
    return Spending(**{**fields, **changed})


def cost(bad: int, *, ref: str = "INC-1", began_at: datetime = NOW - DAY, kind: str = "", through: bool = False) -> Any:
    return IncidentCost(ref=ref, began_at=began_at, kind_of=kind, through_dependency=through, bad=bad)


def verdicts(asked: BudgetPolicy, **changed: Any) -> list[tuple[str, str]]:
    return [(found.subject, found.verdict.value) for found in judge(asked, [spending(**changed)], now=NOW)]


@pytest.mark.req("R-10-1")
@pytest.mark.parametrize("part", ["scope", "purpose", "clauses", "escalation", "agreed_by", "next_review"])
def test_a_policy_needs_each_of_its_seven_parts(part: str) -> None:
    lacking = {name: value for name, value in document().items() if name != part}
    with pytest.raises(Invalid) as refusal:
        parse_budget_policy(lacking)
    assert any(place.split(".")[0] == part for place in refusal.value.fields)


@pytest.mark.req("R-10-1")
@pytest.mark.parametrize("part", ["condition", "consequence", "code", "when"])
def test_each_clause_says_when_and_what_follows(part: str) -> None:
    lacking = [{name: value for name, value in document()["clauses"][0].items() if name != part}]
    with pytest.raises(Invalid) as refusal:
        parse_budget_policy(document(clauses=lacking))
    assert any(place.startswith(f"clauses.0.{part}") for place in refusal.value.fields)


def test_the_shipped_policy_reads_and_is_written_as_it_was_read() -> None:
    read = policy()
    assert [one.code for one in read.clauses] == ["EB1", "EB2", "EB3", "EB4", "EB5"]
    assert read.clauses[1].condition.share == Fraction(1, 5)
    assert (read.spans, read.thaw_tax) == (frozenset({7, 91}), Fraction(1, 2))
    assert parse_budget_policy(budget_policy_document(read)) == read


@given(st.fractions(min_value=0, max_value=1, max_denominator=10_000))
def test_a_share_is_written_so_that_it_reads_as_the_same(share: Fraction) -> None:
    read = clause("remaining_at_most", share=str(share))
    assert parse_budget_policy(budget_policy_document(read)) == read


@pytest.mark.parametrize(
    ("changed", "place"),
    [
        ({"clauses": []}, "clauses"),
        ({"agreed_by": []}, "agreed_by"),
        ({"next_review": "soon"}, "next_review"),
        ({"thaw_tax_days": "1e99999999"}, "thaw_tax_days"),
        ({"thaw_tax_days": -1}, "thaw_tax_days"),
        ({"scoop": "x"}, "scoop"),
        ({"escalation": {"tie_breaker": "x"}}, "escalation.procedure"),
        ({"clauses": [{**default_policy()["clauses"][0], "tell": ["everybody"]}]}, "clauses.0.tell.0"),
        ({"clauses": default_policy()["clauses"][:1] * 2}, "clauses"),
        (
            {"clauses": [{**default_policy()["clauses"][0], "when": {"kind": "one_class", "share": "0.2"}}]},
            "clauses.0.when.days",
        ),
        (
            {"clauses": [{**default_policy()["clauses"][0], "when": {"kind": "one_class", "share": "1e-99999999"}}]},
            "clauses.0.when.share",
        ),
    ],
)
def test_each_mistake_is_named_by_its_place(changed: dict[str, Any], place: str) -> None:
    with pytest.raises(Invalid) as refusal:
        parse_budget_policy(document(**changed))
    assert place in refusal.value.fields


@pytest.mark.req("R-10-1")
def test_eight_thousand_of_thirty_six_thousand_in_one_incident_asks_for_a_postmortem() -> None:
    [found] = [one for one in judge(policy(), [spending(incidents=[cost(8_000)])], now=NOW) if one.clause == "EB2"]
    assert (found.verdict, found.subject, found.refs) == (Verdict.HOLDS, "INC-1", ("INC-1",))
    assert found.measured == Fraction(8_000, 36_000)
    assert "22.22 %" in found.why


@pytest.mark.parametrize(
    ("left", "verdict"),
    [(Fraction(1, 36_000), "does_not_hold"), (Fraction(0), "holds"), (Fraction(-1, 2), "holds"), (None, "unknown")],
)
def test_nothing_left_includes_the_line_and_what_is_unknown_is_not_judged(left: Any, verdict: str) -> None:
    assert verdicts(clause("remaining_at_most", share="0"), left=left) == [("", verdict)]


@pytest.mark.parametrize(("bad", "verdict"), [(7_200, [("", "does_not_hold")]), (7_201, [("INC-1", "holds")])])
def test_more_than_a_share_is_strict_for_one_incident(bad: int, verdict: list[tuple[str, str]]) -> None:
    assert verdicts(clause("one_incident", share="0.2"), incidents=[cost(bad)]) == verdict


def test_an_incident_before_the_period_is_not_counted_against_it() -> None:
    old = cost(30_000, began_at=NOW - 29 * DAY)
    assert verdicts(clause("one_incident", share="0.2"), incidents=[old]) == [("", "does_not_hold")]


@pytest.mark.parametrize(("bad", "verdict"), [(17_999, "does_not_hold"), (18_000, "holds")])
def test_half_within_a_week_includes_the_half(bad: int, verdict: str) -> None:
    assert verdicts(clause("depleted_within", share="0.5", days=7), bad_within={7: bad}) == [("", verdict)]


def test_incidents_of_one_class_add_up_over_the_quarter_and_their_age_counts() -> None:
    asked = clause("one_class", share="0.2", days=91)
    several = [
        cost(12_000, ref="INC-1", kind="software", began_at=NOW - 60 * DAY),
        cost(11_401, ref="INC-2", kind="software"),
        cost(23_400, ref="INC-3", kind="network"),
        cost(90_000, ref="INC-4", kind="hardware", began_at=NOW - 92 * DAY),
        cost(90_000, ref="INC-5", kind=""),
    ]
    [found] = judge(asked, [spending(incidents=several)], now=NOW)
    assert (found.verdict, found.subject, found.refs) == (Verdict.HOLDS, "software", ("INC-1", "INC-2"))
    assert found.measured == Fraction(23_401, 117_000)
    assert verdicts(asked, incidents=several[:1]) == [("", "does_not_hold")]


def test_only_what_came_through_a_dependency_counts_for_its_clause() -> None:
    asked = clause("dependency", share="0.2")
    assert verdicts(asked, incidents=[cost(9_000)]) == [("", "does_not_hold")]
    assert verdicts(asked, incidents=[cost(4_000, through=True), cost(3_201, ref="INC-2", through=True)]) == [
        ("", "holds")
    ]


def test_people_judge_what_no_number_says() -> None:
    assert verdicts(clause("by_people")) == [("", "people_judge")]


def finding(verdict: Verdict, subject: str = "", slo: str = "log-on") -> Finding:
    refs = (subject,) if subject.startswith("INC") else ("INC-7",)
    return Finding("X", slo, subject, verdict, None, "", refs)


def test_a_consequence_begins_when_its_condition_does_and_ends_with_it() -> None:
    standing = Standing("X", "log-on", "")
    assert changes([finding(Verdict.HOLDS)], [], []).begins == (finding(Verdict.HOLDS),)
    assert changes([finding(Verdict.HOLDS)], [standing], [standing]).begins == ()
    assert changes([finding(Verdict.DOES_NOT_HOLD)], [standing], [standing]).ends == (standing,)
    assert changes([finding(Verdict.HOLDS)], [], [standing]).begins == (finding(Verdict.HOLDS),)


def test_what_nobody_can_tell_ends_nothing() -> None:
    assert changes([finding(Verdict.UNKNOWN)], [Standing("X", "log-on", "INC-1")], []).ends == ()


def test_an_incident_is_told_of_once() -> None:
    told = Standing("X", "log-on", "INC-1")
    found = changes([finding(Verdict.HOLDS, "INC-1"), finding(Verdict.HOLDS, "INC-2")], [], [told])
    assert [one.subject for one in found.begins] == ["INC-2"]


def test_a_class_of_incidents_is_told_of_again_when_it_comes_back() -> None:
    told = Standing("X", "log-on", "software")
    assert len(changes([finding(Verdict.HOLDS, "software")], [], [told]).begins) == 1


def test_a_clause_that_was_taken_out_ends_its_consequence() -> None:
    assert changes([], [Standing("X", "log-on", "")], []).ends == (Standing("X", "log-on", ""),)


def test_three_releases_in_a_freeze_with_half_a_day_of_tax_are_four_and_a_half_days() -> None:
    assert thaw_days(3, Fraction(1, 2)) == Fraction(9, 2)
    assert thaw_days(0, Fraction(1, 2)) == 0
    with pytest.raises(Invalid):
        thaw_days(-1, Fraction(1, 2))


def test_the_review_is_due_on_its_day() -> None:
    read = policy(next_review="2027-05-23")
    assert [read.is_review_due(date(2027, 5, day)) for day in (22, 23, 24)] == [False, True, True]


@pytest.mark.parametrize(
    ("share", "text"),
    [("8000/36000", "22.22 %"), ("0", "0 %"), ("1/1000000", "under 0.01 %"), ("1", "100 %"), ("-3/2", "-150 %")],
)
def test_shares_read_as_percent(share: str, text: str) -> None:
    assert percent(Fraction(share)) == text
