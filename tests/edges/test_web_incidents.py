"""Incidents as pages: Now, the list, declaring, one incident and everything people press on it."""

from __future__ import annotations

import re
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from tests.domains import incident_worlds as incidents
from tests.domains import worlds
from tests.domains.incident_worlds import House, fresh
from tests.domains.test_forgotten_acknowledgements import let_quiet
from tests.edges.web_client import has, marks, read, signed_in, words
from tocsin.alerts.changes import AlertChange, ChangeKind
from tocsin.alerts.models import Alert
from tocsin.audit.models import Entry
from tocsin.core.access import SYSTEM, Role
from tocsin.incidents import actions
from tocsin.incidents.models import Incident
from tocsin.oncall import actions as oncall
from tocsin.platform import clock as clocks

pytestmark = pytest.mark.django_db


@pytest.fixture
def house(clock: clocks.WoundClock) -> House:
    return House(now=clock.now())


@pytest.fixture
def ada(house: House) -> Client:
    return signed_in("ada")


def rotation(house: House, name: str, *, role: str, user: str) -> None:
    layer = {
        "name": "all",
        "start": "2026-11-02T08:00:00Z",
        "rotation": {"unit": "week", "every": 1},
        "users": [[user]],
    }
    document = {"name": name, "time_zone": "UTC", "layers": [layer]}
    oncall.save_rotation(SYSTEM, document, team="identity", role=role, now=house.now)


# Declaring


@pytest.mark.req("R-9.3.11-1")
def test_two_facts_are_enough_to_declare(house: House, ada: Client) -> None:
    answer = ada.post("/i/new", {"title": "Nobody can log on", "service": "log-on"})
    row = Incident.objects.get()
    assert answer["Location"] == f"/i/{row.number}"
    assert (row.title, row.service.name if row.service else "", row.priority_state) == (
        "Nobody can log on",
        "log-on",
        "unset",
    )


def test_a_declaration_without_a_service_says_so_and_keeps_the_text(house: House, ada: Client) -> None:
    answer = ada.post("/i/new", {"title": "Nobody can log on", "service": ""})
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "Nobody can log on" in page
    assert has(page, "declare-service-errors")
    assert not Incident.objects.exists()


def test_a_pair_the_process_does_not_allow_is_refused_beside_the_form(house: House, ada: Client) -> None:
    told = {"title": "Slow", "service": "log-on", "priority": "4", "severity": "critical"}
    answer = ada.post("/i/new", told)
    assert answer.status_code == 422
    page = answer.content.decode()
    said = words(page, "form-errors")
    assert "do not go together" in said
    assert said.count("Or set it as an exception") == 1
    # The way out stands beside it: an exception with a reason, which the record keeps.
    assert has(page, "exception")
    assert ada.post("/i/new", {**told, "exception": "1"}).status_code == 422
    assert not Incident.objects.exists()
    assert ada.post("/i/new", {**told, "exception": "1", "reason": "The regulator asked"}).status_code == 302
    [entry] = incidents.entries(Incident.objects.get(), "incident.declared")
    assert (entry["exception"], entry["against"], entry["reason"]) == (True, ["matrix"], "The regulator asked")
    shown = read(ada, f"/i/{Incident.objects.get().number}")
    assert "Declared as an exception to the rule: Slow" in shown


def test_a_reader_may_declare_but_is_offered_no_other_button(house: House) -> None:
    worlds.person("rea", role=Role.READER.value)
    reader = signed_in("rea")
    row = house.declare()
    assert reader.post("/i/new", {"title": "It is slow", "service": "log-on"}).status_code == 302
    page = read(reader, f"/i/{row.number}")
    for mark in ("take-desk", "resolve-desk", "pass-on-desk", "change-priority", "note-form"):
        assert not has(page, mark), mark
    answer = reader.post(f"/i/{row.number}/take")
    assert answer.status_code == 403
    assert "Ask an owner of the team" in words(answer.content.decode(), "error-remedy")


# One incident


def test_the_page_says_the_fact_since_when_and_who_has_it(house: House, ada: Client) -> None:
    row = house.declare("38% of log-ons fail")
    page = read(ada, f"/i/{row.number}")
    assert words(page, "incident-fact") == "38% of log-ons fail"
    assert words(page, "incident-state") == "nobody has it yet"
    assert "03:12 CET" in page
    assert "02:12 UTC" in page
    assert page.count("<h1") == 1


def test_text_from_outside_is_text(house: House, ada: Client) -> None:
    row = house.declare("<script>alert(1)</script>", description="<img src=x onerror=alert(2)>")
    actions.annotate(house.ada, row.number, text="</textarea><b>bold</b>", now=house.now)
    page = read(ada, f"/i/{row.number}")
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert "<b>bold" not in page


def test_i_am_on_it_takes_it_and_stops_the_chain(house: House, ada: Client) -> None:
    row = house.declare()
    answer = ada.post(f"/i/{row.number}/take")
    assert answer["Location"] == f"/i/{row.number}"
    assert fresh(row).acknowledged_by_id == house.ada.person_id
    page = read(ada, f"/i/{row.number}")
    assert words(page, "incident-state") == "Ada has it"
    assert has(page, "resolve-desk")
    assert not has(page, "take-desk")


@pytest.mark.parametrize(
    "path", ["take", "move", "undo/1", "reopen", "roles/take", "roles/release", "updates/no-change"]
)
def test_nothing_changes_on_get(house: House, ada: Client, path: str) -> None:
    row = house.declare()
    assert ada.get(f"/i/{row.number}/{path}").status_code == 405


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/priority",
        "/severity",
        "/pass-on",
        "/resolve",
        "/note",
        "/snooze",
        "/cancel",
        "/merge",
        "/roles",
        "/groups",
        "/updates",
        "/timeline",
    ],
)
def test_looking_at_a_page_of_an_incident_writes_nothing(house: House, ada: Client, path: str) -> None:
    row = house.declare()
    before = Entry.objects.count()
    assert ada.get(f"/i/{row.number}{path}").status_code == 200
    assert Entry.objects.count() == before
    assert fresh(row).version == row.version


def test_each_priority_shows_what_it_changes_before_it_is_chosen(house: House, ada: Client) -> None:
    row = house.declare(priority=2)
    page = read(ada, f"/i/{row.number}/priority")
    effects = words(page, "effects-1")
    assert "A fix is rolled out at once" in effects
    assert "A review is required" in effects
    assert "every 2 h" in effects
    assert "Management" not in effects  # told as before
    assert "No longer: management is told" in words(page, "effects-3")


@pytest.mark.req("R-9.2.2-3")
def test_one_person_changes_the_priority_with_a_reason_and_it_holds_at_once(house: House, ada: Client) -> None:
    row = house.declare(priority=2)
    told = {"priority": "1", "reason": "More people are affected", "version": row.version}
    assert ada.post(f"/i/{row.number}/priority", told).status_code == 302
    assert fresh(row).priority == 1
    assert "More people are affected" in words(read(ada, f"/i/{row.number}"), "timeline")


def test_a_priority_without_a_reason_is_refused_beside_the_field(house: House, ada: Client) -> None:
    row = house.declare(priority=2)
    answer = ada.post(f"/i/{row.number}/priority", {"priority": "1", "reason": ""})
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "Say in a few words why" in words(page, "reason-errors")
    assert re.search(r'<input [^>]*name="reason"[^>]* required autofocus ', page)
    assert page.count(" autofocus") == 1
    assert fresh(row).priority == 2


def test_the_focus_is_on_the_first_field_that_is_wrong_and_every_field_has_its_mark(ada: Client) -> None:
    page = ada.post("/i/new", {"title": "It fails", "service": ""}).content.decode()
    assert page.count(" autofocus") == 1
    assert re.search(r'<select [^>]*name="service"[^>]* autofocus', page)
    names = ("title", "service", "description", "priority", "severity", "impact", "kind")
    assert [name for name in names if not has(page, f"declare-{name}-input")] == []


@pytest.mark.parametrize("given", ["9", "0", "x", "-1", "99999999999999999999"])
def test_a_priority_that_does_not_exist_is_refused(house: House, ada: Client, given: str) -> None:
    row = house.declare(priority=2)
    assert ada.post(f"/i/{row.number}/priority", {"priority": given, "reason": "why"}).status_code == 422
    assert fresh(row).priority == 2


def test_a_change_made_from_an_old_page_is_refused_and_the_reason_kept(house: House, ada: Client) -> None:
    row = house.declare(priority=2)
    read_at = row.version
    actions.change_priority(house.ben, row.number, priority=3, reason="It is smaller", now=house.now)
    told = {"priority": "1", "reason": "It is bigger", "version": read_at}
    answer = ada.post(f"/i/{row.number}/priority", told)
    assert answer.status_code == 409
    page = answer.content.decode()
    assert "It is bigger" in page
    assert fresh(row).priority == 3
    assert f'name="version" value="{fresh(row).version}"' in page


def test_no_priority_can_be_chosen_and_nobody_is_asked_for_anything(house: House, ada: Client) -> None:
    row = house.declare(priority=2)
    assert ada.post(f"/i/{row.number}/priority", {"priority": "none", "reason": "A test"}).status_code == 302
    assert (fresh(row).priority, fresh(row).priority_state) == (None, "none")


def test_a_change_can_be_taken_back_for_thirty_seconds(house: House, ada: Client, clock: clocks.WoundClock) -> None:
    row = house.declare(priority=2)
    ada.post(f"/i/{row.number}/priority", {"priority": "1", "reason": "Pressed wrongly"})
    page = read(ada, f"/i/{row.number}")
    assert "the change of priority" in words(page, "undo-offer")
    seq = Entry.objects.filter(kind="priority.changed").latest("seq").seq
    clock.wind(timedelta(seconds=29))
    assert ada.post(f"/i/{row.number}/undo/{seq}").status_code == 302
    assert fresh(row).priority == 2
    assert not has(read(ada, f"/i/{row.number}"), "undo-offer")


def test_after_thirty_seconds_taking_back_is_neither_offered_nor_done(
    house: House, ada: Client, clock: clocks.WoundClock
) -> None:
    row = house.declare(priority=2)
    ada.post(f"/i/{row.number}/priority", {"priority": "1", "reason": "Meant"})
    clock.wind(timedelta(seconds=31))
    assert not has(read(ada, f"/i/{row.number}"), "undo-offer")
    seq = Entry.objects.filter(kind="priority.changed").latest("seq").seq
    answer = ada.post(f"/i/{row.number}/undo/{seq}")
    assert answer.status_code == 422
    assert "Too late" in words(answer.content.decode(), "error-sentence")
    assert fresh(row).priority == 1


def test_each_severity_names_who_will_be_asked(house: House, ada: Client) -> None:
    row = house.declare(priority=1)
    page = read(ada, f"/i/{row.number}/severity")
    assert "Incident coordinator: nobody is on call for it" in words(page, "effects-critical")
    rotation(house, "coordinators", role="incident_coordinator", user="ben")
    assert "Incident coordinator: Ben will be asked" in words(
        read(ada, f"/i/{row.number}/severity"), "effects-critical"
    )
    assert ada.post(f"/i/{row.number}/severity", {"severity": "critical", "reason": ""}).status_code == 302
    assert fresh(row).severity == "critical"


def test_passing_on_asks_once_by_name_and_then_pages_the_next(house: House, ada: Client) -> None:
    row = house.declare()
    house.run()
    assert "Ben will be paged at once" in words(read(ada, f"/i/{row.number}/pass-on"), "pass-on-effect")
    ada.post(f"/i/{row.number}/pass-on")
    house.run()
    assert incidents.paged() == ["ada", "ben"]


def test_resolving_asks_for_the_category_and_keeps_the_note(house: House, ada: Client) -> None:
    row = house.declare()
    told = {"service": "log-on", "category": "", "note": "Rolled back."}
    answer = ada.post(f"/i/{row.number}/resolve", told)
    assert answer.status_code == 422
    page = answer.content.decode()
    assert has(page, "resolve-category-errors")
    assert re.search(r'<input [^>]*name="category"[^>]* autofocus', page)
    assert [has(page, f"resolve-{name}-input") for name in ("note", "category", "service")] == [True] * 3
    assert "Rolled back." in page
    assert ada.post(f"/i/{row.number}/resolve", {**told, "category": "deploy"}).status_code == 302
    assert (fresh(row).state, fresh(row).category) == ("resolved", "deploy")


def test_resolving_says_first_that_the_slo_still_burns(house: House, ada: Client) -> None:
    said = incidents.signal(incidents.objective(house.service, now=house.now), now=house.now, priority=2)
    alert = incidents.slo_alert(said, now=house.now)
    alert.urgency = "page"
    alert.save()
    [row] = incidents.tell(AlertChange(alert, ChangeKind.OPENED, "new", said), now=house.now)
    page = read(ada, f"/i/{row.number}/resolve")
    warning = "The SLO still burns. If it does in 10 minutes, this incident reopens and pages again."
    assert words(page, "still-burning") == warning
    Alert.objects.update(state="resolved")
    assert not has(read(ada, f"/i/{row.number}/resolve"), "still-burning")


def test_the_page_of_the_next_time_tells_what_ended_it_last_time(house: House, ada: Client) -> None:
    row = house.declare()
    told = {"service": "log-on", "category": "deploy", "note": "The rollback ended it."}
    ada.post(f"/i/{row.number}/resolve", told)
    house.pass_time(timedelta(hours=1))
    again = house.declare()
    page = read(ada, f"/i/{again.number}")
    assert f"Last time: {row.ref}" in page
    assert "The rollback ended it." in page


def test_a_note_lands_on_the_timeline_and_an_empty_one_does_not(house: House, ada: Client) -> None:
    row = house.declare()
    assert ada.post(f"/i/{row.number}/note", {"text": "Queue is growing", "kind": "decision"}).status_code == 302
    page = read(ada, f"/i/{row.number}")
    assert "Queue is growing" in words(page, "timeline")
    assert "decision" in words(page, "timeline")
    assert ada.post(f"/i/{row.number}/note", {"text": " "}).status_code == 422


def test_an_obligation_is_left_out_only_with_a_reason(house: House, ada: Client) -> None:
    row = house.declare(priority=1)
    owed = incidents.obligation(row, "hotfix")
    address = f"/i/{row.number}/obligations/{owed.pk}/waive"
    assert ada.post(address, {"reason": ""}).status_code == 422
    assert ada.post(address, {"reason": "The vendor mends it"}).status_code == 302
    assert "The vendor mends it" in words(read(ada, f"/i/{row.number}"), "settled-hotfix")


def test_a_fix_is_done_with_what_shows_it(house: House, ada: Client) -> None:
    row = house.declare(priority=1)
    owed = incidents.obligation(row, "hotfix")
    address = f"/i/{row.number}/obligations/{owed.pk}/fulfil"
    answer = ada.post(address, {"reference": ""})
    assert answer.status_code == 422
    assert has(answer.content.decode(), "fulfil-reference-errors")
    assert has(ada.post(address, {"reference": "change 4711"}).content.decode(), "fulfil-deployed-errors")
    wall = house.now.astimezone(ZoneInfo("Europe/Berlin")).strftime("%Y-%m-%dT%H:%M")
    assert ada.post(address, {"reference": "change 4711", "deployed_at": wall}).status_code == 302
    assert incidents.obligation(row, "hotfix").deployed_at == house.now.replace(second=0, microsecond=0)
    assert "change 4711" in words(read(ada, f"/i/{row.number}"), "settled-hotfix")


def test_an_obligation_of_another_incident_is_not_found_here(house: House, ada: Client) -> None:
    one, other = house.declare(priority=1), house.declare(priority=1)
    owed = incidents.obligation(other, "hotfix")
    assert ada.get(f"/i/{one.number}/obligations/{owed.pk}/waive").status_code == 404


def test_a_role_is_handed_over_and_given_back(house: House, ada: Client) -> None:
    row = house.declare(priority=1, severity="critical", description="Everybody is affected")
    told = {"role": "incident_coordinator", "username": "ben"}
    assert ada.post(f"/i/{row.number}/roles", told).status_code == 302
    assert "Ben" in words(read(ada, f"/i/{row.number}"), "role-incident_coordinator")
    assert ada.post(f"/i/{row.number}/roles/release", told).status_code == 403
    assert "Ben" in words(read(ada, f"/i/{row.number}"), "role-incident_coordinator")
    assert signed_in("ben").post(f"/i/{row.number}/roles/release", told).status_code == 302
    assert "empty" in words(read(ada, f"/i/{row.number}"), "role-incident_coordinator")


def test_the_ladder_never_says_delivered_for_a_page_nobody_answered(house: House, ada: Client) -> None:
    row = house.declare()
    house.run()
    incidents.hand_over(house.now)
    ladder = words(read(ada, f"/i/{row.number}"), "ladder")
    assert "Ada : no answer yet" in ladder
    assert "accepted by the provider" in ladder
    assert "delivered" not in ladder


def test_states_of_the_response_follow_each_other(house: House, ada: Client) -> None:
    row = house.declare()
    ada.post(f"/i/{row.number}/take")
    ada.post(f"/i/{row.number}/move", {"state": "mitigated"})
    assert words(read(ada, f"/i/{row.number}"), "incident-state") == "users no longer feel it"
    assert ada.post(f"/i/{row.number}/move", {"state": "triggered"}).status_code == 422


def test_it_can_be_snoozed_merged_and_cancelled(house: House, ada: Client) -> None:
    first, second, third = (house.declare(f"number {index}") for index in range(3))
    assert ada.post(f"/i/{first.number}/snooze", {"minutes": "30"}).status_code == 302
    assert fresh(first).snoozed_until == house.now + timedelta(minutes=30)
    assert ada.post(f"/i/{second.number}/merge", {"into": str(first.number)})["Location"] == f"/i/{first.number}"
    assert fresh(second).state == "merged"
    assert ada.post(f"/i/{third.number}/cancel", {"reason": "A drill nobody announced"}).status_code == 302
    assert fresh(third).state == "cancelled"


def test_a_resolved_incident_offers_reopening_and_closing_says_what_is_still_owed(house: House, ada: Client) -> None:
    row = house.declare(priority=1)
    ada.post(f"/i/{row.number}/resolve", {"service": "log-on", "category": "deploy"})
    page = read(ada, f"/i/{row.number}")
    assert has(page, "reopen-desk")
    answer = ada.post(f"/i/{row.number}/close")
    assert answer.status_code == 422
    said = words(answer.content.decode(), "form-errors")
    assert "Still owed" in said
    assert not re.search(r"\w_\w|:\w", said), "codes are for programs"
    assert ada.post(f"/i/{row.number}/reopen").status_code == 302
    assert fresh(row).is_open


def test_the_groups_that_hear_of_it_are_chosen(house: House, ada: Client) -> None:
    row = house.declare(priority=3)
    code = marks(read(ada, f"/i/{row.number}/groups"), "group-")[0]
    assert ada.post(f"/i/{row.number}/groups", {"groups": [code]}).status_code == 302
    assert [group.code for group in row.groups.all()] == [code]


def test_an_incident_that_is_not_there_is_a_kind_404(ada: Client) -> None:
    page = read(ada, "/i/999", status=404)
    assert "There is no incident 999" in words(page, "error-sentence")
    assert has(page, "error-home")


# Everybody's frame


def test_a_stranger_is_sent_to_sign_in_and_brought_back(house: House) -> None:
    assert Client().get("/i?open=1")["Location"] == "/accounts/login/?next=/i%3Fopen%3D1"


def test_a_press_without_the_csrf_token_changes_nothing(house: House) -> None:
    row = house.declare()
    client = Client(enforce_csrf_checks=True)
    client.force_login(worlds.person("ada"), backend="django.contrib.auth.backends.ModelBackend")
    answer = client.post(f"/i/{row.number}/take")
    assert answer.status_code == 403
    assert "nothing was changed" in words(answer.content.decode(), "error-sentence")
    assert fresh(row).state == "triggered"


def test_every_page_allows_only_its_own_scripts_and_has_no_inline_one(house: House, ada: Client) -> None:
    row = house.declare()
    for address in ("/", "/i", f"/i/{row.number}", f"/i/{row.number}/updates", "/updates"):
        answer = ada.get(address)
        assert "script-src 'self'" in answer["Content-Security-Policy"]
        page = answer.content.decode()
        assert "<script>" not in page
        assert " style=" not in page
        assert "onclick" not in page


def test_an_address_nobody_serves_is_a_page_of_ours(ada: Client) -> None:
    assert has(read(ada, "/no/such/page", status=404), "error-page")


def test_the_number_of_queries_of_the_incident_page_does_not_grow_with_its_timeline(
    house: House, ada: Client, django_assert_max_num_queries: object
) -> None:
    row = house.declare()
    for index in range(30):
        actions.annotate(SYSTEM, row.number, text=f"note {index}", now=house.now)
    with django_assert_max_num_queries(72):  # type: ignore[operator]
        read(ada, f"/i/{row.number}")


def ended(house: House, reason: str) -> Incident:
    """A grave incident that Ada has taken and whose only alert is over, said or merely silent."""
    row = incidents.alert(now=house.now, priority=1)
    [incident] = incidents.change(row, now=house.now)
    actions.acknowledge(house.ada, incident.ref, now=house.now)
    incidents.end(row, now=house.now, reason=reason)
    return incident


def test_an_alert_that_fell_silent_is_not_said_to_have_ended(house: House, ada: Client) -> None:
    shown = words(read(ada, f"/i/{ended(house, 'silent').number}"), "alert-ended")
    assert "Nothing was heard of the alert since" in shown
    assert "The alert ended" not in shown


def test_an_alert_whose_end_was_said_is_said_to_have_ended(house: House, ada: Client) -> None:
    shown = words(read(ada, f"/i/{ended(house, 'end_said').number}"), "alert-ended")
    assert "The alert ended" in shown
    assert "Nothing was heard" not in shown


def test_whoever_has_it_reads_when_silence_would_ask_the_first_step_again(house: House, ada: Client) -> None:
    let_quiet(house, 30)
    incident = house.declare()
    actions.acknowledge(house.ada, incident.ref, now=house.now)
    shown = words(read(ada, f"/i/{incident.number}"), "next-step")
    assert shown.startswith("Next: Ada at ")
    assert shown.endswith("if nothing is written down until then.")
