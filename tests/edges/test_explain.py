"""Every number opened up: on the page, over JSON and in the terminal, with sums that add up from the counts shown."""

from __future__ import annotations

import html
import json
import re
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from click.testing import CliRunner
from django.db import transaction
from django.test import Client
from pytest_django.live_server_helper import LiveServer

from tests.domains import slo_worlds, worlds
from tests.edges.api_client import Caller
from tocsin.core.access import SYSTEM
from tocsin.incidents import actions as incidents
from tocsin.incidents.models import IncidentBreach
from tocsin.people import actions as people_actions
from tocsin.people import queries as people
from tocsin.platform.clock import WoundClock
from tocsin.slo import actions, judging
from tocsin.slo.models import Breach, Objective
from tocsin.wiring.main import cli

pytestmark = pytest.mark.django_db(transaction=True)

PATH = "/api/v1/slos/log-on-availability/explain"
STORY = [0] * 110 + [800] * 10 + [0] * 60


@pytest.fixture
def slo(clock: WoundClock) -> Objective:
    """An outage of ten minutes an hour ago, judged as it went; four hours of quiet before and after."""
    now = clock.now()
    worlds.process(now=now)
    worlds.person("ada", in_team="identity", is_owner=True, time_zone="Europe/Berlin", now=now)
    worlds.service("log-on", of_team="identity", now=now)
    made = slo_worlds.objective(
        "log-on-availability", service="log-on", target=Decimal("0.99"), now=now - timedelta(hours=9)
    )
    slo_worlds.run(made, now - timedelta(hours=3), STORY, every=1)
    return made


@pytest.fixture
def mara(slo: Objective, clock: WoundClock) -> Caller:
    return Caller("mara", in_team="identity", now=clock.now())


def test_the_sums_add_up_from_the_counts_shown(mara: Caller) -> None:
    found = mara.must("GET", PATH)
    assert found["rule"]["name"] == "tocsin"
    assert found["target"] == "0.99"
    for one in found["windows"]:
        if one["valid"]:
            assert one["burn_rate"] == pytest.approx(one["bad"] / one["valid"] / 0.01)
    budget = {step["what"]: step["sum"] for step in found["budget_sum"]}
    assert budget["Granted"] == "180,000 events × 1 % = 1,800 may fail"
    assert budget["Spent"].startswith("8,000 ÷ 1,800")
    assert budget["Left"].endswith(": overspent")
    assert len(found["alerts"]) == 2


def test_a_breach_is_explained_under_what_held_at_its_moment(mara: Caller, slo: Objective, clock: WoundClock) -> None:
    row = Breach.objects.order_by("at")[5]
    before = mara.must("GET", f"{PATH}?breach={row.pk}")
    slo_worlds.objective("log-on-availability", service="log-on", target=Decimal("0.5"), now=clock.now())
    after = mara.must("GET", f"{PATH}?breach={row.pk}")
    assert (after["target"], after["revision"]) == ("0.99", 1)
    assert after["breach_sum"] == before["breach_sum"]
    assert after["breach"]["id"] == row.pk
    assert any("version 1" in note for note in after["notes"])
    own = next(one for one in after["windows"] if one["seconds"] == 3600)
    assert (own["valid"], own["bad"]) == (row.valid, row.bad)
    assert Fraction(row.bad, row.valid) / Fraction(1, 100) > 1
    # The other windows are counted again from the minutes that are kept.
    shortest = next(one for one in after["windows"] if one["seconds"] == 60)
    assert (shortest["valid"], shortest["bad"]) == (1000, 800)


def test_a_breach_of_another_slo_or_of_none_is_not_there(mara: Caller, clock: WoundClock) -> None:
    slo_worlds.objective("other", service="log-on", now=clock.now())
    row = Breach.objects.order_by("at")[0]
    assert mara.ask("GET", f"{PATH}?breach=999999")[0] == 404
    assert mara.ask("GET", f"/api/v1/slos/other/explain?breach={row.pk}")[0] == 404


def test_the_pages_say_the_same_and_lead_to_each_other(client: Client, slo: Objective) -> None:
    client.force_login(people.person("ada"), backend="django.contrib.auth.backends.ModelBackend")
    page = client.get("/slos/log-on/log-on-availability").content.decode()
    assert 'href="/slos/log-on/log-on-availability/explain"' in page
    linked = re.search(r'href="(/breaches/\d+)"', page)
    assert linked
    told = html.unescape(client.get(linked[1]).content.decode())
    assert "Why this was a breach" in told
    assert "more than allowed, so a breach" in told
    assert "No incident" in told
    row = Breach.objects.get(pk=int(linked[1].rsplit("/", 1)[1]))
    with transaction.atomic():
        found = incidents.declare(SYSTEM, title="Nobody can log on", service="log-on", now=row.at)
        IncidentBreach.objects.create(
            incident=found, breach=Breach.objects.filter(episode=row.episode).order_by("at")[0]
        )
    assert found.ref in client.get(linked[1]).content.decode()
    now = html.unescape(client.get("/slos/log-on/log-on-availability/explain").content.decode())
    assert "180,000 events × 1 % = 1,800 may fail" in now
    assert client.get("/breaches/999999").status_code == 404


def test_the_terminal_says_the_sums(live_server: LiveServer, slo: Objective, clock: WoundClock) -> None:
    worlds.administrator("root", now=clock.now())
    _, token = people_actions.create_token(SYSTEM, username="root", name="tests", now=clock.now())
    env = {"TOCSIN_URL": live_server.url, "TOCSIN_TOKEN": token}
    row = Breach.objects.order_by("at")[5]
    told = CliRunner().invoke(cli, ["slo", "explain", "log-on-availability"], env=env)
    assert told.exit_code == 0, told.output
    assert "Granted: 180,000 events × 1 % = 1,800 may fail" in told.stdout
    asked = ["slo", "explain", "log-on-availability", "--breach", str(row.pk), "--json"]
    assert json.loads(CliRunner().invoke(cli, asked, env=env).stdout)["breach"]["bad"] == row.bad
    wrong = CliRunner().invoke(cli, ["slo", "explain", "log-on-availability", "--breach", "999999"], env=env)
    assert wrong.exit_code == 1
    assert "no breach 999999" in wrong.stderr


@pytest.mark.req("R-9.2.5-6")
@pytest.mark.parametrize("fallback", ["remaining", "velocity"])
def test_a_priority_from_a_table_is_called_mechanical_and_exploratory_everywhere(
    mara: Caller, client: Client, clock: WoundClock, fallback: str, live_server: LiveServer
) -> None:
    now = clock.now()
    made = slo_worlds.objective(
        "tabled", service="log-on", target=Decimal("0.9999"), fallback=fallback, now=now - timedelta(hours=9)
    )
    slo_worlds.run(made, now - timedelta(hours=1), [0] * 30 + [900] * 30, every=1)
    row = Breach.objects.filter(objective=made, priority_rule=fallback).order_by("-at")[0]
    label = "mechanical, exploratory"
    assert label in mara.must("GET", "/api/v1/slos/tabled")["breaches"][0]["because"]
    assert label in mara.must("GET", f"/api/v1/slos/tabled/explain?breach={row.pk}")["breach"]["because"]
    client.force_login(people.person("ada"), backend="django.contrib.auth.backends.ModelBackend")
    for address in ("/slos/log-on/tabled", f"/breaches/{row.pk}"):
        assert label in client.get(address).content.decode()
    worlds.administrator("root", now=now)
    _, token = people_actions.create_token(SYSTEM, username="root", name="tests", now=now)
    env = {"TOCSIN_URL": live_server.url, "TOCSIN_TOKEN": token}
    words = ["slo", "explain", "tabled", "--breach", str(row.pk)]
    assert label in CliRunner().invoke(cli, words, env=env).stdout


@pytest.mark.req("R-9.2.5-4")
def test_the_tables_are_asked_at_a_breach_only(clock: WoundClock, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    real = judging.fallback_rank

    def counted(*given: object, **named: object) -> int | None:
        asked.append(named["now"])
        return real(*given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(judging, "fallback_rank", counted)
    worlds.process(now=clock.now())
    made = slo_worlds.objective("tabled", fallback="remaining", now=clock.now())
    slo_worlds.run(made, clock.now(), [0] * 20, every=1)
    assert asked == []
    slo_worlds.run(made, clock.now() + timedelta(minutes=20), [900] * 3, every=1)
    assert asked == list(Breach.objects.order_by("at").values_list("at", flat=True))
    assert actions.forget_counts(0, now=clock.now()) == made.pk
