"""The list of SLOs: what a row says, how it is searched and filtered, and that a page of it stays a page."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.domains import slo_worlds, worlds
from tests.domains.slo_worlds import MINUTE
from tests.domains.worlds import NOW
from tests.edges.test_web_slos import healthy, house, part, signed_in, slo, text_of
from tocsin.slo.models import Objective, ObjectiveState
from tocsin.web import slo_search

__all__ = ["house"]

pytestmark = pytest.mark.django_db


def shown(page: str) -> list[str]:
    """The names of the SLOs of a page, from the top."""
    return [piece.split('"')[0] for piece in page.split('data-row data-testid="slo-')[1:]]


def row_of(page: str, name: str) -> str:
    return part(page, f"slo-{name}", "</tr>")


def move(made: Objective, short: float, long: float) -> None:
    """Let the evaluator have measured these burn rates."""
    ObjectiveState.objects.filter(objective=made).update(burn_rates={"300": short, "3600": long}, health="met")


def test_a_row_says_its_finding_and_what_is_left_in_three_units(client: Client) -> None:
    healthy()
    row = row_of(text_of(signed_in(client), "/slos"), "log-on-availability")
    assert part(row, "finding-log-on-availability").endswith("90% left, not within this window")
    assert "of full outage" in row
    assert "9,000 failed events" in row


def test_the_units_of_a_row_are_those_of_its_page(client: Client) -> None:
    healthy()
    row = row_of(text_of(signed_in(client), "/slos"), "log-on-availability")
    page = text_of(client, "/slos/log-on/log-on-availability")
    for unit in ("left-outage", "left-events", "left-percent"):
        assert part(page, unit).split(">")[1] in row


@pytest.mark.parametrize(
    ("short", "long", "word", "code"),
    [
        (50, 50, "Burning", "burning"),
        (50, 1, "Rising", "rising"),
        (1, 50, "Recovering", "recovering"),
        (1, 1, "Fine", "fine"),
    ],
)
def test_each_state_has_its_word_and_its_filter(
    client: Client, short: float, long: float, word: str, code: str
) -> None:
    move(healthy(), short, long)
    assert f">{word}</span>" in row_of(text_of(signed_in(client), "/slos"), "log-on-availability")
    for asked in ("burning", "rising", "recovering", "fine", "unknown", "spent"):
        assert shown(text_of(client, f"/slos?state={asked}")) == (["log-on-availability"] if asked == code else [])


def test_what_is_unknown_is_hatched_and_in_no_other_state_whatever_burnt_last(client: Client) -> None:
    made = healthy()
    ObjectiveState.objects.filter(objective=made).update(health="no_data", burn_rates={"300": 0.0, "3600": 0.0})
    row = row_of(text_of(signed_in(client), "/slos?state=unknown"), "log-on-availability")
    assert "chip hatched" in row
    assert "Nobody can tell how much is left" in row
    assert "chip good" not in row
    assert shown(text_of(client, "/slos?state=fine")) == []


def test_an_overspent_budget_counts_what_failed_beyond_it(client: Client) -> None:
    made = slo()
    slo_worlds.push(made, NOW - MINUTE, good=900, bad=100, now=NOW)
    slo_worlds.judge(made, NOW)
    row = row_of(text_of(signed_in(client), "/slos?state=spent"), "log-on-availability")
    assert "90 events over" in row
    assert "Overspent by 900%" in row


def test_team_service_and_words_narrow_the_list(client: Client) -> None:
    worlds.service("sales", of_team="tickets", display_name="Ticket sales")
    slo("log-on-speed", display_name="Fast")
    slo_worlds.objective("orders", service="sales", display_name="Orders are taken")
    page = signed_in(client)
    assert shown(text_of(page, "/slos?team=tickets")) == ["orders"]
    assert shown(text_of(page, "/slos?service=log-on")) == ["log-on-speed"]
    assert shown(text_of(page, "/slos?q=TAKEN+orders")) == ["orders"]
    assert shown(text_of(page, "/slos?q=ticket")) == ["orders"]
    assert shown(text_of(page, "/slos?team=tickets&service=log-on")) == []


def test_a_search_without_a_match_repeats_what_was_typed_as_text(client: Client) -> None:
    slo()
    page = text_of(signed_in(client), "/slos?q=<script>x")
    assert "No match for &lt;script&gt;x." in part(page, "slos-no-match", "</strong>")


def test_a_long_list_comes_in_pages_that_keep_the_search(client: Client) -> None:
    for number in range(slo_search.SHOWN + 3):
        slo(f"speed-{number:02}", display_name=f"Fast {number}")
    slo("other", display_name="Other")
    first = text_of(signed_in(client), "/slos?q=fast")
    assert len(shown(first)) == slo_search.SHOWN
    assert "1 to 25 of 28" in part(first, "slos-part")
    assert 'href="/slos?q=fast&amp;page=2"' in first
    second = text_of(client, "/slos?q=fast&page=2")
    assert len(shown(second)) == 3
    assert not set(shown(first)) & set(shown(second))
    assert 'href="/slos?q=fast"' in second


@pytest.mark.parametrize("page", ["0", "-1", "x", "99999", "٣", "9" * 40])
def test_a_page_that_does_not_exist_is_the_nearest_one(client: Client, page: str) -> None:
    slo()
    assert shown(text_of(signed_in(client), f"/slos?page={page}")) == ["log-on-availability"]


def test_more_slos_cost_no_more_queries(client: Client) -> None:
    healthy("one")
    address = "/slos"
    text_of(signed_in(client), address)
    with CaptureQueriesContext(connection) as few:
        text_of(client, address)
    for number in range(6):
        healthy(f"more-{number}")
    with CaptureQueriesContext(connection) as many:
        text_of(client, address)
    assert len(many) <= len(few) + 1
