"""The people of a response over JSON, by words, and on pages: cards to all, hours to oneself and the coordinator."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.domains import worlds
from tests.edges.api_client import Caller
from tests.edges.test_cli import Shell, shell
from tests.edges.web_client import has, read, signed_in, words
from tocsin.incidents import actions
from tocsin.incidents.models import Incident, ResponseTeam, RoleHeld
from tocsin.platform import clock as clocks

__all__ = ["shell"]
pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
COORDINATOR = "incident_coordinator"
SAID = {"done": "Cache emptied", "open": "Find the cause", "risks": "It may fill again", "next_update": "05:00"}


@pytest.fixture
def row() -> Incident:
    """Ada has worked on it for three hours, Ben coordinates."""
    then = clocks.now() - 3 * HOUR
    worlds.process(now=then)
    ada = worlds.actor("ada", in_team="identity", display_name="Ada", time_zone="Europe/Berlin", now=then)
    worlds.actor("ben", in_team="identity", display_name="Ben", now=then)
    worlds.actor("cleo", in_team="identity", display_name="Cleo", now=then)
    worlds.service("log-on", of_team="identity", now=then)
    found = actions.declare(ada, title="Log-on fails", service="log-on", priority=2, severity="error", now=then)
    actions.acknowledge(ada, found.ref, now=then)
    actions.assign_role(ada, found.ref, role=COORDINATOR, username="ben", now=then)
    return found


def people(caller: Caller, row: Incident) -> dict[str, Any]:
    answer: dict[str, Any] = caller.must("GET", f"/api/v1/incidents/{row.number}/people")
    return answer


def test_json_shows_cards_to_all_and_hours_to_whom_they_concern(row: Incident) -> None:
    ben, ada, cleo = (people(Caller(name), row) for name in ("ben", "ada", "cleo"))
    assert [one["hours"] and one["hours"]["minutes"] >= 180 for one in ben["people"]] == [True, True]
    assert [one["hours"] is not None for one in ada["people"]] == [True, False]
    assert [one["hours"] for one in cleo["people"]] == [None, None]
    assert (cleo["prompts"], cleo["relief"], cleo["first_time_together"]) == ([], [], [])
    assert {one["time_zone"] for one in cleo["people"]} == {"Europe/Berlin", "UTC"}
    assert ben["first_time_together"] == [["Ada", "Ben"]]


def test_a_prompt_is_answered_over_json_and_wrong_answers_are_refused(row: Incident) -> None:
    ben = Caller("ben")
    address = f"/api/v1/incidents/{row.number}/people/prompts"
    key = people(ben, row)["prompts"][0]["key"]
    after = ben.must("POST", address, {"key": key, "answer": "deferred", "wait_minutes": 10})
    [one] = [prompt for prompt in after["prompts"] if prompt["key"] == key]
    assert one["state"] == "deferred"
    assert ben.ask("POST", address, {"key": key, "answer": "perhaps"})[0] == 422
    assert ben.ask("POST", address, {"key": key, "answer": "deferred", "wait_minutes": 0})[0] == 422
    assert ben.ask("POST", address, {"key": "made up"})[0] == 404
    assert Caller("cleo").ask("POST", address, {"key": key})[0] == 404


def test_a_role_is_handed_over_over_json(row: Incident) -> None:
    ben, cleo = Caller("ben"), Caller("cleo")
    address = f"/api/v1/incidents/{row.number}/hand-overs"
    status, refused = ben.ask("POST", address, {"role": COORDINATOR, "to": "cleo", **SAID, "risks": ""})
    assert status == 422
    assert "Say what could go wrong" in str(refused)
    offer = ben.must("POST", address, {"role": COORDINATOR, "to": "cleo", **SAID})
    assert people(cleo, row)["hand_overs"][0]["open"] == "Find the cause"
    assert ben.ask("POST", f"/api/v1/hand-overs/{offer['id']}/accept", {})[0] == 403
    assert cleo.must("POST", f"/api/v1/hand-overs/{offer['id']}/accept", {})["accepted_at"]
    assert people(cleo, row)["coordinates"]


def test_by_words(shell: Shell, row: Incident) -> None:
    number = str(row.number)
    result = shell.run("incident", "people", number)
    assert result.exit_code == 0
    assert "Europe/Berlin" in result.stdout
    assert shell.json("incident", "people", number)["list_open"] is True
    assert shell.run("incident", "people", "999").exit_code == 1
    assert shell.run("incident", "answer-prompt", number, "made up").exit_code == 1
    assert shell.run("incident", "introduce", number).exit_code == 1
    assert shell.run("incident", "dissolve", number, "--thanks", "Thank you").exit_code == 1


def test_the_card_on_the_incident_shows_hours_to_the_coordinator_only(row: Incident) -> None:
    page = read(signed_in("ben"), f"/i/{row.number}")
    assert "3 h" in words(page, "hours-ada")
    assert has(page, "card-prompts")
    assert "more to answer or defer" in words(page, "more-prompts")
    page = read(signed_in("cleo"), f"/i/{row.number}")
    assert has(page, "person-ada")
    assert not has(page, "hours-ada")
    assert not has(page, "card-prompts")


def test_a_prompt_is_answered_on_the_page_and_gone(row: Incident) -> None:
    ben = signed_in("ben")
    page = read(ben, f"/i/{row.number}/people")
    assert "First time together" in page
    assert "Ada and Ben" in words(page, "strangers")
    before = page.count('data-testid="prompt"')
    # The last one is always asked; a break that is answered is no longer found at all.
    key = page.rsplit('name="key" value="', 1)[1].split('"', 1)[0]
    answer = ben.post(f"/i/{row.number}/people/answer", {"key": key, "answer": "done"})
    assert (answer.status_code, answer["Location"]) == (302, f"/i/{row.number}/people")
    page = read(ben, f"/i/{row.number}/people")
    assert page.count('data-testid="prompt"') == before - 1
    assert "Answered (1)" in page
    stale = ben.post(
        f"/i/{row.number}/people/answer", {"key": "made up", "answer": "done", "from": "card"}, follow=True
    )
    assert "asks nothing of that name now" in stale.content.decode()


def test_somebody_else_sees_who_is_who_and_nothing_private(row: Incident) -> None:
    page = read(signed_in("cleo"), f"/i/{row.number}/people")
    assert "Europe/Berlin" in words(page, "person-ada")
    assert not has(page, "hours-ada")
    assert not has(page, "prompts")
    assert not has(page, "relief")
    assert not has(page, "strangers")


def test_introducing_oneself_and_posting_the_ground_rules(row: Incident) -> None:
    ben = signed_in("ben")
    ben.post(f"/i/{row.number}/people/introduce", {"text": "I know the <b>cache</b>."})
    ben.post(f"/i/{row.number}/people/ground-rules")
    page = read(ben, f"/i/{row.number}")
    assert "identity, Incident coordinator, UTC. I know the &lt;b&gt;cache&lt;/b&gt;." in page
    assert "Ground rules: one speaks at a time" in page
    refused = signed_in("cleo").post(f"/i/{row.number}/people/introduce", follow=True)
    assert "Only somebody who takes part is introduced." in refused.content.decode()


def test_handing_over_on_pages(row: Incident) -> None:
    ben, cleo = signed_in("ben"), signed_in("cleo")
    address = f"/i/{row.number}/people/hand-over"
    assert "Offer it" in read(ben, f"{address}?to=cleo")
    assert has(read(cleo, address), "holds-nothing")
    missing = ben.post(address, {"role": COORDINATOR, "to": "cleo", **SAID, "open": ""})
    assert missing.status_code == 422
    assert "Say what is open." in missing.content.decode()
    ben.post(address, {"role": COORDINATOR, "to": "cleo", **SAID})
    page = read(cleo, f"/i/{row.number}")
    assert "Ben asks you to take over." in page
    accept = page.split("/people/hand-over/", 1)[1].split("/accept", 1)[0]
    cleo.post(f"/i/{row.number}/people/hand-over/{accept}/accept", {"from": "card"})
    assert [one.person.username for one in RoleHeld.objects.filter(role=COORDINATOR, until_at=None)] == ["cleo"]


def test_thanking_is_refused_while_something_is_owed_and_says_what(row: Incident) -> None:
    ben = signed_in("ben")
    actions.resolve(worlds.actor("ada"), row.ref, category="deploy", now=clocks.now())
    address = f"/i/{row.number}/people/thanks"
    page = read(ben, address)
    assert "Ada, Ben" in words(page, "thanks-whom")
    assert "(optional)" not in page
    refused = ben.post(address, {"thanks": "Thank you both."})
    assert refused.status_code in {409, 422}
    assert "Still owed" in refused.content.decode()
    for one in row.obligations.filter(state="open"):
        actions.waive_obligation(worlds.administrator("root"), one.pk, reason="a test", now=clocks.now())
    assert ben.post(address, {"thanks": "Thank you both."}).status_code == 302
    assert ResponseTeam.objects.get().thanks == "Thank you both."
    assert "Thank you both." in words(read(ben, f"/i/{row.number}/people"), "mission")


@pytest.mark.usefixtures("row")
def test_a_team_of_three_has_no_figures_and_ones_own_are_there() -> None:
    page = read(signed_in("ada"), "/wellbeing")
    assert "3 h" in words(page, "own-load")
    assert has(page, "no-teams")
    assert not has(page, "team-identity")


@pytest.mark.req("R-9.3.12-7")
@pytest.mark.usefixtures("row")
def test_a_team_of_five_is_shown_together_and_names_nobody() -> None:
    for name in ("dan", "eve"):
        worlds.person(name, in_team="identity", display_name=name.title())
    worlds.person("zoe", display_name="Zoe")
    page = read(signed_in("zoe"), "/wellbeing")
    assert "5 people together" in words(page, "team-identity")
    assert "6 h" in words(page, "team-identity")
    main = page.split("<main", 1)[1]
    assert not any(name in main for name in ("Ada", "Ben", "Cleo", "Dan", "Eve"))
    assert "0 h" in words(page, "own-load")
