"""Pictures are small, say their finding, escape what people wrote, and never draw the unknown as good."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tocsin.core.on_call_now import Schedule
from tocsin.core.overrides import Override
from tocsin.core.rotations import Layer, Rotation, Unit
from tocsin.web.instants import clock_text, countdown_text, span_text, zone_name
from tocsin.web.pictures import burn_down, burn_rate, drawing, on_call_calendar, rosters, small
from tocsin.web.pictures.burn_down import BreachMark, BurnDown, Level
from tocsin.web.pictures.burn_rate import BurnRate, Rate

NOW = datetime(2026, 11, 23, 2, 12, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def falling(*, left: float | None = 0.18, exhausts_at: datetime | None = None, **more: object) -> BurnDown:
    """Four weeks from full to `left`, a point an hour."""
    start, hours = NOW - 28 * DAY, 28 * 24
    end = 1.0 if left is None else left
    levels = [Level(start + n * HOUR, 1 - (1 - end) * n / hours) for n in range(hours)]
    facts: dict[str, object] = {
        "label": "People can log on",
        "starts_at": start,
        "ends_at": NOW + 7 * DAY,
        "even_until": NOW,
        "now": NOW,
        "zone": BERLIN,
        "levels": [*levels, Level(NOW, left)],
        "exhausts_at": exhausts_at,
        **more,
    }
    return BurnDown(**facts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("facts", "finding"),
    [
        (falling(exhausts_at=NOW + 11 * DAY), "18% of the budget left, gone on Fri 4 Dec at this rate"),
        (falling(exhausts_at=NOW + 2 * HOUR), "18% of the budget left, gone at 05:12 CET at this rate"),
        (falling(), "18% of the budget left, not gone within this window"),
        (falling(left=0.004), "0.4% of the budget left, not gone within this window"),
        (falling(left=-0.25), "overspent by 25%"),
        (falling(left=0.0), "0% of the budget left"),
        (falling(left=None), "no data, so we cannot tell how much budget is left"),
    ],
)
def test_the_title_of_a_burn_down_is_its_finding(facts: BurnDown, finding: str) -> None:
    drawn = burn_down.burn_down(facts)
    assert drawn.finding == f"People can log on: {finding}"
    assert f'aria-label="{drawn.finding}"' in drawn.desk


def test_a_burn_down_stays_under_thirty_kilobytes_whatever_the_series() -> None:
    marks = [BreachMark(NOW - n * HOUR, 1 + n % 4, "set", "38% failed") for n in range(500)]
    drawn = burn_down.burn_down(falling(breaches=marks, exhausts_at=NOW + DAY, cone=(NOW + HOUR, NOW + 5 * DAY)))
    assert len(drawn.desk) < 30_000
    assert len(drawn.phone) < 30_000


def test_a_stretch_without_data_is_hatched_and_cuts_the_line() -> None:
    facts = falling()
    holed = [Level(one.at, None) if NOW - 9 * DAY < one.at < NOW - 7 * DAY else one for one in facts.levels]
    drawn = burn_down.burn_down(replace(facts, levels=holed)).desk
    assert "<title>No data</title>" in drawn
    assert drawn.count('class="line-1"') == 2


def test_the_table_of_a_burn_down_holds_the_same_last_level() -> None:
    table = burn_down.burn_down(falling()).table
    assert table.head[0] == "Day (CET)"
    assert table.rows[-1][:2] == ("2026-11-23", "18.0%")


def test_an_overspent_budget_goes_below_zero_with_a_minus() -> None:
    drawn = burn_down.burn_down(falling(left=-0.25)).desk
    assert "-27%</text>" in drawn, "the floor leaves a little room below the line"
    assert 'class="zone-below"' in drawn


def test_what_people_wrote_stays_text_in_a_picture() -> None:
    mark = BreachMark(NOW - DAY, 1, "set", "<script>alert(1)</script>")
    drawn = burn_down.burn_down(falling(label='"><script>', breaches=[mark]))
    assert "<script" not in drawn.desk + drawn.phone


@pytest.mark.parametrize(
    ("word", "finding"),
    [
        ("Burning", "Burning: both windows are over 13.4x"),
        ("Rising", "Rising: the last 5 min are over 13.4x, the last 1 h not yet"),
        ("Recovering", "Recovering: the last 5 min are back under 13.4x"),
        ("Fine", "Fine: both windows are under 13.4x"),
        ("Unknown", "No data, so we cannot tell whether it burns"),
    ],
)
def test_the_title_of_a_burn_rate_is_its_state_in_a_word(word: str, finding: str) -> None:
    assert burn_rate.burn_rate(rates(word)).finding == finding


def rates(word: str = "Fine", long: float | None = 380.0) -> BurnRate:
    points = [Rate(NOW - (180 - n) * timedelta(minutes=1), 0.3, 0.3, "Fine") for n in range(180)]
    return BurnRate(
        label="People can log on",
        rates=[*points, Rate(NOW, long, long, word)],
        threshold=13.44,
        short_window=timedelta(minutes=5),
        long_window=HOUR,
        period=28 * DAY,
        now=NOW,
        zone=BERLIN,
    )


def test_a_burn_rate_is_told_as_how_long_the_budget_lasts() -> None:
    assert (
        burn_rate.burn_rate(rates("Burning", 28.0)).reading == "Now 28x over 1 h: at this rate a full budget lasts 1 d."
    )
    assert burn_rate.burn_rate(rates("Fine", 0.5)).reading == "Now 0.5x over 1 h: within the budget."


def test_a_burn_too_small_to_reckon_with_is_within_the_budget() -> None:
    assert burn_rate.burn_rate(rates("Fine", 5e-324)).reading.endswith("over 1 h: within the budget.")


def test_only_the_stretch_where_both_windows_are_over_is_shaded() -> None:
    facts = rates("Burning")
    assert burn_rate.burn_rate(facts).desk.count('class="over"') == 1
    assert burn_rate.burn_rate(rates("Rising")).desk.count('class="over"') == 0


def test_where_the_pair_spoke_and_fell_silent_is_named_with_its_time() -> None:
    calm = rates()
    burnt = [replace(one, word="Burning") if 60 <= n < 80 else one for n, one in enumerate(calm.rates)]
    drawn = burn_rate.burn_rate(replace(calm, rates=burnt))
    began, ended = (burnt[n].at.astimezone(BERLIN) for n in (60, 80))
    for shape in (drawn.desk, drawn.phone):
        assert f">page {began:%H:%M}<" in shape
        assert f">stops {ended:%H:%M}<" in shape
    assert ">stops" not in burn_rate.burn_rate(rates("Burning")).desk
    assert ">ticket " in burn_rate.burn_rate(replace(calm, rates=burnt, urgency="tickets")).desk


def test_many_short_burns_are_shaded_without_words() -> None:
    calm = rates()
    often = [replace(one, word="Burning") if n % 20 == 5 else one for n, one in enumerate(calm.rates)]
    drawn = burn_rate.burn_rate(replace(calm, rates=often)).desk
    assert drawn.count('class="over"') == 9
    assert ">page " not in drawn


def schedule(*overrides: Override, until_at: datetime | None = None) -> Schedule:
    monday = datetime(2026, 10, 19, 7, tzinfo=UTC)
    layer = Layer("weekly", monday, "Europe/Berlin", Rotation(Unit.WEEK), (("ada",), ("ben",)), until_at)
    return Schedule("primary", "Europe/Berlin", (layer,), overrides)


VIEWER = rosters.Viewer(username="ada", names={"ada": "Ada", "ben": "Ben"}, zone=BERLIN)


def drawn_calendar(plan: Schedule, now: datetime = NOW) -> drawing.Picture:
    start, end = rosters.midnight(now, BERLIN), rosters.midnight(now, BERLIN, days=14)
    lane = rosters.lane("primary", plan, VIEWER, start=start, end=end)
    return on_call_calendar.calendar(
        on_call_calendar.Calendar(lanes=[lane], starts_at=start, days=14, now=now, zone=BERLIN)
    )


def test_a_calendar_without_a_gap_says_so() -> None:
    assert drawn_calendar(schedule()).finding == "Next 14 days: somebody is always on call"


def test_a_gap_is_striped_and_named_with_its_time_and_length() -> None:
    drawn = drawn_calendar(schedule(until_at=NOW + 13 * DAY))
    assert "one gap; the first is primary, Sun 6 Dec 03:12 CET, for 20 h" in drawn.finding
    assert "url(#calendar)" in drawn.desk


def test_a_gap_that_is_over_is_no_gap_any_more() -> None:
    begins = replace(schedule().layers[0], start_at=NOW - timedelta(minutes=30))
    assert drawn_calendar(replace(schedule(), layers=(begins,))).finding.endswith("somebody is always on call")


def test_a_cover_is_dashed_and_counted() -> None:
    drawn = drawn_calendar(schedule(Override(NOW + DAY, NOW + DAY + 9 * HOUR, ("ben",))))
    assert "1 covered" in drawn.finding
    assert drawn.desk.count("shift-override") == 1


def test_my_own_shifts_are_marked_and_called_mine() -> None:
    assert "shift-mine" in drawn_calendar(schedule()).desk
    assert "Ada (you)" in drawn_calendar(schedule()).desk


def test_a_day_of_a_clock_change_is_an_hour_longer_on_the_calendar() -> None:
    start = rosters.midnight(datetime(2026, 10, 24, 12, tzinfo=UTC), BERLIN)
    days = [rosters.midnight(start, BERLIN, days=n) for n in range(3)]
    assert [(days[n + 1] - days[n]) / HOUR for n in range(2)] == [24, 25]


def test_the_agenda_names_only_days_on_which_something_changes() -> None:
    start, end = rosters.midnight(NOW, BERLIN), rosters.midnight(NOW, BERLIN, days=14)
    lane = rosters.lane("primary", schedule(), VIEWER, start=start, end=end)
    assert [day.day for day in rosters.agenda([lane], BERLIN)] == [date(2026, 11, 23), date(2026, 11, 30)]


def test_now_and_next_of_a_rotation() -> None:
    duty = rosters.duty(schedule(), VIEWER, now=NOW)
    assert (duty.people, duty.mine) == (("Ada (you)",), True)
    assert duty.next_people == ("Ben",)


def test_a_strip_hatches_days_without_data() -> None:
    days = [small.Day(date(2026, 11, 1), "unknown", "no data"), small.Day(date(2026, 11, 2), "good", "99.9% good")]
    drawn = small.day_strip(days, "Last 2 days", ident="strip")
    assert drawn.count("url(#strip)") == 1
    assert "01 Nov: no data" in drawn


@pytest.mark.parametrize(
    ("rank", "state", "digit"),
    [(1, "set", "1"), (2, "set", "2"), (3, "set", "3"), (4, "set", "4"), (None, "unset", "?")],
)
def test_every_priority_has_a_shape_and_its_digit(rank: int | None, state: str, digit: str) -> None:
    drawn = drawing.priority_mark(12, 12, rank, state)
    assert f">{digit}</text>" in drawn


def test_the_shapes_of_the_first_three_priorities_differ() -> None:
    outlines = {drawing.priority_mark(0, 0, rank).split(" class")[0] for rank in (1, 2, 3)}
    assert len(outlines) == 3


def test_an_instant_carries_its_zone_and_its_day_when_it_is_another_one() -> None:
    assert clock_text(NOW, BERLIN, now=NOW) == "03:12 CET"
    assert clock_text(NOW - DAY, BERLIN, now=NOW) == "Sun 22 Nov 03:12 CET"
    assert clock_text(NOW.replace(year=2025), BERLIN, now=NOW) == "Sun 23 Nov 2025 03:12 CET"
    assert zone_name(NOW, ZoneInfo("Asia/Kathmandu")) == "UTC+05:45"


def test_spans_are_told_in_two_units_at_most() -> None:
    spans = [timedelta(seconds=45), timedelta(minutes=106), timedelta(hours=76), timedelta(days=28)]
    assert [span_text(span) for span in spans] == ["45 s", "1 h 46 min", "3 d 4 h", "28 d"]
    assert countdown_text(NOW - timedelta(minutes=12), now=NOW) == "12 min late"
