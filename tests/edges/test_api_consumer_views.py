"""Consumers' views over JSON and on the command line: the same words, the same refusals."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_django.live_server_helper import LiveServer

from tests.domains import slo_worlds, worlds
from tests.edges.api_client import Caller
from tests.edges.test_cli import Shell
from tocsin.core.access import SYSTEM
from tocsin.core.consumer_views import ORIENTATIONAL
from tocsin.people import actions as people
from tocsin.platform import clock as clocks
from tocsin.slo import actions

pytestmark = pytest.mark.django_db(transaction=True)

SLO = "notify-availability"
VIEWS = f"/api/v1/priorities/views/{SLO}"


@pytest.fixture(autouse=True)
def house() -> None:
    now = clocks.now()
    worlds.process(now=now)
    worlds.person("mona", in_team="notifications", is_owner=True, now=now)
    worlds.person("sia", in_team="shop", is_owner=True, now=now)
    worlds.service("notifications", of_team="notifications", now=now)
    worlds.service("checkout", of_team="shop", now=now)
    slo_worlds.objective(SLO, service="notifications", now=now)
    actions.assign_priority(SYSTEM, objective=SLO, decision="set", priority=2, now=now)


def view(**more: Any) -> dict[str, Any]:
    return {"consumer": "checkout", "priority": "P1", "reason": "Orders wait for it.", **more}


@pytest.mark.req("R-9.2.8-1", "R-9.2.8-2", "R-9.2.8-3", "R-9.2.8-4")
def test_the_sample_row_is_said_listed_and_closed_over_json() -> None:
    now = clocks.now()
    provider, consumer, admin = Caller("mona", now=now), Caller("sia", now=now), Caller("root", role="admin", now=now)
    made = consumer.must("PUT", VIEWS, view(strategy="own_group"))
    assert (made["consumer"], made["priority"], made["notify"]) == ("service:checkout", 1, "shop-on-call")
    admin.must("PUT", VIEWS, view(consumer="group:customer-support", priority=3))
    listed = consumer.must("GET", "/api/v1/priorities/views")
    [row] = listed["items"]
    assert (row["priority"], row["spread"], row["round"], listed["note"]) == (2, 2, 1, ORIENTATIONAL)
    gaps = consumer.must("GET", "/api/v1/priorities/gaps?team=notifications")
    assert [(one["consumer"], one["levels"], one["flagged"], one["offers"]) for one in gaps["items"]] == [
        ("service:checkout", 1, True, ["adaptive_capacity", "own_group"]),
        ("group:customer-support", -1, False, []),
    ]
    assert gaps["items"][0]["strategy"] == "own_group"
    answers = {"service:checkout": "In spring.", "group:customer-support": "Orders hang on it."}
    body = {"rationale": "Most can wait.", "answers": answers}
    assert admin.ask("POST", f"{VIEWS}/rounds", body)[0] == 403
    closed = provider.must("POST", f"{VIEWS}/rounds", body)
    assert (closed["round"], closed["priority"], closed["rationale"]) == (1, 2, "Most can wait.")
    shown = consumer.must("GET", VIEWS)
    assert (shown["round"], shown["rounds"], shown["note"]) == (2, [closed], ORIENTATIONAL)


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("PUT", VIEWS, {"consumer": "checkout", "priority": "P1", "reason": " "}, 422),
        ("PUT", VIEWS, {"consumer": "checkout", "priority": "P77", "reason": "x"}, 422),
        ("PUT", VIEWS, {"consumer": "checkout"}, 422),
        ("PUT", "/api/v1/priorities/views/gone", {"consumer": "checkout", "priority": 1, "reason": "x"}, 404),
        ("PUT", VIEWS, {"consumer": "notifications", "priority": 1, "reason": "x"}, 403),
        ("POST", f"{VIEWS}/rounds", {"rationale": "x"}, 403),
        ("DELETE", f"{VIEWS}?consumer=checkout", None, 404),
        ("GET", "/api/v1/priorities/views/gone", None, 404),
        (
            "POST",
            "/api/v1/priorities/sessions",
            {"team": "shop", "held_at": "soon", "invited": [], "outcomes": {}},
            422,
        ),
    ],
)
def test_refusals_are_problems_with_a_status(method: str, path: str, body: Any, status: int) -> None:
    found, answer = Caller("sia", now=clocks.now()).ask(method, path, body)
    assert (found, answer["status"]) == (status, status)
    assert answer["detail"]


@pytest.mark.req("R-9.2.8-6")
def test_the_command_line_says_lists_closes_and_keeps_sessions(live_server: LiveServer) -> None:
    shells = {}
    for name in ("mona", "sia"):
        _, token = people.create_token(SYSTEM, username=name, name="tests", now=clocks.now())
        shells[name] = Shell(live_server.url, token)
    mona, sia = shells["mona"], shells["sia"]
    assert mona.json("priority", "ask", SLO, "service:checkout")["decision"] == "asked"
    said = sia.json(
        "priority", "view", SLO, "checkout", "P1", "--because", "Orders wait.", "--degrades-to", "By phone."
    )
    assert (said["priority"], said["strategy"]) == (1, "adaptive_capacity")
    table = sia.run("priority", "views", "--gaps")
    assert table.exit_code == 0
    assert "service:checkout" in table.stdout
    assert ORIENTATIONAL in table.stderr
    assert "service:checkout=1" in sia.run("priority", "views").stdout
    assert sia.run("priority", "views", "--slo", SLO).exit_code == 0
    refused = sia.run("priority", "close-round", SLO, "--because", "Ours.")
    assert (refused.exit_code, refused.stdout, refused.stderr.count("\n")) == (1, "", 1)
    assert mona.run("priority", "close-round", SLO, "--because", "x", "--answer", "nothing").exit_code == 2
    answered = mona.json(
        "priority", "close-round", SLO, "--because", "Most wait.", "--answer", "service:checkout=In spring."
    )
    assert answered["answers"] == {"service:checkout": "In spring."}
    kept = mona.json(
        *("priority", "session", "notifications", "--at", "2026-11-20T10:00+01:00", "--invited", "Sia"),
        *("--invited", "Mona", "--attended", "Sia", "--outcome", f"{SLO}=Stays."),
    )
    assert (kept["held_at"], kept["invited"], kept["attended"]) == ("2026-11-20T09:00:00Z", ["Sia", "Mona"], ["Sia"])
    assert mona.json("priority", "sessions")["items"][0]["outcomes"] == {SLO: "Stays."}


@pytest.mark.req("R-9.2.8-5")
def test_a_dependent_incident_is_declared_and_shown_with_its_link(live_server: LiveServer) -> None:
    _, token = people.create_token(SYSTEM, username="sia", name="tests", now=clocks.now())
    shell = Shell(live_server.url, token)
    upstream = shell.json(
        "incident", "declare", "--title", "Nothing is sent", "--service", "notifications", "--priority", "3"
    )
    own = shell.json(
        *("incident", "declare", "--title", "Orders wait", "--service", "checkout", "--priority", "1"),
        *("--caused-by", upstream["id"]),
    )
    shown = shell.json("incident", "show", own["id"])
    [link] = shown["caused_by_upstream"]
    assert (link["link"], link["incident"], shown["priority"]) == ("caused_by_upstream", upstream["id"], 1)
    assert shell.json("incident", "show", upstream["id"])["dependents"] == [own["id"]]
    assert shell.json("incident", "show", upstream["id"])["priority"] == 3
