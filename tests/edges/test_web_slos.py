"""SLOs as pages: danger first, unknown never green, three units, the priority of the moment, and deciding it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.domains import slo_worlds, worlds
from tests.domains.slo_worlds import MINUTE
from tests.domains.worlds import NOW
from tocsin.core.access import SYSTEM, Role
from tocsin.people import actions as teams
from tocsin.people import queries as people
from tocsin.platform.clock import WoundClock
from tocsin.slo import actions, queries
from tocsin.slo.models import Breach, Objective, ObjectiveState, PriorityAssignment

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def house(clock: WoundClock) -> None:
    """Ada owns the team of log-on."""
    worlds.process()
    worlds.person("ada", in_team="identity", is_owner=True, display_name="Ada Moor", time_zone="Europe/Berlin")
    worlds.service("log-on", of_team="identity", display_name="Log-on")
    teams.update_team(SYSTEM, name="identity", stage="mature", now=NOW)


def slo(name: str = "log-on-availability", **fields: object) -> Objective:
    fields.setdefault("display_name", "People can log on")
    return slo_worlds.objective(name, service="log-on", target=Decimal("0.99"), **fields)


def healthy(name: str = "log-on-availability", **fields: object) -> Objective:
    """A million events in three days, a tenth of what may fail has failed."""
    made = slo(name, **fields)
    slo_worlds.push(made, NOW - timedelta(days=3), good=989_020, bad=980, now=NOW - timedelta(days=2))
    slo_worlds.push(made, NOW - MINUTE, good=9980, bad=20, now=NOW)
    slo_worlds.judge(made, NOW)
    return made


def burning(name: str = "log-on-availability", **fields: object) -> Objective:
    """A quiet week, then ten minutes in which a third fails, judged each minute."""
    made = slo(name, **fields)
    slo_worlds.push(made, NOW - timedelta(days=3), good=999_000, bad=1000, now=NOW - timedelta(days=2))
    for minute in range(10):
        at = NOW - (10 - minute) * MINUTE
        slo_worlds.push(made, at, good=650, bad=350, now=at + MINUTE)
        slo_worlds.judge(made, at + MINUTE)
    return made


def signed_in(client: Client, username: str = "ada") -> Client:
    client.force_login(people.person(username), backend="django.contrib.auth.backends.ModelBackend")
    return client


def text_of(client: Client, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status, answer.content
    return answer.content.decode()


def part(page: str, testid: str, end: str = "</") -> str:
    return page.split(f'data-testid="{testid}"')[1].split(end, maxsplit=1)[0]


def test_slos_in_danger_stand_first_and_unknown_ones_before_the_well(client: Client) -> None:
    healthy("a-well", display_name="Well")
    slo("b-silent", display_name="Silent")
    burning("c-burning", display_name="Hot")
    page = text_of(signed_in(client), "/slos")
    places = [page.index(f'data-testid="slo-{name}"') for name in ("c-burning", "b-silent", "a-well")]
    assert places == sorted(places)


def test_an_slo_without_data_says_since_when_and_is_nowhere_good(client: Client) -> None:
    made = slo()
    slo_worlds.push(made, NOW - 5 * HOUR, good=1000, bad=0, now=NOW - 5 * HOUR)
    slo_worlds.judge(made, NOW)
    assert ObjectiveState.objects.get(objective=made).health == "no_data"
    row = part(text_of(signed_in(client), "/slos"), "slo-log-on-availability", "</tr>")
    assert "No data since" in row
    assert "22:12 CET" in row
    assert "chip good" not in row
    page = text_of(client, "/slos/log-on/log-on-availability")
    assert "This is shown as unknown, not as good." in page
    assert "unknown" in part(page, "left-percent")
    assert "chip good" not in page
    assert "we cannot tell" in part(page, "burn-down-finding")


def test_minutes_after_the_data_stopped_no_picture_and_no_word_is_good_any_more(
    client: Client, clock: WoundClock
) -> None:
    actions.save_source(SYSTEM, name="counters", kind="push", every=timedelta(seconds=20), now=NOW)
    made = healthy(source="counters")
    clock.wind(3 * MINUTE)
    slo_worlds.judge(made, clock.now())
    page = text_of(signed_in(client), "/slos/log-on/log-on-availability")
    assert "we cannot tell" in part(page, "burn-down-finding")
    assert "chip good" not in page
    assert "fine" not in part(page, "direction")
    now = text_of(client, "/")
    assert "Nothing needs you" not in now
    assert "1 SLO without data, so unknown" in now
    assert "No data since" in part(now, "danger-log-on-availability", "</li>")


def test_impossible_numbers_are_called_so_with_their_reason(client: Client) -> None:
    made = healthy()
    actions.mark_invalid({made.pk: "the source sent a value that is no number"}, now=NOW + MINUTE)
    slo_worlds.judge(made, NOW + MINUTE)
    page = text_of(signed_in(client), "/slos/log-on/log-on-availability")
    assert "Impossible numbers since" in part(page, "invalid-data", "</div>")
    assert "The source sent a value that is no number." in page
    assert "chip good" not in page
    assert "Impossible numbers, so unknown" in part(text_of(client, "/"), "danger-log-on-availability", "</li>")


def test_a_past_that_is_being_read_says_how_far_it_has_come(client: Client) -> None:
    made = slo()
    ObjectiveState.objects.filter(objective=made).update(
        reading_from=NOW - timedelta(days=28), pulled_until=NOW - timedelta(days=16)
    )
    page = text_of(signed_in(client), "/slos/log-on/log-on-availability")
    assert "Reading the past: 12 of 28 days" in part(page, "reading-past", "</div>")
    assert "chip good" not in page


def test_a_source_that_does_not_answer_says_from_when_the_numbers_are(client: Client) -> None:
    actions.save_source(SYSTEM, name="prom", url="http://127.0.0.1:9090", now=NOW)
    made = healthy(source="prom", good_query="sum(a_total)", total_query="sum(b_total)")
    type(made.source).objects.update(last_error="answered 503: overloaded")
    slo_worlds.push(made, NOW - 4 * MINUTE, good=10, bad=0, now=NOW)
    ObjectiveState.objects.filter(objective=made).update(last_data_at=NOW - 4 * MINUTE)
    page = text_of(signed_in(client), "/slos/log-on/log-on-availability")
    assert "As of" in part(page, "stale-data", "</div>")
    assert "answered 503: overloaded" in part(page, "stale-data", "</div>")


def test_an_undecided_slo_is_called_undecided_and_can_be_asked_for(client: Client) -> None:
    healthy("log-on-speed", display_name="Fast")
    decided = healthy()
    actions.assign_priority(SYSTEM, objective=decided, decision="set", priority=2, now=NOW)
    page = text_of(signed_in(client), "/slos")
    assert "undecided" in part(page, "slo-log-on-speed", "</tr>")
    assert "1 without a priority" in page
    only = text_of(client, "/slos?priority=unset")
    assert "slo-log-on-speed" in only
    assert 'data-testid="slo-log-on-availability"' not in only
    assert "No SLO matches." in text_of(client, "/slos?priority=1")


def test_without_slos_the_page_names_the_first_step(client: Client) -> None:
    assert "tocsin apply ./slos" in text_of(signed_in(client), "/slos")


def test_the_strip_has_ninety_days_and_hatches_those_without_data(client: Client) -> None:
    healthy()
    row = part(text_of(signed_in(client), "/slos"), "slo-log-on-availability", "</tr>")
    assert row.count("no data</title>") == 88
    assert row.count('class="cell-good"') == 2


def test_the_page_tells_what_is_left_in_three_units_and_when_it_is_gone(client: Client) -> None:
    made = healthy()
    page = text_of(signed_in(client), "/slos/log-on/log-on-availability")
    view = queries.budget(SYSTEM, made, now=NOW)
    assert (view.left, view.events_left) == (Decimal("0.9"), 9000)
    assert "90%" in part(page, "left-percent")
    assert ">9,000" in part(page, "left-events")
    assert "6 h 2 min" in part(page, "left-outage")
    assert "not within this window" in part(page, "gone")
    assert "not gone within this window" in part(page, "burn-down-finding")


def test_the_burn_down_carries_its_breaches_its_finding_and_the_same_numbers_as_a_table(client: Client) -> None:
    made = burning()
    page = text_of(signed_in(client), "/slos/log-on/log-on-availability")
    left = queries.budget(SYSTEM, made, now=NOW).left
    assert left is not None
    finding = part(page, "burn-down-finding")
    assert f"{float(left) * 100:.0f}% of the budget left" in finding
    table = part(page, "burn-down-table", "</table>")
    assert f"{float(left) * 100:.1f}%" in table
    assert "% failed" in part(page, "burn-down", "</svg>")


def test_the_burn_rate_says_its_state_in_a_word(client: Client) -> None:
    burning()
    page = text_of(signed_in(client), "/slos/log-on/log-on-availability")
    assert "Rising" in part(page, "burn-rate-finding") or "Burning" in part(page, "burn-rate-finding")
    other = text_of(client, "/slos/log-on/log-on-availability?windows=1")
    assert 'aria-current="page" data-testid="windows-1"' in other
    assert text_of(client, "/slos/log-on/log-on-availability?windows=junk")


@pytest.mark.req("R-9.2.4-3")
def test_a_breach_keeps_the_priority_it_had_when_the_decision_changes(client: Client) -> None:
    made = slo()
    actions.assign_priority(SYSTEM, objective=made, decision="set", priority=3, now=NOW - HOUR)
    burning()
    assert Breach.objects.filter(priority=3).exists()
    signed_in(client).post("/slos/log-on/log-on-availability/priority", {"priority": "1", "reason": "No sale without"})
    page = text_of(client, "/slos/log-on/log-on-availability")
    assert "rank-1" in part(page, "priority-now", "</p>")
    assert "rank-3" in part(page, "breaches", "</table>")
    assert "rank-1" not in part(page, "breaches", "</table>")
    assert "No sale without" in page


@pytest.mark.req("R-9.2.4-2")
def test_a_decision_names_a_priority_the_groups_and_the_reason(client: Client) -> None:
    made = healthy()
    given = {"priority": "2", "groups": ["customer-support"], "reason": "The desk must know"}
    answer = signed_in(client).post("/slos/log-on/log-on-availability/priority", given, follow=True)
    held = queries.assignment_at(made, NOW)
    assert held is not None
    assert (held.priority, held.assigned_by, held.reason) == (2, "ada", "The desk must know")
    assert [group.code for group in held.groups.all()] == ["customer-support"]
    assert "It holds for breaches from now on." in answer.content.decode()


def test_none_is_a_decision_of_its_own(client: Client) -> None:
    made = healthy()
    signed_in(client).post("/slos/log-on/log-on-availability/priority", {"priority": "none"})
    held = queries.assignment_at(made, NOW)
    assert held is not None
    assert held.decision == "none"
    assert "A breach is kept, nothing follows from it." in text_of(client, "/slos/log-on/log-on-availability")


def test_each_choice_shows_what_follows_before_it_is_made(client: Client) -> None:
    healthy()
    form = part(text_of(signed_in(client), "/slos/log-on/log-on-availability"), "priority-form", "</form>")
    assert "A postmortem follows" in form
    assert "An update at least every 4 h" in form


def test_a_decision_without_a_choice_is_refused_and_the_reason_is_kept(client: Client) -> None:
    healthy()
    answer = signed_in(client).post("/slos/log-on/log-on-availability/priority", {"reason": "Because <b>"})
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "Choose what a breach of People can log on means." in page
    assert "Because &lt;b&gt;" in page
    assert not PriorityAssignment.objects.exists()


def test_a_priority_can_be_raised_after_several_breaches(client: Client) -> None:
    made = healthy()
    given = {"priority": "3", "more_than": "3", "hours": "0.5", "raise_to": "2"}
    signed_in(client).post("/slos/log-on/log-on-availability/priority", given)
    held = queries.assignment_at(made, NOW)
    assert held is not None
    assert held.raise_rule == {"more_than": 3, "within_seconds": 1800, "to": 2, "count": "episodes"}
    page = text_of(client, "/slos/log-on/log-on-availability")
    assert "Becomes P2 after more than 3 breaches within 30 min." in page


@pytest.mark.parametrize("hours", ["soon", "", "nan", "inf"])
def test_a_raise_rule_nobody_can_read_is_refused(client: Client, hours: str) -> None:
    healthy()
    given = {"priority": "3", "more_than": "3", "hours": hours, "raise_to": "2"}
    answer = signed_in(client).post("/slos/log-on/log-on-availability/priority", given)
    assert answer.status_code == 422


def test_who_may_not_decide_sees_no_form_and_whom_to_ask(client: Client) -> None:
    healthy()
    worlds.person("rea", role=Role.RESPONDER.value)
    page = text_of(signed_in(client, "rea"), "/slos/log-on/log-on-availability")
    assert "priority-form" not in page
    assert "To change it, ask identity." in page
    refused = client.post("/slos/log-on/log-on-availability/priority", {"priority": "1"})
    assert refused.status_code == 403


def test_hostile_text_stays_text(client: Client) -> None:
    healthy(
        display_name="<script>alert(1)</script>",
        use_case='"><img src=x onerror=alert(1)>',
        runbook_url="javascript:alert(1)",
    )
    for address in ("/slos", "/slos/log-on/log-on-availability", "/priorities/map"):
        page = text_of(signed_in(client), address)
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert 'href="javascript:' not in page


def test_an_slo_of_another_service_is_not_there(client: Client) -> None:
    healthy()
    text_of(signed_in(client), "/slos/checkout/log-on-availability", status=404)
    text_of(client, "/slos/log-on/unknown", status=404)


def test_the_map_shows_undecided_slos_first_and_decides_with_one_press(client: Client) -> None:
    decided = healthy("a-decided", display_name="Decided")
    actions.assign_priority(SYSTEM, objective=decided, decision="set", priority=2, now=NOW)
    open_one = healthy("z-open", display_name="Open")
    page = text_of(signed_in(client), "/priorities/map")
    assert page.index("map-z-open") < page.index("map-a-decided")
    assert "1 of 2 SLOs has no decision" in page
    answer = client.post("/slos/log-on/z-open/priority", {"priority": "1", "next": "map"})
    assert answer.headers["Location"] == "/priorities/map"
    assert queries.assignment_at(open_one, NOW) is not None
    assert "Every breach has a meaning." in text_of(client, "/priorities/map")


def test_the_list_asks_no_more_for_twenty_slos_than_for_two(client: Client) -> None:
    signed_in(client)
    for number in range(2):
        healthy(f"slo-{number}")
    client.get("/slos")
    with CaptureQueriesContext(
        connection,
    ) as few:
        client.get("/slos")
    for number in range(2, 20):
        healthy(f"slo-{number}")
    with CaptureQueriesContext(connection) as many:
        client.get("/slos")
    assert len(many) == len(few)
