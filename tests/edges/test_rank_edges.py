"""Looking on, asking for a role, asking people in and the summary: by page, API and command line."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.domains import incident_worlds as world
from tests.domains import worlds
from tests.domains.incident_worlds import House
from tests.edges.api_client import Caller
from tests.edges.web_client import has, read, signed_in, words
from tocsin.cli.incident_rank import at_a_glance
from tocsin.comms import actions as comms
from tocsin.comms.models import Subscriber
from tocsin.incidents import actions
from tocsin.incidents.models import Incident, RoleHeld
from tocsin.platform.clock import WoundClock

pytestmark = pytest.mark.django_db

COORDINATOR, EXPERT = "incident_coordinator", "technical_expert"
STANDS = {"done": "Traffic moved.", "open": "The cause.", "risks": "None seen.", "next_update": "03:00 UTC"}


@pytest.fixture
def house(clock: WoundClock) -> House:
    return House(clock.now())


@pytest.fixture
def incident(house: House) -> Incident:
    found = house.declare(severity="error", groups=["product-owners"])
    actions.assign_role(house.ada, found.ref, role=COORDINATOR, username="ada", now=house.now)
    actions.assign_role(house.ben, found.ref, role=EXPERT, username="ben", now=house.now)
    worlds.person("vic", display_name="Vic", now=house.now)
    return found


def holder(incident: Incident, role: str) -> list[str]:
    rows = RoleHeld.objects.filter(incident=incident, role=role, until_at=None)
    return list(rows.values_list("person__username", flat=True))


@pytest.mark.req("R-9.3.5-3")
def test_a_guest_looks_on_is_shown_no_command_and_gets_the_role_when_both_say_so(
    house: House, incident: Incident
) -> None:
    vic, ada, page = signed_in("vic"), signed_in("ada"), f"/i/{incident.number}"
    assert vic.post(f"{page}/roles/join").status_code == 302
    shown = read(vic, page)
    assert words(shown, "looks-on") == "You look on."
    for button in ("change-priority", "pass-on-desk", "roles-edit", "note-form", "update-desk", "pull-in"):
        assert not has(shown, button), button
    refused = vic.post(f"{page}/pass-on")
    assert refused.status_code == 403
    assert f"{page}/roles/ask" in refused.content.decode()
    assert "Ada" in words(read(vic, f"{page}/roles/ask"), "sheet-form")
    assert vic.post(f"{page}/roles/ask", {"role": COORDINATOR, "reason": ""}).status_code == 422
    assert vic.post(f"{page}/roles/ask", {"role": COORDINATOR, "reason": "I know them"}).status_code == 302
    number = incident.take_overs.get().pk
    assert has(read(ada, page), f"ask-answer-{number}")
    assert not has(read(vic, f"{page}/roles/asks/{number}"), "answer-give")
    assert ada.post(f"{page}/roles/asks/{number}", {**STANDS, "risks": ""}).status_code == 422
    assert ada.post(f"{page}/roles/asks/{number}", STANDS).status_code == 302
    assert holder(incident, COORDINATOR) == ["vic"]
    assert read(ada, f"{page}/roles/asks/{number}", status=404)


def test_a_role_may_be_kept_and_a_request_withdrawn_by_page(house: House, incident: Incident) -> None:
    vic, ada, page = signed_in("vic"), signed_in("ada"), f"/i/{incident.number}"
    vic.post(f"{page}/roles/ask", {"role": COORDINATOR, "reason": "Me"})
    first = incident.take_overs.get().pk
    assert ada.post(f"{page}/roles/asks/{first}", {"keep": "1", "open": "Nearly done."}).status_code == 302
    vic.post(f"{page}/roles/ask", {"role": COORDINATOR, "reason": "Me"})
    second = incident.take_overs.order_by("-pk")[0].pk
    assert vic.post(f"{page}/roles/asks/{second}/withdraw").status_code == 302
    assert [one["outcome"] for one in world.entries(incident, "takeover.answered")] == ["declined", "withdrawn"]


def test_only_the_coordinator_asks_somebody_in_by_page(house: House, incident: Incident) -> None:
    page = f"/i/{incident.number}"
    told = {"person": "vic", "role": EXPERT, "reason": "Knows the gate"}
    assert signed_in("ben").post(f"{page}/pull-in", told).status_code == 403
    assert has(read(signed_in("ada"), page), "pull-in")
    assert signed_in("ada").post(f"{page}/pull-in", {**told, "reason": ""}).status_code == 422
    assert signed_in("ada").post(f"{page}/pull-in", told).status_code == 302
    assert [one["username"] for one in world.entries(incident, "person.pulled_in")] == ["vic"]


@pytest.mark.req("R-9.3.5-6")
def test_the_summary_follows_each_update_and_needs_no_entry_into_the_response(house: House, incident: Incident) -> None:
    worlds.person("rita", role="reader", now=house.now)
    rita, page = signed_in("rita"), f"/i/{incident.number}/summary"
    assert has(read(rita, page), "summary-none")
    for text in ("Log-on fails for a third.", "Half of it works again."):
        comms.send_update(
            house.ada, incident.ref, text=text, next_update_at=house.now + timedelta(hours=1), now=house.now
        )
        assert text in words(read(rita, page), "summary-text")
    assert "Log-on fails" in words(read(rita, page), "summary-before")
    assert "Ada" in words(read(rita, page), "summary-roles")
    assert not has(read(rita, page), "note-form")
    assert rita.post(page).status_code == 405
    assert rita.post(f"{page}/subscribe").status_code == 302
    assert Subscriber.objects.get().email == "rita@harbor.example"
    assert has(read(rita, page), "summary-subscribed")
    assert holder(incident, "observer") == []


def test_the_same_over_json(house: House, incident: Incident) -> None:
    vic, ada = Caller("vic", now=house.now), Caller("ada", now=house.now)
    at = f"/api/v1/incidents/{incident.ref}"
    vic.must("POST", f"{at}/observe")
    status, problem = vic.ask("POST", f"{at}/pull-in", {"person": "ben", "reason": "x"})
    assert (status, "roles/ask" in str(problem)) == (403, True)
    asked = vic.must("POST", f"{at}/take-overs", {"role": COORDINATOR, "reason": "Me"})
    assert (asked["from"], asked["to"], asked["answer"]) == ("ada", "vic", None)
    assert [one["id"] for one in ada.must("GET", f"{at}/take-overs")["items"]] == [asked["id"]]
    assert ada.ask("POST", f"/api/v1/take-overs/{asked['id']}/accept", {"done": "x"})[0] == 422
    ada.must("POST", f"/api/v1/take-overs/{asked['id']}/accept", STANDS)
    assert vic.ask("POST", f"/api/v1/take-overs/{asked['id']}/decline", {})[0] == 409
    vic.must("POST", f"{at}/observe/leave")
    assert vic.must("GET", f"{at}/summary")["roles"][0]["people"] == ["Vic"]
    assert vic.must("POST", f"{at}/summary/subscribe")["email"] == "vic@harbor.example"


@pytest.mark.req("R-9.3.11-2")
def test_an_incident_fits_one_screen_with_state_roles_and_next_duty(house: House, incident: Incident) -> None:
    for number in range(30):
        actions.annotate(house.ada, incident.ref, text=f"Line {number} " + "long " * 60, now=house.now)
    lines = at_a_glance(Caller("ada", now=house.now).must("GET", f"/api/v1/incidents/{incident.ref}"))
    assert len(lines) <= 24
    assert max(len(line) for line in lines) <= 100
    text = "\n".join(lines)
    assert incident.ref in lines[0]
    assert "triggered" in lines[0]
    assert "incident coordinator: ada" in text
    assert "technical expert: ben" in text
    assert "update opening to groups, ada" in text.partition("Next duty")[2]
    assert "Line 29" in text


def test_a_role_that_is_called_and_empty_is_shown_so(house: House) -> None:
    found = house.declare(severity="error")
    lines = at_a_glance(Caller("ada", now=house.now).must("GET", f"/api/v1/incidents/{found.ref}"))
    assert "  incident coordinator: EMPTY" in lines
