"""Wishes in their order, walks that find what nobody watches, and sessions that decide."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta
from pathlib import Path

import pytest

from tests.domains import adoption_worlds as world
from tests.domains import slo_worlds, worlds
from tests.domains.worlds import NOW
from tocsin.adoption import actions, queries
from tocsin.adoption.models import Session, Walk, WalkedCase, Wish
from tocsin.core.access import SYSTEM
from tocsin.core.discovery import Watched
from tocsin.core.errors import Invalid, NotAllowed, NotFound, Refused
from tocsin.people import actions as people
from tocsin.slo import actions as slo_actions
from tocsin.slo import queries as slos
from tocsin.slo.models import PriorityAssignment, ResourceAlert
from tocsin.slo.openslo import validate

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def team() -> None:
    world.team()
    world.service()


def wish(text: str = "Freshness of seat maps", **fields: object) -> Wish:
    told = {"kind": "new_sli", "team": "tickets", **fields}
    return actions.add_wish(worlds.actor("bo"), text=text, now=NOW, **told)  # type: ignore[arg-type]


def order() -> list[int]:
    return [one.pk for one in queries.wishes(SYSTEM)]


@pytest.mark.req("R-9.2.4-5")
def test_a_wish_has_its_requester_slo_kind_text_and_status_and_is_exported() -> None:
    slo = slo_worlds.objective()
    made = wish("=HYPERLINK: a rule on weekdays", kind="new_rule", team="", slo=slo.name)
    kept = Wish.objects.get(pk=made.pk)
    assert (kept.requester, kept.objective, kept.kind, kept.status) == ("bo", slo, "new_rule", "open")
    assert kept.text == "=HYPERLINK: a rule on weekdays"
    assert kept.team is not None
    assert kept.team.name == "tickets"  # of the SLO
    [row] = csv.DictReader(io.StringIO(queries.as_csv(queries.wishes(SYSTEM))))
    assert (row["slo"], row["kind"], row["status"], row["requester"]) == (slo.name, "new_rule", "open", "bo")
    assert row["title"] == "'=HYPERLINK: a rule on weekdays"  # a spreadsheet shows it and does not run it
    assert slo.label in row["description"]


def test_a_wish_needs_a_kind_a_text_and_things_that_exist() -> None:
    for wrong in ({"kind": "magic"}, {"text": "  "}):
        with pytest.raises(Invalid):
            wish(**wrong)  # type: ignore[arg-type]
    for missing in ({"slo": "nobody"}, {"resource_alert": "nobody"}, {"team": "nobody"}):
        with pytest.raises((NotFound, NotAllowed)):
            wish(**missing)
    with pytest.raises(NotAllowed):
        actions.add_wish(worlds.actor("rea", role="reader"), kind="new_sli", text="x", team="tickets", now=NOW)


def test_operations_rank_own_and_finish_what_others_wish() -> None:
    first, second, third = (wish(f"wish {number}") for number in range(3))
    with pytest.raises(NotAllowed):
        actions.rank_wish(worlds.actor("bo"), third.pk, place=1, now=NOW)
    ops = worlds.actor("olga", role="process_owner")
    actions.rank_wish(ops, third.pk, place=1, now=NOW)
    assert order() == [third.pk, first.pk, second.pk]
    actions.rank_wish(ops, third.pk, place=99, now=NOW)
    assert order() == [first.pk, second.pk, third.pk]
    changed = actions.change_wish(ops, first.pk, status="planned", owner="olga", reference="OPS-7", now=NOW)
    assert (changed.owner, changed.reference, changed.rank) == ("olga", "OPS-7", 1)
    done = actions.change_wish(ops, first.pk, status="done", now=NOW)
    assert (done.closed_at, done.rank) == (NOW, 0)
    assert [(one.pk, one.rank) for one in queries.wishes(SYSTEM)] == [(second.pk, 1), (third.pk, 2)]
    assert [one.pk for one in queries.wishes(SYSTEM, everything=True)] == [second.pk, third.pk, first.pk]
    with pytest.raises(Refused):
        actions.rank_wish(ops, first.pk, place=1, now=NOW)
    with pytest.raises(Invalid):
        actions.change_wish(ops, second.pk, status="declined", now=NOW)
    actions.change_wish(ops, second.pk, status="declined", note="The vendor does not tell us.", now=NOW)
    assert actions.change_wish(ops, first.pk, status="open", now=NOW).rank == 2


def test_wrong_changes_of_a_wish_change_nothing() -> None:
    made, ops = wish(), worlds.actor("olga", role="process_owner")
    for wrong in ({"status": "someday"}, {"owner": "nobody"}):
        with pytest.raises((Invalid, NotFound)):
            actions.change_wish(ops, made.pk, now=NOW, **wrong)
    with pytest.raises(Invalid):
        actions.rank_wish(ops, made.pk, place=0, now=NOW)
    with pytest.raises(NotFound):
        actions.rank_wish(ops, 10**9, place=1, now=NOW)
    assert Wish.objects.get().status == "open"


def walked(*texts: str, priority: int = 1) -> list[WalkedCase]:
    walk = actions.begin_walk(worlds.actor("bo"), "tickets", priority=priority, now=NOW)
    actions.name_use_cases(worlds.actor("bo"), walk.pk, texts, now=NOW)
    return queries.cases(walk)


@pytest.mark.req("R-9.2.7-1")
def test_a_walk_keeps_its_three_steps_and_ends_in_a_list_of_new_use_cases() -> None:
    bo = worlds.actor("bo")
    slo = slo_worlds.objective()
    walk = actions.begin_walk(bo, "tickets", priority=1, now=NOW)
    assert actions.begin_walk(bo, "tickets", priority=1, now=NOW) == walk  # an open one is gone on with
    named = actions.name_use_cases(bo, walk.pk, ["Nobody can pay", "Tickets are lost", " ", "nobody can pay."], now=NOW)
    first, second = queries.cases(named)
    actions.see_use_case(bo, first.pk, slo=slo.name, now=NOW)
    actions.see_use_case(bo, second.pk, now=NOW)
    kept = Walk.objects.get()
    assert (kept.priority, kept.begun_at, kept.named_at, kept.finished_at) == (1, NOW, NOW, None)
    assert [one.text for one in queries.finds(SYSTEM, team="tickets")] == ["Tickets are lost"]
    with pytest.raises(Refused):
        actions.answer_find(bo, first.pk, new_sli=True, now=NOW)
    actions.answer_find(bo, second.pk, now=NOW)
    assert Walk.objects.get().finished_at == NOW
    with pytest.raises(Refused):
        actions.name_use_cases(bo, walk.pk, ["One more"], now=NOW)


@pytest.mark.req("R-9.2.7-2")
def test_the_first_yes_makes_a_draft_a_wish_or_an_alert(tmp_path: Path) -> None:
    drafted, wished, alerted, nothing = walked("Nobody can pay", "Tickets: lost", "Printer: on fire", "Ghosts")
    bo = worlds.actor("bo")
    for case in (drafted, wished, alerted, nothing):
        actions.see_use_case(bo, case.pk, now=NOW)
    first = actions.answer_find(
        bo, drafted.pk, existing_sli=True, new_sli=True, service="checkout", sli_kind="availability", now=NOW
    )
    assert (first.answer, first.wish) == ("existing_sli", None)
    file = tmp_path / "draft.yaml"
    file.write_text(first.draft)
    [verdict] = validate([file])["files"]
    assert verdict["valid"], verdict

    second = actions.answer_find(
        bo, wished.pk, new_sli=True, service="checkout", alert_name="PrinterQueueFull", now=NOW
    )
    assert second.wish is not None
    assert (second.answer, second.wish.kind, second.wish.status) == ("new_sli", "new_sli", "open")
    assert second.alert is not None
    assert second.alert.interim

    third = actions.answer_find(bo, alerted.pk, resource_alert=True, service="checkout", alert_name="Fire", now=NOW)
    assert third.alert is not None
    assert not third.alert.interim
    assert PriorityAssignment.objects.get(resource_alert=third.alert).priority == 1

    assert actions.answer_find(bo, nothing.pk, now=NOW).answer == "nothing"
    assert Walk.objects.get().finished_at == NOW


def test_an_answer_without_what_it_needs_changes_nothing() -> None:
    [case] = walked("Nobody can pay")
    bo = worlds.actor("bo")
    with pytest.raises(Refused):
        actions.answer_find(bo, case.pk, new_sli=True, now=NOW)  # nobody has looked yet
    actions.see_use_case(bo, case.pk, now=NOW)
    for wrong in (
        {"existing_sli": True, "service": "checkout", "sli_kind": "magic"},
        {"existing_sli": True, "sli_kind": "availability"},
        {"resource_alert": True, "service": "checkout"},
        {"resource_alert": True, "service": "nobody", "alert_name": "Fire"},
    ):
        with pytest.raises(Invalid):
            actions.answer_find(bo, case.pk, now=NOW, **wrong)  # type: ignore[arg-type]
    assert WalkedCase.objects.get().answer == ""
    assert not ResourceAlert.objects.exists()
    with pytest.raises(Invalid):
        actions.begin_walk(bo, "tickets", priority=9, now=NOW)
    with pytest.raises(NotAllowed):
        actions.begin_walk(worlds.actor("rea", role="reader"), "tickets", priority=1, now=NOW)


@pytest.mark.req("R-9.2.7-3")
def test_coverage_sets_priorities_against_watched_use_cases() -> None:
    slo = slo_worlds.objective(use_case="Nobody can pay")
    slo_actions.assign_priority(SYSTEM, objective=slo, decision="set", priority=1, now=NOW)
    slo_worlds.objective("refunds", use_case="Refunds wait")
    alert = actions.register_alert(SYSTEM, alert_name="CPU>90%", service="checkout", use_case="Search slow", now=NOW)
    slo_actions.assign_priority(SYSTEM, resource_alert=alert, decision="set", priority=2, now=NOW)
    paid, lost = walked("nobody can pay.", "Tickets are lost")
    for case in (paid, lost):
        actions.see_use_case(worlds.actor("bo"), case.pk, now=NOW)
    lines = {(one.rank, one.state): one for one in queries.coverage(SYSTEM, team="tickets", now=NOW)}
    assert (lines[1, "set"].slo, lines[1, "set"].not_yet) == (1, 1)  # the SLO watches what the walk named, too
    assert (lines[2, "set"].resource_alert, lines[2, "set"].total) == (1, 1)
    assert lines[None, "unset"].slo == 1
    assert sum(one.total for one in lines.values()) == 4
    watched = {one.text: one.watched for one in queries.use_cases(SYSTEM, team="tickets", now=NOW)}
    assert watched["Tickets are lost"] is Watched.NOT_YET


@pytest.mark.req("R-9.2.4-7")
def test_a_session_lists_undecided_slos_in_order_and_records_what_was_decided() -> None:
    for name in ("refunds", "checkout-latency", "basket"):
        slo_worlds.objective(name)
    assert [one.name for one in queries.agenda(SYSTEM, team="tickets", now=NOW)] == [
        "basket",
        "checkout-latency",
        "refunds",
    ]
    decisions = [
        {"slo": "basket", "decision": "set", "priority": 2, "groups": ["customer-support"], "note": "sales stop"},
        {"slo": "checkout-latency", "decision": "none"},
        {"slo": "refunds", "decision": "later", "note": "ask finance"},
    ]
    session = actions.record_session(
        worlds.actor("bo"),
        "tickets",
        held_on=NOW.date(),
        participants=["Bo", "Coach Ines", "Bo"],
        decisions=decisions,
        now=NOW,
    )
    assert (session.held_on, session.participants) == (NOW.date(), ["Bo", "Coach Ines"])
    assert [(one.objective.name, one.decision, one.priority) for one in session.decisions.order_by("pk")] == [
        ("basket", "set", 2),
        ("checkout-latency", "none", None),
        ("refunds", "later", None),
    ]
    assert [one.name for one in queries.agenda(SYSTEM, team="tickets", now=NOW)] == ["refunds"]
    held = slos.assignment_at(slos.objective(SYSTEM, "basket"), NOW)
    assert held is not None
    assert (held.priority, held.reason) == (2, "sales stop")
    assert queries.sessions(SYSTEM, team="tickets") == [session]


@pytest.mark.parametrize(
    "wrong",
    [
        {"participants": [" "]},
        {"held_on": NOW.date() + timedelta(days=1)},
        {"decisions": [{"slo": "refunds", "decision": "none"}, {"slo": "refunds", "decision": "later"}]},
        {"decisions": [{"slo": "refunds", "decision": "none"}, {"slo": "other", "decision": "none"}]},
        {"decisions": [{"slo": "refunds", "decision": "maybe"}]},
        {"decisions": [{"slo": "refunds", "decision": "set", "priority": 9}]},
        {"decisions": [{"slo": "refunds", "decision": "set"}]},
    ],
)
def test_a_session_is_kept_whole_or_not_at_all(wrong: dict[str, object]) -> None:
    slo_worlds.objective("refunds")
    worlds.service("search", of_team="payments")
    slo_worlds.objective("other", service="search")
    told: dict[str, object] = {"held_on": date(2026, 11, 20), "participants": ["Bo"], **wrong}
    with pytest.raises(Invalid):
        actions.record_session(SYSTEM, "tickets", now=NOW, **told)  # type: ignore[arg-type]
    assert not Session.objects.exists()
    assert not PriorityAssignment.objects.exists()


@pytest.mark.req("R-9.2.3-16")
def test_priorities_of_a_team_that_is_not_ready_come_with_a_warning() -> None:
    team = worlds.team("tickets")
    assert "initial stage" in queries.priority_warning(team, now=NOW)
    people.update_team(SYSTEM, name="tickets", stage="mature", now=NOW)
    assert "not ready to prioritise" in queries.priority_warning(worlds.team("tickets"), now=NOW)
    assert queries.priority_warning(None, now=NOW) == ""


@pytest.mark.req("R-9.2.9-1")
def test_a_new_slo_without_priority_is_incomplete_for_a_mature_team_only() -> None:
    slo_worlds.objective("refunds")
    assert queries.progress(SYSTEM, "tickets", now=NOW).incomplete == ()
    people.update_team(SYSTEM, name="tickets", stage="mature", now=NOW)
    assert [one.name for one in queries.progress(SYSTEM, "tickets", now=NOW).incomplete] == ["refunds"]
    slo_actions.assign_priority(SYSTEM, objective="refunds", decision="none", now=NOW)
    assert queries.progress(SYSTEM, "tickets", now=NOW).incomplete == ()
