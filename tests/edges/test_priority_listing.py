"""The public listing of priorities and a team's table of use cases, on pages, over JSON, by words and as a file."""

from __future__ import annotations

import csv
import io
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.domains import slo_worlds, worlds
from tests.domains.worlds import NOW
from tests.edges.api_client import Caller
from tests.edges.test_cli import Shell, shell
from tests.edges.web_client import has, marks, read, signed_in, words
from tocsin import demo
from tocsin.config import apply
from tocsin.core.access import Role
from tocsin.core.errors import Invalid
from tocsin.insights import priority_listing as listing
from tocsin.insights.priority_listing import Wanted
from tocsin.platform import clock as clocks
from tocsin.slo import actions

__all__ = ["shell"]

pytestmark = pytest.mark.django_db

FILES = Path(demo.__file__).parent / "files"
TEAMS = ("identity", "tickets", "payments", "notifications", "platform")
SAMPLE = (
    ("register-availability", "2"),
    ("notify-availability", "2"),
    ("notify-latency", "3"),
    ("preferences-availability", "none"),
    ("language-correctness", "none"),
)


def world(*, now: datetime = NOW) -> None:
    """Ada administers, Rea only reads; three SLOs of two teams and of nobody."""
    worlds.process(now=now)
    worlds.administrator(now=now)
    worlds.person("rea", role=Role.READER.value, now=now)
    worlds.service("log-on", of_team="identity", now=now, display_name="Log-on")
    worlds.service("tills", of_team="shop", now=now)
    worlds.service("archive", now=now)
    for name, service in (("log-on", "log-on"), ("till", "tills"), ("search", "archive")):
        slo_worlds.objective(name, service=service, target=Decimal("0.995"), now=now)


def decide(name: str, rank: int | None, *, now: datetime = NOW, **fields: Any) -> None:
    decision = "none" if rank is None else "set"
    actor = worlds.administrator(now=now)
    actions.assign_priority(actor, objective=name, decision=decision, priority=rank, now=now, **fields)


@pytest.mark.req("R-9.2-3")
def test_every_slo_stands_in_the_listing_with_priority_team_since_and_by_and_a_reader_may_see_it() -> None:
    world()
    decide("log-on", 1, reason="Nobody can work without it", groups=["management"])
    decide("till", None)
    page = read(signed_in("rea"), "/priorities/slos")
    assert sorted(marks(page, "listed-")) == ["log-on", "search", "till"]
    first = words(page, "listed-log-on")
    for said in ("P1", "Act now", "identity", "ada", "Nobody can work without it", "23 Nov"):
        assert said in first
    assert "none" in words(page, "listed-till")
    assert "not decided yet" in words(page, "listed-search")
    assert "no team" in words(page, "listed-search")


@pytest.mark.req("R-9.2-3")
def test_the_listing_is_the_same_over_json(clock: Any) -> None:
    world()
    decide("log-on", 2, raise_rule={"more_than": 3, "within_seconds": 3600, "to": 1})
    decide("till", None)
    answer = Caller("rea").must("GET", "/api/v1/priorities/slos")
    found = {row["slo"]: row for row in answer["items"]}
    assert {name: row["priority_code"] for name, row in found.items()} == {
        "log-on": "P2",
        "till": "none",
        "search": "unset",
    }
    assert {name: row["priority_state"] for name, row in found.items()} == {
        "log-on": "set",
        "till": "none",
        "search": "unset",
    }
    told = found["log-on"]
    assert (told["team"], told["by"], told["since"]) == ("identity", "ada", "2026-11-23T02:12:00Z")
    assert (told["raised_to"], told["raised_after"], told["raised_within_seconds"]) == ("P1", 3, 3600)
    assert (found["search"]["by"], found["search"]["since"]) == (None, None)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("priority=P1", ["log-on"]),
        ("priority=p1", ["log-on"]),
        ("priority=1", ["log-on"]),
        ("priority=none", ["till"]),
        ("priority=unset", ["search"]),
        ("team=shop", ["till"]),
        ("service=archive", ["search"]),
        ("q=LOG", ["log-on"]),
        ("team=shop&priority=P1", []),
        ("priority=P3", []),
    ],
)
def test_each_filter_narrows_page_and_interface_alike(asked: str, found: list[str], clock: Any) -> None:
    world()
    decide("log-on", 1)
    decide("till", None)
    assert marks(read(signed_in("rea"), f"/priorities/slos?{asked}"), "listed-") == found
    answer = Caller("rea").must("GET", f"/api/v1/priorities/slos?{asked}")
    assert [row["slo"] for row in answer["items"]] == found


def test_an_unknown_priority_is_named_with_those_there_are(clock: Any) -> None:
    world()
    with pytest.raises(Invalid) as refusal:
        listing.lines(worlds.administrator(), Wanted(priority="P9"), now=NOW)
    assert "P1, P2, P3, P4, none, unset" in refusal.value.fields["priority"]
    status, answer = Caller("rea").ask("GET", "/api/v1/priorities/slos?priority=P9")
    assert (status, "priority" in answer["fields"]) == (422, True)
    page = read(signed_in("rea"), "/priorities/slos?priority=<b>")
    assert "There is no priority &#x27;&lt;b&gt;&#x27;" in page
    assert Caller().ask("GET", "/api/v1/priorities/slos")[0] == 401


@pytest.mark.req("R-9.2-3")
def test_the_table_file_has_every_column_and_holds_no_formula(clock: Any) -> None:
    world()
    decide("log-on", 1, reason='=HYPERLINK("http://x")', groups=["management", "customer-support"])
    client = signed_in("rea")
    answer = client.get("/priorities/slos.csv?priority=P1")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    [row] = csv.DictReader(io.StringIO(answer.content.decode()))
    assert tuple(row) == listing.COLUMNS
    assert (row["slo"], row["priority"], row["priority_name"], row["team"]) == ("log-on", "P1", "Act now", "identity")
    assert row["reason"] == '\'=HYPERLINK("http://x")'
    assert set(row["groups"].split()) == {"management", "customer-support"}


def test_a_long_listing_comes_in_pages_that_keep_the_filters() -> None:
    world()
    for number in range(53):
        slo_worlds.objective(f"extra-{number:02}", service="tills")
    first = read(signed_in("rea"), "/priorities/slos?team=shop")
    assert "1 to 50 of 54" in words(first, "listing-part")
    assert "/priorities/slos?team=shop&amp;page=2" in first
    assert len(marks(read(signed_in("rea"), "/priorities/slos?team=shop&page=2"), "listed-")) == 4


def test_more_slos_cost_no_more_queries() -> None:
    world()
    decide("log-on", 1, groups=["management"])
    client = signed_in("rea")
    read(client, "/priorities/slos")
    with CaptureQueriesContext(connection) as few:
        read(client, "/priorities/slos")
    for number in range(8):
        slo_worlds.objective(f"more-{number}", service="tills")
        decide(f"more-{number}", 3, groups=["management"])
    with CaptureQueriesContext(connection) as many:
        read(client, "/priorities/slos")
    assert len(many) <= len(few)


def test_an_empty_house_says_where_to_begin() -> None:
    worlds.process()
    worlds.administrator()
    page = read(signed_in("ada"), "/priorities/slos")
    assert "tocsin apply" in words(page, "listing-empty")
    assert not has(page, "listing-filters")


def sample() -> None:
    """The use cases of the notifications team, loaded from files."""
    worlds.process()
    for name in TEAMS:
        worlds.team(name)
    files = [FILES / name for name in ("services.yaml", "sources.yaml", "priorities.yaml")]
    plan = apply.apply_files(worlds.administrator(), [*files, *FILES.glob("slos-*.yaml")], dry_run=False, now=NOW)
    assert plan.errors == []


@pytest.mark.req("R-9.2.4-1")
def test_the_five_sample_rows_load_from_files_and_stand_in_the_table_of_their_team(client: Client) -> None:
    sample()
    page = read(signed_in("ada"), "/teams/notifications/slos")
    found = {name: words(page, f"use-case-{name}") for name, _ in SAMPLE}
    assert sorted(marks(page, "use-case-")) == sorted(found)
    for name, priority in SAMPLE:
        assert ("none" if priority == "none" else f"P{priority}") in found[name]
    row = found["notify-availability"]
    for said in ("No message goes out", "Availability", "POST /notify", "99.", "over 28 days", "P2"):
        assert said in row
    lines = listing.lines(worlds.administrator(), Wanted(team="notifications"), now=NOW)
    assert {line.objective.name: str(line.rank or line.word) for line in lines} == dict(SAMPLE)


def test_the_table_of_a_team_without_slos_and_of_no_team(client: Client) -> None:
    worlds.process()
    worlds.administrator()
    worlds.team("shop")
    assert "Start with what users do" in words(read(signed_in("ada"), "/teams/shop/slos"), "team-no-slos")
    read(signed_in("ada"), "/teams/nobody/slos", status=404)


@pytest.mark.django_db(transaction=True)
@pytest.mark.req("R-9.2-3")
def test_the_listing_by_words_as_lines_json_and_table_file(shell: Shell) -> None:
    world(now=clocks.now())
    decide("log-on", 1, now=clocks.now())
    found = {row["slo"]: row["priority_code"] for row in shell.json("priority", "list")["items"]}
    assert found == {"log-on": "P1", "search": "unset", "till": "unset"}
    assert [row["slo"] for row in shell.json("priority", "list", "--priority", "P1")["items"]] == ["log-on"]
    text = shell.run("priority", "list", "--team", "identity", "--csv").stdout
    assert [row["slo"] for row in csv.DictReader(io.StringIO(text))] == ["log-on"]
    wrong = shell.run("priority", "list", "--priority", "P9")
    assert (wrong.exit_code, wrong.stdout) == (1, "")
    assert "There is no priority" in wrong.stderr
