"""Consumers' views on the priority of a provider's SLO: who says what, who decides, how one copes, what is kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.domains import slo_worlds, worlds
from tocsin.audit import queries as audit
from tocsin.audit.models import Entry
from tocsin.core.access import SYSTEM, Actor
from tocsin.core.errors import Invalid, NotAllowed, NotFound, Refused
from tocsin.core.facts import Kind
from tocsin.process import actions as process
from tocsin.process.models import StakeholderGroup
from tocsin.slo import actions, queries
from tocsin.slo.actions import Said
from tocsin.slo.models import BreachSubscription, ConsumerView, SessionOutcome, ViewAnswer, ViewRound

pytestmark = pytest.mark.django_db

NOW = worlds.NOW
LATER = NOW + timedelta(days=7)
SLO = "notify-availability"
DEGRADED = {"strategy": "adaptive_capacity", "degrades_to": "The order number is shown on screen."}


@pytest.fixture(autouse=True)
def house() -> None:
    """Notifications rates its SLO 2; the shop's checkout and the support desk depend on it."""
    worlds.process()
    worlds.person("mona", in_team="notifications", is_owner=True)
    worlds.person("nico", in_team="notifications")
    worlds.person("sia", in_team="shop", is_owner=True)
    worlds.person("otto", in_team="other")
    worlds.service("notifications", of_team="notifications")
    worlds.service("checkout", of_team="shop", depends_on=["notifications"])
    slo_worlds.objective(SLO, service="notifications", display_name="People get notified")
    actions.assign_priority(SYSTEM, objective=SLO, decision="set", priority=2, groups=["customer-support"], now=NOW)
    process.add_group_member(SYSTEM, group="customer-support", email="mona@harbor.example", now=NOW)


def say(consumer: str, priority: int | None, *, by: str = "sia", at: datetime = NOW, **more: Any) -> ConsumerView:
    decision = "none" if priority is None else "set"
    said = Said(decision=decision, priority=priority, reason=more.pop("reason", "Orders wait for it."), **more)
    return actions.state_view(worlds.actor(by), slo=SLO, consumer=consumer, said=said, now=at)


def row() -> queries.FeedbackRow:
    [found] = queries.feedback(SYSTEM, at=LATER)
    return found


@pytest.mark.req("R-9.2.8-1")
def test_the_sample_row_loads_and_spans_two_levels() -> None:
    say("service:checkout", 1)
    say("group:customer-support", 3, by="mona")
    found = row()
    assert found.assignment is not None
    assert found.assignment.priority == 2
    assert {view.consumer: view.priority for view in found.views} == {
        "service:checkout": 1,
        "group:customer-support": 3,
    }
    assert found.spread == 2


@pytest.mark.req("R-9.2.8-2")
def test_divergences_come_largest_first_and_flag_who_sees_it_as_more_urgent() -> None:
    say("service:checkout", 1)
    say("group:customer-support", 3, by="mona")
    flags = [(one.view.key, one.flagged) for one in row().divergences]
    assert flags == [("service:checkout", True), ("group:customer-support", False)]
    say("group:customer-support", None, by="mona", at=LATER)
    assert [(one.view.key, one.levels) for one in row().divergences] == [
        ("group:customer-support", -3),
        ("service:checkout", 1),
    ]
    report = queries.gaps(SYSTEM, at=LATER)
    assert list(report.by_provider) == ["notifications"]
    assert report.total == 2


def close(by: str | Actor = "mona", **more: Any) -> ViewRound:
    who = worlds.actor(by) if isinstance(by, str) else by
    more.setdefault("answers", {"service:checkout": "We build a second way out by spring."})
    return actions.close_round(who, slo=SLO, rationale=more.pop("rationale", "Most can wait."), now=LATER, **more)


@pytest.mark.req("R-9.2.8-3")
@pytest.mark.parametrize("by", ["sia", "otto", "ada"])
def test_only_a_member_of_the_providers_team_closes_a_round(by: str) -> None:
    say("service:checkout", 1)
    who = worlds.administrator() if by == "ada" else worlds.actor(by)
    with pytest.raises(NotAllowed, match="is with"):
        close(who)
    with pytest.raises(NotAllowed):
        close(SYSTEM)
    assert not ViewRound.objects.exists()
    found = close("nico")
    assert (found.number, found.priority, found.rationale, found.closed_by) == (1, 2, "Most can wait.", "nico")
    assert close("mona").number == 2
    assert row().round_number == 3
    kept = Entry.objects.filter(kind=Kind.CONSUMER_ROUND_CLOSED).latest("seq").data
    assert kept is not None
    assert (kept["round"], kept["rationale"]) == (2, "Most can wait.")
    assert audit.verify().ok


def test_a_round_answers_everybody_who_sees_it_otherwise() -> None:
    say("service:checkout", 1)
    with pytest.raises(Invalid) as refused:
        close(answers={"service:checkout": " "}, rationale=" ")
    assert set(refused.value.fields) == {"rationale", "answers.service:checkout"}
    assert not ViewRound.objects.exists()
    close()
    [answer] = ViewAnswer.objects.all()
    assert (answer.view.consumer, answer.levels, answer.text) == (
        "service:checkout",
        1,
        "We build a second way out by spring.",
    )


def test_the_provider_may_follow_its_consumers_and_then_owes_no_answer() -> None:
    say("service:checkout", 1)
    found = close(decision="set", priority=1, answers={}, rationale="Orders wait for it; we had not seen that.")
    assert found.priority == 1
    held = queries.assignment_at(found.objective, LATER)
    assert held is not None
    assert (held.priority, held.reason) == (1, "Orders wait for it; we had not seen that.")
    assert [group.code for group in held.groups.all()] == ["customer-support"]
    assert row().divergences == ()


def test_a_member_who_may_not_assign_priorities_changes_none_and_nothing_is_left_half_done() -> None:
    say("service:checkout", 1)
    reader = replace(worlds.actor("nico"), owned_teams=frozenset())
    with pytest.raises(NotAllowed):
        close(reader, decision="set", priority=1, answers={})
    assert not ViewRound.objects.exists()
    assert queries.assignment_at(row().objective, LATER).priority == 2  # type: ignore[union-attr]


def test_a_round_needs_a_decision_to_give_reasons_for() -> None:
    actions.withdraw_priority(SYSTEM, objective=SLO, reason="", now=NOW + timedelta(hours=1))
    say("service:checkout", 1)
    with pytest.raises(Invalid, match="Nobody has decided"):
        close()
    assert [one.slo for one in queries.gaps(SYSTEM, at=LATER).undecided] == [SLO]


@pytest.mark.req("R-9.2.8-4")
def test_a_strategy_is_recorded_for_each_consumer_and_an_own_group_is_subscribed() -> None:
    view = say("service:checkout", 1, **DEGRADED)
    assert (view.strategy, view.degrades_to) == ("adaptive_capacity", DEGRADED["degrades_to"])
    assert not BreachSubscription.objects.exists()
    own = say("team:other", 1, by="otto", strategy="own_group")
    assert own.notify is not None
    assert (own.strategy, own.notify.code, own.notify.name) == ("own_group", "other-on-call", "other, on call")
    [subscription] = BreachSubscription.objects.all()
    assert (subscription.consumer, subscription.view, subscription.ended_at) == ("team:other", own, None)
    strategies = {one.view.key: (one.offers, one.view.strategy) for one in row().divergences}
    assert strategies == {
        "service:checkout": (("adaptive_capacity", "own_group"), "adaptive_capacity"),
        "team:other": (("adaptive_capacity", "own_group"), "own_group"),
    }


def test_a_subscription_lasts_as_long_as_the_view_that_made_it() -> None:
    say("service:checkout", 1, strategy="own_group", notify="customer-support")
    say("service:checkout", 1, at=LATER, reason="Still.", strategy="own_group", notify="customer-support")
    rows = list(BreachSubscription.objects.order_by("id").values_list("began_at", "ended_at"))
    assert rows == [(NOW, LATER), (LATER, None)]
    actions.withdraw_view(worlds.actor("sia"), slo=SLO, consumer="checkout", now=LATER)
    assert not BreachSubscription.objects.filter(ended_at=None).exists()
    assert queries.feedback(SYSTEM, at=LATER) == []
    assert StakeholderGroup.objects.filter(code="customer-support").exists()


@pytest.mark.req("R-9.2.8-6")
def test_the_record_of_a_session_holds_date_invited_attended_and_an_outcome_for_each_slo() -> None:
    session = actions.record_session(
        worlds.actor("nico"),
        team="notifications",
        held_at=NOW,
        invited=["Mona", "Sia", "Desk", "Sia"],
        attended=["Mona", "Sia"],
        outcomes={SLO: "Stays; the shop shows the number on screen.", "": " "},
        now=LATER,
    )
    [found] = queries.sessions(SYSTEM, team="notifications")
    assert found == session
    assert (found.held_at, found.invited, found.attended) == (NOW, ["Mona", "Sia", "Desk"], ["Mona", "Sia"])
    assert [(one.objective.name, one.text) for one in found.outcomes.all()] == [
        (SLO, "Stays; the shop shows the number on screen.")
    ]
    assert Entry.objects.filter(kind=Kind.FEEDBACK_SESSION_HELD).exists()


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"invited": [" "]}, "invited"),
        ({"held_at": LATER + timedelta(minutes=1)}, "held_at"),
        ({"outcomes": {}}, "outcomes"),
        ({"outcomes": {"no-such-slo": "fine"}}, "outcomes"),
        ({"team": "nobody"}, "team"),
    ],
)
def test_a_session_that_could_not_be_read_later_is_refused(wrong: dict[str, Any], field: str) -> None:
    given = {"team": "notifications", "held_at": NOW, "invited": ["Mona"], "outcomes": {SLO: "Stays."}, **wrong}
    with pytest.raises(Invalid) as refused:
        actions.record_session(worlds.administrator(), now=LATER, **given)
    assert field in refused.value.fields
    assert not SessionOutcome.objects.exists()


def test_a_stranger_keeps_no_record_of_a_session() -> None:
    with pytest.raises(NotAllowed):
        actions.record_session(
            worlds.actor("otto"), team="notifications", held_at=NOW, invited=["x"], outcomes={SLO: "y"}, now=LATER
        )


def test_a_newer_view_closes_the_former_and_the_same_again_writes_nothing() -> None:
    first = say("service:checkout", 3)
    length = Entry.objects.count()
    assert say("service:checkout", 3, at=LATER) == first
    assert Entry.objects.count() == length
    second = say("service:checkout", 1, at=LATER, reason="Since the autumn sale.")
    history = queries.view_history(SYSTEM, second.objective)
    assert [(one.priority, one.valid_from, one.valid_until) for one in history] == [(1, LATER, None), (3, NOW, LATER)]


@pytest.mark.parametrize("by", ["otto", "mona"])
def test_nobody_speaks_for_somebody_elses_consumers(by: str) -> None:
    with pytest.raises(NotAllowed, match="does not speak for service:checkout"):
        say("service:checkout", 1, by=by)


def test_an_administrator_may_write_down_what_a_consumer_said() -> None:
    worlds.administrator()
    assert say("service:checkout", 1, by="ada").stated_by == "ada"


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"priority": 9}, "priority"),
        ({"priority": 1, "reason": " "}, "reason"),
        ({"priority": 1, "strategy": "hope"}, "strategy"),
        ({"priority": 1, "strategy": "adaptive_capacity"}, "degrades_to"),
        ({"priority": 1, "strategy": "own_group", "notify": "nobody"}, "notify"),
        ({"priority": 1, "notify": "customer-support"}, "notify"),
        ({"priority": 1, "consumer": "service:nothing"}, "consumer"),
        ({"priority": 1, "consumer": "planet:mars"}, "consumer"),
    ],
)
def test_what_is_wrong_is_named_by_its_field(given: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        say(given.pop("consumer", "service:checkout"), given.pop("priority"), **given)
    assert field in refused.value.fields
    assert not ConsumerView.objects.exists()


def test_an_owner_has_a_priority_and_no_view() -> None:
    with pytest.raises(Refused, match="assign its priority"):
        say("team:notifications", 1, by="mona")
    with pytest.raises(NotFound):
        actions.state_view(SYSTEM, slo="gone", consumer="checkout", said=Said(decision="none", reason="x"), now=NOW)


def test_a_consumer_that_is_asked_shows_until_it_answers() -> None:
    mona = worlds.actor("mona")
    [open_one] = queries.not_asked(mona, queries.objective(mona, SLO))
    assert open_one.name == "checkout"
    asked = actions.ask_view(mona, slo=SLO, consumer="service:checkout", now=NOW)
    assert asked.decision == "asked"
    assert queries.not_asked(mona, asked.objective) == []
    assert row().divergences == ()
    view = say("service:checkout", 1, at=LATER)
    assert actions.ask_view(mona, slo=SLO, consumer="checkout", now=LATER) == view
    with pytest.raises(NotAllowed):
        actions.ask_view(worlds.actor("otto"), slo=SLO, consumer="checkout", now=NOW)
