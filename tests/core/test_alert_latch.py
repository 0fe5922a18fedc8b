from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.core.alert_latch import REASON_TEXTS, AlertState, Heat, Latch, Outcome, Reason, advance

START = datetime(2026, 1, 5, tzinfo=UTC)
PLAIN = Latch()
PATIENT = Latch(calm_for=timedelta(minutes=10), reopen_within=timedelta(minutes=60))
REMINDING = Latch(renotify_after=timedelta(minutes=120))


def minute(count: int) -> datetime:
    return START + timedelta(minutes=count)


@dataclass
class Story:
    """An alert led from tick to tick."""

    latch: Latch
    state: AlertState = field(default_factory=AlertState)

    def at(self, minutes: int, heat: Heat, *, covered: bool = False, grown_in: timedelta | None = None) -> Outcome:
        self.state, outcome = advance(
            self.state, heat, latch=self.latch, now=minute(minutes), covered=covered, grown_in=grown_in
        )
        return outcome

    def reason(self, minutes: int, heat: Heat, *, covered: bool = False) -> Reason:
        return self.at(minutes, heat, covered=covered).reason


def test_a_calm_start_is_quiet() -> None:
    assert Story(PLAIN).at(0, Heat.CALM) == Outcome(firing=False, notify=False, reason=Reason.QUIET)
    assert Story(PLAIN).at(0, Heat.LINGERING).reason is Reason.QUIET


def test_burning_opens_and_is_told_once() -> None:
    story = Story(PLAIN)
    assert story.at(0, Heat.BURNING) == Outcome(firing=True, notify=True, reason=Reason.OPENED)
    assert story.at(1, Heat.BURNING) == Outcome(firing=True, notify=False, reason=Reason.STILL_BURNING)
    assert story.state.opened_at == story.state.notified_at == minute(0)


def test_a_plain_latch_ends_at_the_first_calm_tick_and_tells_the_next_opening() -> None:
    story = Story(PLAIN)
    story.at(0, Heat.BURNING)
    assert story.at(1, Heat.CALM) == Outcome(firing=False, notify=False, reason=Reason.CALM)
    assert story.state.closed_at == minute(1)
    assert story.at(2, Heat.BURNING).notify


def test_a_patient_latch_ends_when_calm_has_lasted() -> None:
    story = Story(PATIENT)
    story.at(0, Heat.BURNING)
    assert story.reason(1, Heat.CALM) is Reason.CALMING
    assert story.state.due_at == minute(11)
    assert story.at(10, Heat.CALM).firing
    assert story.reason(11, Heat.CALM) is Reason.CALM


def test_anything_but_calm_starts_the_calm_time_anew() -> None:
    for disturbance in (Heat.BURNING, Heat.LINGERING, Heat.NO_DATA):
        story = Story(PATIENT)
        story.at(0, Heat.BURNING)
        story.at(1, Heat.CALM)
        story.at(5, disturbance)
        assert story.reason(6, Heat.CALM) is Reason.CALMING
        assert story.at(15, Heat.CALM).firing
        assert not story.at(16, Heat.CALM).firing


def test_a_recurrence_within_the_hour_reopens_without_telling() -> None:
    story = Story(PATIENT)
    story.at(0, Heat.BURNING)
    story.at(1, Heat.CALM)
    story.at(11, Heat.CALM)
    assert story.at(70, Heat.BURNING) == Outcome(firing=True, notify=False, reason=Reason.REOPENED)
    assert story.state.opened_at == minute(0)


def test_a_recurrence_after_the_hour_is_a_new_story() -> None:
    story = Story(PATIENT)
    story.at(0, Heat.BURNING)
    story.at(1, Heat.CALM)
    story.at(11, Heat.CALM)
    assert story.reason(71, Heat.BURNING) is Reason.OPENED
    assert story.state.opened_at == minute(71)


def test_people_are_reminded_while_it_burns() -> None:
    story = Story(REMINDING)
    story.at(0, Heat.BURNING)
    assert story.reason(119, Heat.BURNING) is Reason.STILL_BURNING
    assert story.at(120, Heat.BURNING) == Outcome(firing=True, notify=True, reason=Reason.RENOTIFIED)
    assert story.state.due_at == minute(240)


def test_a_short_calm_does_not_shorten_the_quiet_time() -> None:
    story = Story(REMINDING)
    story.at(0, Heat.BURNING)
    story.at(5, Heat.CALM)
    assert story.reason(10, Heat.BURNING) is Reason.REOPENED
    assert story.at(120, Heat.BURNING).notify


HOUR = timedelta(hours=1)


def test_growth_is_told_when_it_lies_wholly_after_what_people_know() -> None:
    story = Story(PATIENT)
    story.at(0, Heat.BURNING, grown_in=HOUR)
    assert story.at(59, Heat.BURNING, grown_in=HOUR).reason is Reason.STILL_BURNING
    assert story.state.due_at == minute(60)
    told = story.at(60, Heat.LINGERING, grown_in=HOUR)
    assert told == Outcome(firing=True, notify=True, reason=Reason.GROWN, grown_in=HOUR)
    assert story.state.notified_at == minute(60)
    assert not story.at(61, Heat.BURNING, grown_in=HOUR).notify


@pytest.mark.parametrize("heat", [Heat.CALM, Heat.NO_DATA])
def test_what_is_calm_or_unknown_has_not_grown(heat: Heat) -> None:
    story = Story(PATIENT)
    story.at(0, Heat.BURNING)
    assert not story.at(90, heat, grown_in=HOUR).notify


def test_growth_opens_nothing_and_what_a_stronger_alert_speaks_for_has_none() -> None:
    story = Story(PATIENT)
    assert story.at(0, Heat.CALM, grown_in=HOUR) == Outcome(firing=False, notify=False, reason=Reason.QUIET)
    covered = Story(PLAIN)
    covered.at(0, Heat.BURNING)
    assert covered.at(60, Heat.BURNING, grown_in=HOUR, covered=True).reason is Reason.COVERED


@given(heats=st.lists(st.sampled_from(Heat), max_size=60), grown=st.integers(1, 90))
def test_between_growth_and_what_people_knew_lies_the_time_it_took(heats: list[Heat], grown: int) -> None:
    story, told_at = Story(PATIENT), None
    for place, heat in enumerate(heats):
        outcome = story.at(place * 5, heat, grown_in=timedelta(minutes=grown))
        if outcome.reason is Reason.GROWN:
            assert told_at is not None
            assert place * 5 - told_at >= grown
        if outcome.notify:
            told_at = place * 5


def test_no_data_neither_opens_nor_ends_an_alert() -> None:
    story = Story(PLAIN)
    assert story.at(0, Heat.NO_DATA) == Outcome(firing=False, notify=False, reason=Reason.NO_DATA)
    story.at(1, Heat.BURNING)
    assert story.at(2, Heat.NO_DATA) == Outcome(firing=True, notify=False, reason=Reason.NO_DATA)
    assert story.reason(3, Heat.BURNING) is Reason.STILL_BURNING


@pytest.mark.req("R-9.2.11-8")
def test_an_alert_under_a_stronger_one_is_told_when_that_ends() -> None:
    story = Story(PLAIN)
    assert story.at(0, Heat.BURNING, covered=True) == Outcome(firing=True, notify=False, reason=Reason.COVERED)
    assert not story.at(1, Heat.BURNING, covered=True).notify
    assert story.at(2, Heat.BURNING) == Outcome(firing=True, notify=True, reason=Reason.OPENED)


def test_an_alert_that_yields_for_good_is_not_told_later() -> None:
    story = Story(Latch(yields_for_good=True))
    story.at(0, Heat.BURNING, covered=True)
    assert story.reason(1, Heat.BURNING) is Reason.STILL_BURNING


def test_every_reason_has_a_text() -> None:
    assert set(REASON_TEXTS) == set(Reason)


latches = st.sampled_from(
    [PLAIN, PATIENT, REMINDING, Latch(timedelta(minutes=7), timedelta(minutes=9), timedelta(minutes=13))]
)
heats = st.lists(st.sampled_from(Heat), max_size=80)


@given(latch=latches, ticks=heats)
def test_who_is_told_is_told_of_something_firing(latch: Latch, ticks: list[Heat]) -> None:
    story = Story(latch)
    for now, heat in enumerate(ticks):
        outcome = story.at(now, heat)
        assert outcome.firing or not outcome.notify
        assert outcome.firing is story.state.firing


@given(latch=latches, ticks=st.lists(st.tuples(st.sampled_from(Heat), st.sampled_from([None, 1, 4])), max_size=80))
def test_before_it_is_due_the_same_heat_changes_nothing(latch: Latch, ticks: list[tuple[Heat, int | None]]) -> None:
    story = Story(latch)
    for now, (heat, grown) in enumerate(ticks):
        grown_in = None if grown is None else timedelta(minutes=grown)
        story.at(now, heat, grown_in=grown_in)
        later = minute(now) + timedelta(seconds=30)
        if story.state.due_at is not None and grown is not None:
            later = max(later, story.state.due_at - timedelta(seconds=1))
        if story.state.due_at is None or later < story.state.due_at:
            state, outcome = advance(story.state, heat, latch=latch, now=later, grown_in=grown_in)
            assert (state, outcome.notify, outcome.firing) == (story.state, False, story.state.firing)


@given(latch=latches, ticks=heats)
def test_a_state_survives_json(latch: Latch, ticks: list[Heat]) -> None:
    story = Story(latch)
    for now, heat in enumerate(ticks):
        story.at(now, heat)
    assert AlertState.from_json(story.state.as_json()) == story.state


def led(latch: Latch, ticks: list[Heat]) -> tuple[list[Outcome], list[AlertState]]:
    story = Story(latch)
    outcomes, states = [], []
    for now, heat in enumerate(ticks):
        outcomes.append(story.at(now, heat))
        states.append(story.state)
    return outcomes, states


@given(latch=latches, ticks=heats)
def test_an_alert_that_fires_ends_only_after_the_calm_time_without_a_break(latch: Latch, ticks: list[Heat]) -> None:
    outcomes, _ = led(latch, ticks)
    calm = latch.calm_for // timedelta(minutes=1)
    for at in range(1, len(ticks)):
        if outcomes[at - 1].firing and not outcomes[at].firing:
            assert ticks[at - calm : at + 1] == [Heat.CALM] * (calm + 1)


@given(latch=latches, ticks=heats)
def test_what_only_lingers_neither_opens_nor_ends(latch: Latch, ticks: list[Heat]) -> None:
    outcomes, _ = led(latch, ticks)
    for at in range(1, len(ticks)):
        if ticks[at] in {Heat.LINGERING, Heat.NO_DATA}:
            assert outcomes[at].firing == outcomes[at - 1].firing
            assert not outcomes[at].notify


@given(latch=latches, ticks=heats)
def test_between_two_openings_that_people_are_told_lies_the_reopening_time(latch: Latch, ticks: list[Heat]) -> None:
    outcomes, states = led(latch, ticks)
    opened = [at for at, outcome in enumerate(outcomes) if outcome.reason is Reason.OPENED and outcome.notify]
    for at in opened[1:]:
        closed = states[at - 1].closed_at
        assert closed is not None
        assert latch.reopen_within is None or minute(at) - closed >= latch.reopen_within
        assert (
            latch.renotify_after is None or minute(at) - (states[at - 1].notified_at or START) >= latch.renotify_after
        )


@given(latch=latches, ticks=heats)
def test_people_are_told_at_most_once_for_each_stretch_of_firing_without_reminders(
    latch: Latch, ticks: list[Heat]
) -> None:
    outcomes, _ = led(replace(latch, renotify_after=None), ticks)
    told = 0
    for outcome in outcomes:
        told = told + outcome.notify if outcome.firing else 0
        assert told <= 1
