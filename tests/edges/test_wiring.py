"""The wiring of a lived-in house: on its page, over JSON, and by words as text, Graphviz and Mermaid."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.browser import world as lived_in
from tests.domains import slo_worlds, worlds
from tests.edges.api_client import Caller
from tests.edges.test_cli import Shell, shell
from tests.edges.web_client import has, read, signed_in, words
from tocsin.core.access import SYSTEM
from tocsin.core.wiring_picture import Stage, orphans
from tocsin.insights import wiring_picture
from tocsin.oncall import actions as oncall
from tocsin.platform import clock as clocks
from tocsin.platform.clock import WoundClock
from tocsin.slo import actions as slo

__all__ = ["shell"]

pytestmark = pytest.mark.django_db


@pytest.fixture
def lived(clock: WoundClock) -> WoundClock:
    lived_in.build(clock)
    return clock


@pytest.mark.req("R-9.2.10-1")
def test_the_way_of_an_slo_is_drawn_from_its_source_to_the_phones_of_those_on_call(lived: WoundClock) -> None:
    graph = wiring_picture.picture(SYSTEM, now=lived.now())
    node = next(one for one in graph.nodes if one.stage is Stage.SLO and one.name == "log-on-availability")
    way = {stage: {one.name for one in graph.reached(node, stage)} for stage in Stage}
    assert way[Stage.PRIORITY] == {"P1"}
    assert way[Stage.SERVICE] == {"log-on"}
    assert way[Stage.ESCALATION] == {"identity-chain"}
    assert way[Stage.ROTATION] == {"identity-primary"}
    assert {"ana", "gus", "bo"} <= way[Stage.PERSON]
    assert way[Stage.CHANNEL] == {"email"}
    assert way[Stage.GROUP] == {"customer-support"}
    [joined] = [edge for edge in graph.edges if edge.start == node and edge.end.stage is Stage.SERVICE]
    assert joined.words == "one open incident for each SLO"


@pytest.mark.req("R-9.2.3-10")
def test_an_slo_that_wakes_by_a_policy_of_its_own_leads_there_too(lived: WoundClock) -> None:
    slo.assign_priority(
        SYSTEM, objective="refunds", decision="set", priority=3, escalation_policy="identity-chain", now=lived.now()
    )
    graph = wiring_picture.picture(SYSTEM, now=lived.now())
    node = next(one for one in graph.nodes if one.stage is Stage.SLO and one.name == "refunds")
    assert {one.name for one in graph.reached(node, Stage.ROTATION)} == {"identity-primary"}


@pytest.mark.req("R-9.2.10-1")
def test_an_alert_without_rotation_and_a_rotation_without_people_are_named_with_what_to_do(lived: WoundClock) -> None:
    layer = {"name": "old", "start": "2020-01-01T00:00:00Z", "until": "2020-02-01T00:00:00Z", "users": [["bo"]]}
    layer["rotation"] = {"unit": "week"}  # type: ignore[assignment]
    oncall.save_rotation(SYSTEM, {"name": "empty", "time_zone": "UTC", "layers": [layer]}, now=lived.now())
    found = {(one.node.stage, one.node.name): one for one in orphans(wiring_picture.picture(SYSTEM, now=lived.now()))}
    alert = found[Stage.SERVICE, "ticket-sales"]
    assert alert.do == "tocsin service set ticket-sales --escalation POLICY"
    lost = [one for one in orphans(wiring_picture.picture(SYSTEM, now=lived.now())) if one.node.name == "empty"]
    assert any(one.what == "is a rotation without people" for one in lost)
    assert (Stage.SLO, "refunds") in found
    page = read(signed_in("ana"), "/setup/wiring")
    assert "wake nobody" in words(page, "orphan-ticket-sales")
    assert "rotation without people" in page
    assert "tocsin priority set refunds PRIORITY" in words(page, "orphan-refunds")


def test_the_page_shows_each_alert_with_its_way_and_can_be_narrowed_to_a_team(lived: WoundClock) -> None:
    page = read(signed_in("rea"), "/setup/wiring")
    row = words(page, "wired-log-on-availability")
    for said in (
        "P1 Act now",
        "Log-on",
        "identity-chain",
        "identity-primary",
        "Ana Keller",
        "email",
        "Customer support",
    ):
        assert said in row
    assert "counts that are pushed" in row
    assert "undecided" in words(page, "wired-refunds")
    assert "none" not in words(page, "wired-refunds")
    only = read(signed_in("rea"), "/setup/wiring?team=tickets")
    assert has(only, "wired-refunds")
    assert not has(only, "wired-log-on-availability")


def test_a_decision_for_none_opens_nothing_and_is_no_orphan(lived: WoundClock) -> None:
    slo.assign_priority(SYSTEM, objective="refunds", decision="none", reason="nobody waits", now=lived.now())
    graph = wiring_picture.picture(SYSTEM, now=lived.now())
    node = next(one for one in graph.nodes if one.name == "refunds")
    assert graph.reached(node, Stage.SERVICE) == []
    assert not [one for one in orphans(graph) if one.node == node and "priority" in one.what]


def test_an_empty_house_says_where_to_begin(clock: WoundClock) -> None:
    worlds.process()
    worlds.administrator()
    assert "tocsin apply" in words(read(signed_in("ada"), "/setup/wiring"), "wiring-empty")


def test_the_drawings_are_files_and_unknown_ones_are_refused(lived: WoundClock) -> None:
    for ending, beginning in (("txt", "source"), ("dot", "digraph tocsin"), ("mmd", "flowchart LR")):
        answer = signed_in("rea").get(f"/setup/wiring.{ending}")
        assert answer.headers["Content-Disposition"] == f'attachment; filename="wiring.{ending}"'
        assert beginning in answer.content.decode()
    read(signed_in("rea"), "/setup/wiring.exe", status=404)
    caller = Caller("root", role="admin")
    assert caller.ask("GET", "/api/v1/wiring?format=svg")[0] == 422
    found = caller.must("GET", "/api/v1/wiring")
    assert {one["stage"] for one in found["nodes"]} >= {"SLO", "escalation", "rotation", "person", "channel"}
    assert all(found["nodes"][edge["from"]] and found["nodes"][edge["to"]] for edge in found["edges"])


def test_more_slos_cost_few_more_queries(lived: WoundClock) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as caught:
            wiring_picture.picture(SYSTEM, now=lived.now() + timedelta(minutes=1))
        return len(caught)

    asked()
    few = asked()
    for number in range(6):
        made = slo_worlds.objective(f"more-{number}", service="log-on", now=lived.now())
        slo.assign_priority(SYSTEM, objective=made, decision="set", priority=2, groups=["management"], now=lived.now())
    assert asked() <= few + 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.req("R-9.2.10-1")
def test_the_wiring_by_words_in_every_format(shell: Shell) -> None:
    worlds.service("tills", of_team="shop", now=clocks.now())
    slo_worlds.objective("till", service="tills", display_name="Tills answer", now=clocks.now())
    text = shell.run("wiring").stdout
    assert "SLO Tills answer\n  -> service tills (one open incident for each SLO)" in text
    assert "! service tills has alerts and no escalation" in text
    assert shell.run("wiring", "--format", "dot").stdout.startswith("digraph tocsin {")
    assert shell.run("wiring", "--format", "mermaid", "--team", "shop").stdout.startswith("flowchart LR")
    found: Any = shell.json("wiring")
    assert [one["what"] for one in found["orphans"]]
    assert shell.run("wiring", "--fail").exit_code == 1
    assert shell.run("wiring", "--team", "nobody", "--fail").exit_code == 0


@pytest.mark.req("R-9.2.10-1")
def test_the_page_draws_the_wiring_and_gives_it_as_files(lived: WoundClock) -> None:
    reader = signed_in("rea")
    page = read(reader, "/setup/wiring")
    assert "nowhere" in words(page, "wiring-finding")
    assert has(page, "wiring-picture-finding")
    assert has(page, "wiring-picture-table")
    assert 'href="/setup/wiring.svg?team=tickets"' in read(reader, "/setup/wiring?team=tickets")
    for size in ("", "&size=phone"):
        answer = reader.get(f"/setup/wiring.svg?theme=dark{size}")
        assert answer["Content-Type"].startswith("image/svg+xml")
        assert "<title>Wiring: " in answer.content.decode()
    assert reader.get("/setup/wiring.png").content[:8] == b"\x89PNG\r\n\x1a\n"
    assert reader.get("/setup/wiring.svg?theme=mauve").status_code == 422


@pytest.mark.django_db(transaction=True)
def test_the_picture_by_words_is_a_file_of_its_own(shell: Shell) -> None:
    worlds.service("tills", of_team="shop", now=clocks.now())
    slo_worlds.objective("till", service="tills", display_name="Tills answer", now=clocks.now())
    svg = shell.run("wiring", "--format", "svg").stdout
    assert svg.startswith("<svg xmlns=")
    assert "Tills answer" in svg
    assert "no escalation" in svg
