"""What if, as a page: today beside the supposed, each choice with its price, and the form that keeps what was typed."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client

from tests.domains import slo_worlds, worlds
from tests.domains.worlds import NOW
from tocsin.audit.models import Entry
from tocsin.core.access import SYSTEM
from tocsin.people import queries as people
from tocsin.platform.clock import WoundClock
from tocsin.slo import actions
from tocsin.slo.models import Objective

pytestmark = pytest.mark.django_db

PAGE = "/slos/log-on/log-on-availability/whatif"


@pytest.fixture
def slo(clock: WoundClock) -> Objective:
    """Ten minutes in which most log-ons failed, an hour ago, at 02:00 in Berlin."""
    worlds.process()
    worlds.person("ada", in_team="identity", is_owner=True, time_zone="Europe/Berlin")
    worlds.service("log-on", of_team="identity", display_name="Log-on")
    made = slo_worlds.objective(
        "log-on-availability", service="log-on", target=Decimal("0.99"), display_name="People can log on"
    )
    actions.assign_priority(SYSTEM, objective=made, decision="set", priority=1, now=NOW - timedelta(hours=9))
    slo_worlds.run(made, NOW - timedelta(hours=3), [0] * 110 + [800] * 10 + [0] * 60)
    return made


def page_of(client: Client, address: str, status: int = 200) -> str:
    client.force_login(people.person("ada"), backend="django.contrib.auth.backends.ModelBackend")
    answer = client.get(address)
    assert answer.status_code == status, answer.content
    return answer.content.decode()


def said(page: str, testid: str) -> str:
    found = re.search(rf'data-testid="{testid}"[^>]*>([^<]*)<', page)
    assert found, f"nothing is called {testid}"
    return found[1].strip()


def test_each_choice_has_its_price_and_the_present_one_says_so(client: Client, slo: Objective) -> None:
    page = page_of(client, PAGE)
    rows = {one: page.split(f'data-testid="choice-{one}"')[1].split("</tr>")[0] for one in ("1", "3", "none")}
    assert ">now<" in rows["1"]
    assert ">now<" not in rows["3"]
    assert re.findall(r">(\d+)<", rows["none"]) == ["0", "0", "0", "0"]
    assert "unknown, not good" in page
    assert "whatif-table" not in page


def test_a_supposed_target_stands_beside_today_and_writes_nothing(client: Client, slo: Objective) -> None:
    entries = Entry.objects.count()
    page = page_of(client, f"{PAGE}?target=50")
    assert said(page, "whatif-finding").startswith("No page in 90 days, instead of 1 page")
    assert said(page, "today-postmortems") == "1"
    assert said(page, "supposed-postmortems") == "0"
    assert 'value="50"' in page
    assert Entry.objects.count() == entries


def test_groups_chosen_or_all_taken_away_change_the_messages(client: Client, slo: Objective) -> None:
    some = page_of(client, f"{PAGE}?chosen=1&priority=2&groups=customer-support")
    none = page_of(client, f"{PAGE}?chosen=1&priority=3")
    assert int(said(some, "supposed-messages")) > 0
    assert said(none, "supposed-messages") == "0"


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("target=abc", "Give the target in percent"),
        ("target=100", "lies above 0 and below 100"),
        ("rule=guess", "unknown rule"),
        ("priority=perhaps", "Choose one of the priorities"),
        ("priority=9", "must be one of"),
        ("chosen=1&priority=1&groups=nobody", "no stakeholder group"),
    ],
)
def test_what_cannot_be_supposed_is_said_at_its_field(client: Client, slo: Objective, query: str, words: str) -> None:
    page = page_of(client, f"{PAGE}?{query}", status=422)
    assert words in page.replace("&#x27;", "'")
    assert "whatif-choices" in page


def test_the_page_of_the_slo_leads_there_and_another_services_does_not(client: Client, slo: Objective) -> None:
    assert f'href="{PAGE}"' in page_of(client, "/slos/log-on/log-on-availability")
    page_of(client, "/slos/another/log-on-availability/whatif", status=404)
