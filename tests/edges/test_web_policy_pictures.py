"""The pictures of an error budget policy: their findings, their lines and marks, small and whole whatever the data."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.edges.test_web_wiring_map import HOSTILE, inside
from tocsin.core.error_budget_policy import Verdict
from tocsin.web.pictures import alone
from tocsin.web.pictures.burn_down import Level
from tocsin.web.pictures.policy_budgets import Budget, Line, PolicyBudgets, Turn, coarse, policy_budgets
from tocsin.web.pictures.policy_decisions import Lane, PolicyDecisions, Span, policy_decisions

NOW = datetime(2026, 11, 23, 2, 12, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
START = NOW - 28 * DAY

names = st.text(max_size=80) | st.sampled_from(HOSTILE)
shares = st.none() | st.floats(-50, 1, allow_nan=False)
moments = st.integers(-60 * 24, 0).map(lambda hours: NOW + hours * HOUR)


@st.composite
def budgets(draw: st.DrawFn) -> PolicyBudgets:
    series = draw(st.lists(shares, max_size=30)) * draw(st.sampled_from([1, 25]))
    levels = [Level(START + 28 * DAY * place / max(len(series), 1), left) for place, left in enumerate(series)]
    turn = st.builds(Turn, moments, names, st.booleans(), names)
    one = st.builds(
        lambda label, left, turns, codes: Budget(
            label=label, starts_at=START, left=left, levels=levels, turns=turns, in_force=codes
        ),
        names,
        shares,
        st.lists(turn, max_size=30),
        st.lists(names, max_size=3),
    )
    lines = draw(st.lists(st.builds(Line, st.floats(0, 1), names), max_size=8))
    found = draw(st.lists(one, min_size=1, max_size=4)) * draw(st.sampled_from([1, 9]))
    return PolicyBudgets(budgets=found, lines=lines, now=NOW, zone=BERLIN)


@st.composite
def decisions(draw: st.DrawFn) -> PolicyDecisions:
    span = st.builds(
        lambda slo, began, hours: Span(slo, began, None if hours is None else min(began + hours * HOUR, NOW)),
        names,
        moments,
        st.none() | st.integers(0, 900),
    )
    lane = st.builds(
        lambda code, consequence, verdict, spans: Lane(
            code=code, consequence=consequence, verdict=verdict, spans=spans
        ),
        names,
        names,
        st.sampled_from(list(Verdict)),
        st.lists(span, max_size=40),
    )
    return PolicyDecisions(
        lanes=draw(st.lists(lane, max_size=5)) * draw(st.sampled_from([1, 8])),
        starts_at=draw(st.sampled_from([START, NOW])),
        now=NOW,
        zone=BERLIN,
        next_review=draw(st.dates(date(2020, 1, 1), date(2040, 1, 1))),
        today=NOW.date(),
    )


@settings(max_examples=80, deadline=None)
@given(budgets())
def test_any_budgets_are_a_whole_small_picture_inside_its_box(facts: PolicyBudgets) -> None:
    drawn = policy_budgets(facts)
    for svg in (drawn.desk, drawn.phone):
        assert len(svg.encode()) < 30_000
        inside(svg)
        assert "<script" not in svg
    assert len(drawn.table.rows) == len(facts.budgets)


@settings(max_examples=80, deadline=None)
@given(decisions())
def test_any_decisions_are_a_whole_small_picture_inside_its_box(facts: PolicyDecisions) -> None:
    drawn = policy_decisions(facts)
    for svg in (drawn.desk, drawn.phone):
        assert len(svg.encode()) < 30_000
        inside(svg)
        assert "<script" not in svg
    assert len(drawn.table.rows) == len(facts.lanes)


def test_the_most_crowded_policy_is_a_small_picture() -> None:
    spans = [Span("&" * 80, START + place * HOUR, START + (place + 9) * HOUR) for place in range(40)]
    lane = Lane(code="<" * 80, consequence='"' * 80, verdict=Verdict.UNKNOWN, spans=spans)
    review = date(2030, 1, 1)
    facts = PolicyDecisions(
        lanes=[lane] * 24, starts_at=START, now=NOW, zone=BERLIN, next_review=review, today=NOW.date()
    )
    drawn = policy_decisions(facts)
    assert max(len(svg.encode()) for svg in (drawn.desk, drawn.phone)) < 30_000
    few = policy_decisions(replace(facts, lanes=[lane]))
    assert few.desk.count('class="held"') == 24


def budget(label: str, left: float | None, *turns: Turn) -> Budget:
    end = 1.0 if left is None else left
    levels = [Level(START + hour * HOUR, 1 - (1 - end) * hour / 672) for hour in range(672)]
    return Budget(
        label=label,
        starts_at=START,
        left=left,
        levels=[*levels, Level(NOW, left)],
        turns=turns,
        in_force=[turn.code for turn in turns if turn.began],
    )


def agreed(*found: Budget, lines: tuple[Line, ...] = (Line(0.2, "EB1"),)) -> PolicyBudgets:
    return PolicyBudgets(budgets=found, lines=lines, now=NOW, zone=BERLIN)


@pytest.mark.parametrize(
    ("facts", "finding"),
    [
        (agreed(budget("Log-on", 0.18), budget("Sales", 0.9)), "Log-on: 18% left, so EB1 holds"),
        (agreed(budget("Log-on", -0.3)), "Log-on: overspent by 30%, so EB1 holds"),
        (agreed(budget("A", 0.1), budget("B", 0.2)), "2 of 2 budgets are at or under a line of the policy"),
        (agreed(budget("A", 0.21)), "Every budget is above the lines of the policy"),
        (
            agreed(budget("A", 0.5), budget("B", None)),
            "Every budget that is known is above the lines of the policy; 1 of 2 unknown",
        ),
        (agreed(budget("A", None)), "Nothing is known of any budget, so nobody can tell what holds"),
        (agreed(budget("A", 0.5), budget("B", 0.4), lines=()), "The lowest budget is that of B: 40% left"),
    ],
)
def test_the_title_of_the_budgets_is_their_finding(facts: PolicyBudgets, finding: str) -> None:
    drawn = policy_budgets(facts)
    assert drawn.finding == finding
    ET.fromstring(alone.standalone(drawn.phone, finding, theme="dark"))  # noqa: S314 - we drew it


def test_a_plot_has_its_lines_and_says_where_a_consequence_began_and_ended() -> None:
    turns = (
        Turn(NOW - 9 * DAY, "EB1", True, "EB1 began on Sat"),
        Turn(NOW - 2 * DAY, "EB1", False, "EB1 ended on Sat"),
    )
    svg = policy_budgets(agreed(budget("Log-on", 0.18, *turns))).desk
    assert svg.count('class="threshold"') == 1
    assert ">EB1 20%<" in svg
    assert "<title>EB1 began on Sat</title>▼EB1" in svg
    assert "<title>EB1 ended on Sat</title>△EB1" in svg


def test_one_unknown_hour_stays_unknown_however_coarse_the_picture() -> None:
    levels = [Level(START + hour * HOUR, None if hour == 300 else 0.9) for hour in range(672)]
    for most in (120, 20, 2):
        found = coarse(levels, most)
        assert len(found) <= most
        assert any(one.left is None for one in found)


def lane(code: str, *spans: Span, verdict: Verdict = Verdict.DOES_NOT_HOLD) -> Lane:
    return Lane(code=code, consequence="Freeze releases", verdict=verdict, spans=spans)


def decided(*lanes: Lane, review: date = date(2027, 1, 4)) -> PolicyDecisions:
    return PolicyDecisions(
        lanes=lanes, starts_at=START, now=NOW, zone=BERLIN, next_review=review, today=date(2026, 11, 23)
    )


OPEN = Span("Log-on", NOW - 9 * DAY, None)
OVER = Span("Log-on", NOW - 20 * DAY, NOW - 15 * DAY)


@pytest.mark.parametrize(
    ("facts", "finding"),
    [
        (decided(lane("EB1", OPEN)), "EB1 is in force since Sat 14 Nov; next review 4 Jan 2027, in 42 days"),
        (decided(lane("EB1", OVER)), "No consequence is in force; next review 4 Jan 2027, in 42 days"),
        (
            decided(lane("EB1", OPEN), lane("EB2", OPEN), lane("EB3"), review=date(2026, 11, 24)),
            "2 of 3 clauses are in force, EB1 since Sat 14 Nov; next review 24 Nov 2026, in 1 day",
        ),
        (
            decided(lane("EB1"), review=date(2026, 11, 1)),
            "No consequence is in force; the review was due on 1 Nov 2026",
        ),
    ],
)
def test_the_title_of_the_strip_says_what_holds_since_when_and_the_next_review(
    facts: PolicyDecisions, finding: str
) -> None:
    assert policy_decisions(facts).finding == finding


def test_the_strip_tells_in_force_over_and_unknown_apart_without_colour() -> None:
    facts = decided(
        lane("EB1", OPEN, OVER),
        lane("EB2", verdict=Verdict.UNKNOWN),
        lane("EB3", OVER, verdict=Verdict.HOLDS),
        lane("EB4", verdict=Verdict.PEOPLE_JUDGE),
    )
    svg = policy_decisions(facts).desk
    for said in ("since Sat 14 Nov", ">unknown<", ">dealt with<", ">people judge<"):
        assert said in svg
    assert svg.count('class="cell-bad"') == 1
    assert svg.count('class="held"') == 2
    assert svg.count("Nobody can tell now") == 1
    assert policy_decisions(facts).table.rows[0][2:4] == ("Log-on", "once, last until Sun 8 Nov")
