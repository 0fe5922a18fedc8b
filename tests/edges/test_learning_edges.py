"""Checklists, reviews of action items, tensions and authorities over JSON, at the command line and on their pages."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from pytest_django.live_server_helper import LiveServer

from tests.domains import worlds
from tests.domains.incident_worlds import House
from tests.edges.api_client import Caller
from tests.edges.test_cli import Shell
from tests.edges.web_client import read, signed_in
from tocsin.core.access import SYSTEM
from tocsin.core.process_definition import to_document
from tocsin.incidents import actions as incidents
from tocsin.people import actions as people
from tocsin.platform import clock as clocks
from tocsin.platform.clock import WoundClock
from tocsin.postmortems import actions
from tocsin.postmortems.models import ActionItem, Postmortem
from tocsin.process import actions as processes
from tocsin.process import queries as process

pytestmark = pytest.mark.django_db(transaction=True)


def over(house: House) -> str:
    """A resolved incident that Ben coordinated, with the draft of its postmortem and one action item of Ada's."""
    document = to_document(process.current())
    document["regulatory_clocks"]["dora"]["on"] = True
    processes.publish_version(house.admin, document, note="We fall under it now", now=house.now)
    incident = house.declare(severity="error", description="Two teams")
    incidents.acknowledge(house.ada, incident.ref, now=house.now)
    incidents.assign_role(house.ada, incident.ref, role="incident_coordinator", username="ben", now=house.now)
    incidents.resolve(house.ada, incident.ref, category="deploy", now=house.now)
    actions.start_postmortem(house.ada, incident.ref, now=house.now)
    day = (house.now + timedelta(days=7)).date()
    actions.add_action(house.ada, incident.ref, title="Add a fuse", driver="ada", review_date=day, now=house.now)
    return incident.ref


@pytest.fixture
def house(clock: WoundClock) -> House:
    return House(now=clock.now())


def test_the_same_over_json(house: House) -> None:
    ref, api = over(house), Caller("ada", now=house.now)
    path = f"/api/v1/incidents/{ref}/postmortem/checklist"
    assert {one["state"] for one in api.must("GET", path)["items"]} == {"open"}
    marked = api.must("POST", f"{path}/B1", {"state": "done"})["items"]
    assert [(one["item"], one["by"]) for one in marked if one["state"] == "done"] == [("B1", "ada")]
    status, refusal = api.ask("POST", f"{path}/A5", {"state": "explained"})
    assert (status, list(refusal["fields"])) == (422, ["reason"])
    assert api.ask("POST", f"{path}/Z9", {})[0] == 404
    item = ActionItem.objects.get().pk
    assert api.ask("POST", f"/api/v1/actions/{item}/review", {"verdict": "not_done"})[0] == 422
    day = str((house.now + timedelta(days=21)).date())
    told = api.must("POST", f"/api/v1/actions/{item}/review", {"verdict": "not_done", "next_review": day})
    assert (told["review"], told["postponements"]) == (day, 1)
    assert api.ask("POST", f"/api/v1/actions/{item}/review", {"verdict": "done", "participants": ["who"]})[0] == 404
    issue = api.ask("POST", f"/api/v1/incidents/{ref}/people/issues", {"text": "We do not talk"})
    assert issue[0] == 201
    stranger = Caller("zoe", now=house.now)
    seen = stranger.must("GET", f"/api/v1/incidents/{ref}/people/issues")
    assert (seen["open"], seen["items"]) == (1, [])
    assert stranger.ask("POST", f"/api/v1/incidents/{ref}/people/issues/{issue[1]['id']}/settle", {})[0] == 404
    assert api.ask("POST", f"/api/v1/incidents/{ref}/postmortem/state/in_review", {})[0] == 409
    assert api.must("POST", f"/api/v1/incidents/{ref}/people/issues/{issue[1]['id']}/settle", {})["settled_at"]
    assert api.must("POST", f"/api/v1/incidents/{ref}/postmortem/state/in_review")["state"] == "in_review"


def test_an_authority_over_json(house: House) -> None:
    ref, api = over(house), Caller("ada", now=house.now)
    path = f"/api/v1/incidents/{ref}/authorities"
    [before] = api.must("GET", path)["items"]
    assert (before["major"], before["reports"], len(before["criteria"])) == (None, [], 8)
    assert api.ask("POST", f"{path}/dora/finding", {"major": True})[0] == 422
    met = ["critical_services", "malicious_access"]
    [found] = api.must("POST", f"{path}/dora/finding", {"major": True, "met": met})["items"]
    assert [(one["report"], one["late"]) for one in found["reports"]] == [("initial", False)]
    [told] = api.must("POST", f"{path}/dora/reports", {"report": "initial", "reference": "A-7"})["items"]
    assert [(one["report"], one["reference"]) for one in told["reports"]] == [
        ("initial", "A-7"),
        ("intermediate", None),
    ]
    assert api.ask("POST", f"{path}/nis2/finding", {"major": True})[0] == 404


def test_the_same_at_the_command_line(live_server: LiveServer) -> None:
    house = House(now=clocks.now() - timedelta(minutes=1))
    ref = over(house)
    _, token = people.create_token(SYSTEM, username="root", name="tests", now=house.now)
    shell = Shell(live_server.url, token)
    assert "invite the participants" in shell.run("postmortem", "checklist", ref).stdout
    assert {one["state"] for one in shell.json("postmortem", "mark", ref, "B1") if one["item"] == "B1"} == {"done"}
    left = shell.json("postmortem", "mark", ref, "A5", "--explain", "Nothing was recorded")
    assert [one["reason"] for one in left if one["state"] == "explained"] == ["Nothing was recorded"]
    assert shell.run("postmortem", "mark", ref, "B1", "--explain", "x", "--open").exit_code == 2
    item = str(ActionItem.objects.get().pk)
    day = str((house.now + timedelta(days=21)).date())
    told = shell.json("action", "review", item, "--verdict", "not_done", "--with", "ben", "--next", day)
    assert told["review"] == day
    assert shell.run("action", "review", item, "--verdict", "dropped").exit_code == 1
    issue = shell.json("incident", "note-tension", ref, "We do not talk", "--share-with", "ada")
    assert shell.json("incident", "tensions", ref)["open"] == 1
    assert shell.run("postmortem", "move", ref, "in_review").exit_code == 1
    assert shell.json("incident", "settle-tension", ref, str(issue["id"]))["settled_at"]
    words = ("--major", "--met", "critical_services", "--met", "malicious_access")
    assert shell.json("incident", "classify-for", ref, "dora", *words)["items"][0]["major"] is True
    told = shell.json("incident", "report-to", ref, "dora", "initial", "--reference", "A-7")
    assert told["items"][0]["reports"][0]["reference"] == "A-7"
    assert "intermediate" in shell.run("incident", "authorities", ref).stdout


@pytest.fixture
def ada(house: House) -> Client:
    return signed_in("ada")


def test_the_checklist_on_the_page_of_the_review(house: House, ada: Client) -> None:
    number = over(house).removeprefix("INC-")
    page = read(ada, f"/i/{number}/review")
    assert "6 of 6 open" in page
    assert ada.post(f"/i/{number}/review/checklist/B1", {"state": "done"}).status_code == 302
    assert ada.post(f"/i/{number}/review/checklist/B2/explain", {"reason": ""}).status_code == 422
    assert ada.post(f"/i/{number}/review/checklist/B2/explain", {"reason": "We know"}).status_code == 302
    page = read(ada, f"/i/{number}/review")
    assert "4 of 6 open" in page
    assert "left out: We know" in page
    assert Postmortem.objects.get().marks.count() == 2
    worlds.person("rea", role="reader", now=house.now)
    assert "review/checklist/B1" not in read(signed_in("rea"), f"/i/{number}/review")
    assert signed_in("rea").post(f"/i/{number}/review/checklist/B3", {"state": "done"}).status_code == 403


def test_an_action_item_is_reviewed_on_its_page(house: House, ada: Client) -> None:
    over(house)
    item = ActionItem.objects.get()
    path = f"/actions/{item.pk}/review"
    assert "How does it stand?" in read(ada, path)
    assert ada.post(path, {"verdict": "not_done"}).status_code == 422
    day = str((house.now + timedelta(days=21)).date())
    told = {"verdict": "not_done", "next_review": day, "participants": ["ben"], "note": "Waits for parts"}
    assert ada.post(path, told).status_code == 302
    page = read(ada, path)
    assert "Waits for parts" in page
    assert "with ben, ada" in page


def test_tensions_are_noted_read_by_few_and_settled_on_their_page(house: House, ada: Client) -> None:
    number = over(house).removeprefix("INC-")
    path = f"/i/{number}/people/tensions"
    assert "None is open" in read(ada, path)
    assert ada.post(path, {"text": ""}).status_code == 422
    assert ada.post(path, {"text": "We do not talk", "objects": "on"}).status_code == 302
    assert "We do not talk" in read(ada, path)
    worlds.person("zoe", now=house.now)
    other = read(signed_in("zoe"), path)
    assert "1 open" in other
    assert "We do not talk" not in other
    review = read(ada, f"/i/{number}/review")
    assert "so the meeting waits" in review
    assert 'data-testid="move-in_review"' not in review
    [issue] = incidents_issues(number)
    ben = signed_in("ben")
    ben.post(f"{path}/{issue}/settle")
    assert "1 open" in read(ada, path)
    ada.post(f"{path}/{issue}/settle")
    assert "None is open" in read(ada, path)


def incidents_issues(number: str) -> list[int]:
    from tocsin.incidents.models import PeopleIssue

    return list(PeopleIssue.objects.filter(incident__number=number).values_list("pk", flat=True))


def test_an_authority_on_its_page(house: House, ada: Client) -> None:
    number = over(house).removeprefix("INC-")
    assert "see-authorities" in read(ada, f"/i/{number}")
    path = f"/i/{number}/authorities"
    assert "Nobody has said yet" in read(ada, path)
    assert ada.post(f"{path}/dora/finding", {"major": "yes"}).status_code == 422
    met = ["critical_services", "malicious_access"]
    assert ada.post(f"{path}/dora/finding", {"major": "yes", "met": met}).status_code == 302
    assert "not sent" in read(ada, path)
    assert ada.post(f"{path}/dora/report", {"report": "final"}).status_code == 422
    assert ada.post(f"{path}/dora/report", {"report": "initial", "reference": "A-7"}).status_code == 302
    page = read(ada, path)
    assert "A-7" in page
    assert "in time" in page
    assert read(ada, f"{path}/nis2/finding", 404)
