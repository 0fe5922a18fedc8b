"""The pages of teams, walks, sessions, resource alerts and wishes: what they say, what they change, what they refuse."""

from __future__ import annotations

import re
from datetime import datetime

import pytest
from django.db import transaction
from django.test import Client

from tests.domains import adoption_worlds as world
from tests.domains import slo_worlds, worlds
from tests.edges.web_client import has, marks, read, signed_in, words
from tocsin.adoption import actions, queries
from tocsin.adoption.models import Session, TeamPolicy, Walk, Wish
from tocsin.alerts import actions as alerts
from tocsin.alerts.posted_alerts import PostedAlert
from tocsin.core.access import SYSTEM
from tocsin.incidents import actions as incidents
from tocsin.people import actions as people
from tocsin.slo import actions as slo_actions
from tocsin.slo import queries as slos
from tocsin.slo.models import PriorityAssignment, ResourceAlert
from tocsin.web.teams import TEAMS_A_PAGE

pytestmark = pytest.mark.django_db


@pytest.fixture
def bo(now: datetime) -> Client:
    world.team(now=now)
    return signed_in("bo")


def post(client: Client, address: str, expected: int = 302, **fields: object) -> str:
    answer = client.post(address, fields)
    assert answer.status_code == expected, answer.content.decode()[:3000]
    return answer.content.decode()


@pytest.mark.req("R-9-1")
def test_the_page_names_what_a_policy_lacks_and_refuses_until_it_is_there(bo: Client, now: datetime) -> None:
    refused = post(bo, "/teams/tickets/activate", 422)
    for name in ("an owning team", "an SLO", "a rotation", "a stakeholder group"):
        assert name in words(refused, "problems")
    assert words(refused, "policy-state") == "not in force"
    world.complete(now=now)
    assert not has(read(bo, "/teams/tickets"), "problems")
    post(bo, "/teams/tickets/activate")
    page = read(bo, "/teams/tickets")
    assert words(page, "policy-state") == "in force"
    assert "1 of 1 team" in words(read(bo, "/teams"), "teams-finding")
    assert "Say why" in words(post(bo, "/teams/tickets/end-policy", 422, reason=" "), "problems")
    post(bo, "/teams/tickets/end-policy", reason="merged")
    assert not TeamPolicy.objects.filter(ended_at=None).exists()


@pytest.mark.req("R-9.2.3-16")
def test_the_page_shows_four_verdicts_and_takes_the_teams_own_answers(bo: Client, now: datetime) -> None:
    page = read(bo, "/teams/tickets")
    assert marks(page, "verdict-") == ["slo_iterations", "rotation", "on_call_tool", "wants_priorities"]
    assert "Not yet" in words(page, "verdict-wants_priorities")
    again = post(bo, "/teams/tickets/say", 422, point="wants_priorities", answer="yes", reason="")
    assert has(again, "problems")
    post(bo, "/teams/tickets/say", point="wants_priorities", answer="yes", reason="Too many alike.")
    people.update_person(SYSTEM, username="bo", display_name="Bo Lind", now=now)
    assert "Too many alike. Said by Bo Lind." in words(read(bo, "/teams/tickets"), "verdict-wants_priorities")
    post(bo, "/teams/tickets/say", 422, point="rotation", answer="yes", reason="We have one.")


@pytest.mark.req("R-9.2.9-1")
def test_the_step_of_prioritising_is_hidden_at_the_initial_stage_and_deciding_all_the_same_warns(
    bo: Client, now: datetime
) -> None:
    world.complete(now=now)
    address = "/slos/checkout/checkout-availability"
    page = read(bo, address)
    assert has(page, "priority-later")
    assert not has(page, "priority-form")
    asked = read(bo, f"{address}?decide=now")
    assert has(asked, "priority-form")
    assert "initial stage" in words(asked, "stage-warning")
    answer = bo.post(f"{address}/priority", {"priority": "2"}, follow=True).content.decode()
    assert "initial stage" in words(answer, "messages")
    held = slos.assignment_at(slos.objective(SYSTEM, "checkout-availability"), now)
    assert held is not None
    assert held.priority == 2


@pytest.mark.req("R-9.2.9-1")
def test_a_mature_team_sees_the_step_and_a_new_slo_without_priority_is_listed_as_unfinished(
    bo: Client, now: datetime
) -> None:
    world.complete(now=now)
    post(bo, "/teams/tickets/stage", stage="mature")
    assert has(read(bo, "/slos/checkout/checkout-availability"), "priority-form")
    assert "1 without a priority" in words(read(bo, "/teams"), "team-tickets")
    assert "Mature" in words(read(bo, "/teams/tickets"), "stage-now")
    assert has(post(bo, "/teams/tickets/stage", 422, stage="grown-up"), "problems")


@pytest.mark.req("R-9.2.1-5")
def test_a_priority_left_to_a_person_is_kept_as_such(bo: Client, now: datetime) -> None:
    world.complete(now=now)
    post(bo, "/slos/checkout/checkout-availability/priority", priority="2", manual="yes")
    assert PriorityAssignment.objects.get(valid_until=None).assign_mode == "manual"
    page = read(bo, "/slos/checkout/checkout-availability")
    assert "as a proposal" in words(page, "priority-now")


@pytest.mark.req("R-9.2.7-1", "R-9.2.7-2")
def test_a_walk_on_pages_from_the_priority_to_the_answer_of_each_find(bo: Client, now: datetime) -> None:
    world.complete(now=now)
    post(bo, "/teams/tickets/walks", priority="1")
    walk = Walk.objects.get()
    address = f"/walks/{walk.pk}"
    assert has(post(bo, f"{address}/name", 422, use_cases="  \n"), "problems")
    post(bo, f"{address}/name", use_cases="Nobody can pay\nTickets are lost\nSeats sold twice")
    paid, lost, twice = (one.pk for one in queries.cases(walk))
    post(bo, f"{address}/{paid}/see", watched_by="slo:checkout-availability")
    for case in (lost, twice):
        post(bo, f"{address}/{case}/see", watched_by="")
    page = read(bo, address)
    assert "Watched by the SLO" in words(page, f"case-{paid}")
    assert has(page, f"answer-form-{lost}")
    assert has(post(bo, f"{address}/{lost}/answer", 422), "problems")
    post(bo, f"{address}/{lost}/answer", answer="existing_sli", service="checkout", sli_kind="correctness")
    post(bo, f"{address}/{twice}/answer", answer="new_sli", service="checkout", alert_name="SeatsTwice")
    page = read(bo, address)
    assert "kind: SLO" in words(page, f"draft-text-{lost}")
    assert "for the time being" in words(page, f"case-{twice}")
    assert "Finished" in words(page, "walk-finding")
    assert Wish.objects.get().kind == "new_sli"
    assert ResourceAlert.objects.get().interim
    team = read(bo, "/teams/tickets")
    assert "Tickets are lost" in words(team, "not-yet")
    assert words(team, "coverage-1") == "1 P1 0 0 1 1"
    other = actions.begin_walk(SYSTEM, "tickets", priority=2, now=now)
    assert bo.post(f"/walks/{other.pk}/{paid}/see", {"watched_by": ""}).status_code == 404


@pytest.mark.req("R-9.2.4-7")
def test_a_session_on_its_page_decides_in_order_and_keeps_what_was_typed_when_refused(
    bo: Client, now: datetime
) -> None:
    world.complete(now=now)
    slo_worlds.objective("refunds", now=now)
    page = read(bo, "/teams/tickets/session")
    assert marks(page, "decide-") == ["checkout-availability", "refunds"]
    fields = {"decide-checkout-availability": "2", "decide-refunds": "later", "held_on": now.date().isoformat()}
    again = post(bo, "/teams/tickets/session", 422, **fields, participants=" , ", note="kept words")
    assert "Name who took part" in words(again, "participants-error")
    assert "kept words" in again
    assert not PriorityAssignment.objects.exists()
    assert post(bo, "/teams/tickets/session", 422, **{**fields, "held_on": "soon"}, participants="Bo")
    post(bo, "/teams/tickets/session", **fields, participants="Bo, Ines")
    assert Session.objects.get().participants == ["Bo", "Ines"]
    team = read(bo, "/teams/tickets")
    assert "With Bo, Ines" in words(team, "sessions")
    assert "checkout-availability" not in words(team, "agenda")


@pytest.mark.req("R-9.2.6-1", "R-9.2.6-2", "R-9.2.6-6")
def test_a_resource_alert_on_its_page_is_decided_and_replaced(bo: Client, now: datetime) -> None:
    world.complete(now=now)
    assert has(post(bo, "/teams/tickets/alerts", 422, alert_name=" ", service="checkout"), "alert-name-error")
    post(bo, "/teams/tickets/alerts", alert_name="CPU>90% on host ABC", service="checkout", metric="cpu")
    address = "/resource-alerts/cpu-90-on-host-abc"
    page = read(bo, address)
    assert "latency" in words(page, "alert-sli")
    assert "undecided" in words(page, "alert-priority")
    assert has(post(bo, f"{address}/priority", 422), "problems")
    post(bo, f"{address}/priority", priority="3", groups="customer-support", manual="yes")
    decided = PriorityAssignment.objects.get()
    assert (decided.target_kind, decided.priority, decided.assign_mode) == ("resource_alert", 3, "manual")
    post(bo, f"{address}/move", state="planned")
    post(bo, f"{address}/move", state="replaced", replaced_by="checkout-availability")
    assert words(read(bo, address), "alert-state") == "replaced"
    assert has(post(bo, f"{address}/move", 422, state="planned"), "problems")
    assert words(read(bo, "/teams/tickets"), "replaced") == "1 of 1 replaced by SLOs"
    post(bo, "/teams/tickets/alerts", alert_name="Fan of rack 7", service="checkout")
    assert "backlog" in words(read(bo, "/resource-alerts/fan-of-rack-7"), "alert-sli")


@pytest.mark.req("R-9.2.4-5")
def test_the_backlog_is_added_to_ranked_narrowed_and_exported(bo: Client, now: datetime) -> None:
    assert has(read(bo, "/backlog"), "backlog-empty")
    assert has(post(bo, "/backlog/add", 422, kind="new_sli", text=" "), "wish-text-error")
    for text in ("Freshness of seat maps", "Rules on weekdays"):
        post(bo, "/backlog/add", kind="new_sli", text=text, team="tickets", of="tickets")
    first, second = (one.pk for one in queries.wishes(SYSTEM))
    page = read(bo, "/backlog?team=tickets")
    assert marks(page, "wish-open-") == []  # ranking is for operations
    assert bo.post(f"/backlog/{second}/place", {"place": "1"}).status_code == 403
    worlds.person("olga", role="process_owner", now=now)
    olga = signed_in("olga")
    post(olga, f"/backlog/{second}/place", place="1")
    assert [one.pk for one in queries.wishes(SYSTEM)] == [second, first]
    assert has(post(olga, f"/backlog/{first}/place", 422, place="top"), "problems")
    assert has(post(olga, f"/backlog/{first}/change", 422, status="done", owner="nobody"), "problems")
    post(olga, f"/backlog/{first}/change", status="done", owner="olga", reference="https://ops.example.com/7")
    assert "Freshness" not in read(olga, "/backlog?team=tickets")
    assert "Freshness" in read(olga, "/backlog?all=yes")
    table = olga.get("/backlog.csv")
    assert table["Content-Disposition"] == 'attachment; filename="backlog.csv"'
    assert "Rules on weekdays" in table.content.decode()


def test_readers_see_everything_and_are_offered_nothing(bo: Client, now: datetime) -> None:
    world.complete(now=now)
    actions.register_alert(SYSTEM, alert_name="Fan of rack 7", service="checkout", now=now)
    walk = actions.begin_walk(SYSTEM, "tickets", priority=1, now=now)
    worlds.person("rea", role="reader", now=now)
    rea = signed_in("rea")
    for address in (
        "/teams",
        "/teams/tickets",
        "/teams/tickets/session",
        "/backlog",
        f"/walks/{walk.pk}",
        "/resource-alerts/fan-of-rack-7",
    ):
        page = read(rea, address)
        offered = [one for one in ("activate", "begin-walk", "wish-add", "keep-session", "move") if has(page, one)]
        assert offered == [], address
    for address in ("/teams/tickets/activate", "/backlog/add", "/teams/tickets/walks"):
        assert rea.post(address, {"priority": "1", "kind": "new_sli", "text": "x"}).status_code == 403
    for address in ("/teams/nobody", "/walks/999", "/resource-alerts/nobody", "/teams/nobody/session"):
        assert rea.get(address).status_code == 404


def test_teams_without_anything_have_empty_states(now: datetime) -> None:
    worlds.process(now=now)
    worlds.person("rea", role="reader", now=now)
    rea = signed_in("rea")
    assert has(read(rea, "/teams"), "teams-empty")
    people.add_team(SYSTEM, name="fresh", now=now)
    page = read(rea, "/teams/fresh")
    assert "cannot be in force yet" in words(page, "team-finding")
    assert "Nothing is watched yet" in page


@pytest.mark.req("R-9.2.1-5")
@pytest.mark.parametrize("mode", ["manual", "automatic"])
def test_an_incident_left_to_a_person_prompts_with_the_proposal(bo: Client, now: datetime, mode: str) -> None:
    world.complete(now=now)
    runbook = "https://wiki.example.com/cpu"
    alert = actions.register_alert(SYSTEM, alert_name="CPU>90%", service="checkout", runbook_url=runbook, now=now)
    slo_actions.assign_priority(SYSTEM, resource_alert=alert, decision="set", priority=3, assign_mode=mode, now=now)
    sender, _ = alerts.add_integration(SYSTEM, kind="alertmanager", service="checkout", name="prom", now=now)
    heard = PostedAlert(
        labels={"alertname": "CPU>90%"}, annotations={}, starts_at=now, ends_at=None, generator_url="", received_at=now
    )
    with transaction.atomic():
        [incident] = incidents.take_alert_changes(alerts.take_alertmanager(sender, [heard], now=now), now=now)
    page = read(bo, f"/i/{incident.number}")
    assert runbook in page
    if mode == "automatic":
        assert (incident.priority, incident.priority_state) == (3, "set")
        assert not has(page, "priority-unset")
        return
    assert (incident.priority, incident.priority_state) == (None, "unset")
    assert "it proposes P3" in re.sub(r"\b3 P3", "P3", words(page, "priority-unset"))
    sheet = read(bo, f"/i/{incident.number}/priority")
    assert has(sheet, "priority-proposed")
    assert re.search(r'value="3"[^>]*checked', sheet)


def test_many_teams_are_shown_in_parts(now: datetime) -> None:
    worlds.process(now=now)
    worlds.person("rea", role="reader", now=now)
    for number in range(TEAMS_A_PAGE + 1):
        people.add_team(SYSTEM, name=f"team-{number:02}", now=now)
    rea = signed_in("rea")
    first, second = read(rea, "/teams"), read(rea, "/teams?page=2")
    assert len(marks(first, "team-team-")) == TEAMS_A_PAGE
    assert marks(second, "team-team-") == [f"{TEAMS_A_PAGE}"]
    assert (has(first, "teams-further"), has(second, "teams-before"), has(second, "teams-further")) == (
        True,
        True,
        False,
    )
    assert f"of {TEAMS_A_PAGE + 1} teams" in words(first, "teams-finding")
    for odd in ("0", "-1", "x", "99999", "٣"):
        read(rea, f"/teams?page={odd}")


@pytest.mark.req("R-9.2.3-16")
def test_the_map_warns_once_a_team_and_shows_resource_alerts_below(bo: Client, now: datetime) -> None:
    world.complete(now=now)
    slo_worlds.objective("refunds", now=now)
    alert = actions.register_alert(SYSTEM, alert_name="CPU>90%", service="checkout", now=now)
    page = read(bo, "/priorities/map")
    assert "could become latency" in words(page, f"map-alert-{alert.name}")
    fields = {"slo:checkout-availability": "1", "slo:refunds": "3", "whom": "keep"}
    answer = bo.post("/priorities/map/decide", fields, follow=True).content.decode()
    assert words(answer, "messages").count("initial stage") == 1
    assert PriorityAssignment.objects.count() == 2


@pytest.mark.req("R-9.2.6-3")
def test_the_page_of_an_alert_says_what_an_slo_adds(bo: Client, now: datetime) -> None:
    world.complete(now=now)
    alert = actions.register_alert(
        SYSTEM, alert_name="CPU>90%", service="checkout", runbook_url="https://wiki.example.com/cpu", now=now
    )
    text = words(read(bo, f"/resource-alerts/{alert.name}"), "compare")
    for word in ("budget", "breach record", "How soon does it speak"):
        assert word in text
