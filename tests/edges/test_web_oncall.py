"""Who is on call, as pages: now and next, gaps that cannot be overlooked, standing in, my settings, our process."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.test import Client

from tests.domains import worlds
from tests.domains.worlds import NOW
from tocsin.alerts import queries as alerts
from tocsin.core.access import SYSTEM, Role
from tocsin.oncall import actions, queries
from tocsin.oncall.models import Override
from tocsin.people import queries as people
from tocsin.platform.clock import WoundClock
from tocsin.process import actions as processes
from tocsin.process import queries as process

pytestmark = pytest.mark.django_db

WEEKLY = {"name": "weekly", "start": "2026-11-02T08:00:00Z", "rotation": {"unit": "week", "every": 1}}


@pytest.fixture(autouse=True)
def house(clock: WoundClock) -> None:
    """Ada and Ben take weeks; the office is watched from nine to five on weekdays only."""
    worlds.process()
    worlds.person("ada", in_team="identity", display_name="Ada Moor", time_zone="Europe/Berlin")
    worlds.person("ben", in_team="identity", display_name="Ben Okri")
    rotation("primary", [["ada"], ["ben"]])
    days = [{"days": ["MO", "TU", "WE", "TH", "FR"], "from": "09:00", "to": "17:00"}]
    rotation("office", [["ben"]], restrictions=days)


def rotation(name: str, users: list[list[str]], **more: object) -> None:
    layer = {**WEEKLY, "users": users, **more}
    document = {"name": name, "time_zone": "Europe/Berlin", "layers": [layer]}
    actions.save_rotation(SYSTEM, document, team="identity", role="technical_expert", now=NOW)


def signed_in(client: Client, username: str = "ada") -> Client:
    client.force_login(people.person(username), backend="django.contrib.auth.backends.ModelBackend")
    return client


def text_of(client: Client, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status, answer.content
    return answer.content.decode()


@pytest.mark.req("R-9.3.9-1")
def test_the_page_says_who_is_on_call_now_until_when_and_who_comes_next(client: Client) -> None:
    page = text_of(signed_in(client), "/oncall")
    row = page.split('data-testid="oncall-row-primary"')[1].split("</tr>")[0]
    assert "Ada Moor (you)" in row
    assert "Mon 23 Nov 09:00 CET" in row
    assert "Ben Okri" in row


@pytest.mark.req("R-9.3.9-3")
def test_a_gap_is_said_in_words_striped_on_the_calendar_and_listed_with_its_times(client: Client) -> None:
    page = text_of(signed_in(client), "/oncall")
    assert 'data-testid="oncall-gaps"' in page
    row = page.split('data-testid="oncall-row-office"')[1].split("</tr>")[0]
    assert "Nobody is on call" in row
    assert "Fri 27 Nov 17:00 CET" in page
    assert "Nobody: Fri 27 Nov 17:00 CET to Mon 30 Nov 09:00 CET" in page


def test_rotations_where_nobody_is_on_call_stand_first(client: Client) -> None:
    page = text_of(signed_in(client), "/oncall")
    assert page.index("oncall-row-office") < page.index("oncall-row-primary")


def test_without_any_rotation_the_page_says_that_nobody_is_on_call(client: Client) -> None:
    for row in queries.rotations(SYSTEM):
        row.delete()
    assert "Nobody is on call." in text_of(signed_in(client), "/oncall")


def test_a_cover_is_entered_in_the_viewers_zone_and_repeated_in_utc(client: Client) -> None:
    given = {"user": "ben", "start": "2026-11-28T00:00", "end": "2026-11-28T14:00"}
    answer = signed_in(client).post("/oncall/primary/overrides", given, follow=True)
    made = Override.objects.get()
    assert made.starts_at == datetime.fromisoformat("2026-11-27T23:00:00+00:00")
    page = answer.content.decode()
    assert "Ben Okri stands in: Sat 28 Nov 00:00 CET to Sat 28 Nov 14:00 CET, that is Fri 27 Nov 23:00 UTC" in page


def test_a_cover_that_ends_before_it_begins_is_refused_beside_its_field_and_nothing_is_lost(client: Client) -> None:
    given = {"user": "ben", "start": "2026-11-28T14:00", "end": "2026-11-28T00:00"}
    answer = signed_in(client).post("/oncall/primary/overrides", given)
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "The end comes after the start." in page
    assert 'value="2026-11-28T14:00"' in page
    assert not Override.objects.exists()


def test_a_time_nobody_can_read_is_refused(client: Client) -> None:
    answer = signed_in(client).post("/oncall/primary/overrides", {"user": "ben", "start": "soon", "end": ""})
    assert answer.status_code == 422
    assert "Give a day and a time" in answer.content.decode()


def test_a_cover_can_be_taken_back(client: Client) -> None:
    made = actions.add_override(
        SYSTEM,
        rotation="primary",
        users=["ben"],
        starts_at=NOW + timedelta(days=1),
        ends_at=NOW + timedelta(days=2),
        now=NOW,
    )
    signed_in(client).post(f"/oncall/primary/overrides/{made.pk}/remove")
    assert not Override.objects.exists()


def test_a_reader_sees_the_rotation_but_no_form(client: Client) -> None:
    worlds.person("rea", role=Role.READER.value)
    page = text_of(signed_in(client, "rea"), "/oncall/primary")
    assert "override-form" not in page
    refused = client.post(
        "/oncall/primary/overrides", {"user": "rea", "start": "2026-11-28T00:00", "end": "2026-11-29T00:00"}
    )
    assert refused.status_code == 403


def test_an_unknown_rotation_is_not_there(client: Client) -> None:
    text_of(signed_in(client), "/oncall/nothing", status=404)


def test_the_matrix_shows_each_pair_with_its_verdict_and_reason(client: Client) -> None:
    page = text_of(signed_in(client), "/priorities")
    never = page.split('data-testid="pair-P3-critical"')[1].split("</td>")[0]
    assert "Never" in never
    assert "raise to P2 or P1" in never
    assert "An update at least every 2 h" in page


@pytest.mark.req("R-9.3.4-1")
def test_the_process_page_shows_the_ten_questions_with_their_answers_and_the_version(client: Client) -> None:
    page = text_of(signed_in(client), "/process")
    assert page.count('class="answer"') == len(process.current().questions) == 10
    assert "When severity is critical or error." in page
    assert "Version 1, in force" in page


def test_a_newer_version_says_what_it_changed(client: Client) -> None:
    document = dict(process.version(SYSTEM, 1).document)
    document["priorities"] = {**document["priorities"], "unset": {"pages_as": "P2", "decide_within_minutes": 30}}
    processes.publish_version(SYSTEM, document, note="More time to decide", now=NOW + timedelta(minutes=1))
    page = text_of(signed_in(client), "/process")
    assert "What version 2 changed" in page
    assert "decide_within_minutes" in page
    assert "not the version in force" in text_of(client, "/process/versions/1")


def test_a_new_key_is_shown_once_and_revoking_it_takes_it_off_the_list(client: Client) -> None:
    worlds.administrator()
    answer = signed_in(client, "ada").post("/setup/sources/add", {"kind": "sli", "name": "Counter"})
    assert answer.status_code == 403, "Ada owns nothing"
    worlds.person("root", role=Role.ADMIN.value)
    answer = signed_in(client, "root").post("/setup/sources/add", {"kind": "sli", "name": "Counter"})
    key = answer.content.decode().split('data-testid="key">')[1].split("<")[0]
    made = alerts.integration_for_key(key)
    assert made is not None
    page = text_of(client, "/setup/sources")
    assert key not in page
    assert "Counter" in page
    client.post(f"/setup/sources/{made.pk}/revoke")
    assert alerts.integration_for_key(key) is None


def test_a_sender_without_a_door_is_refused_beside_its_field(client: Client) -> None:
    worlds.person("root", role=Role.ADMIN.value)
    answer = signed_in(client, "root").post("/setup/sources/add", {"kind": "pigeon", "name": "Pidge"})
    assert answer.status_code == 422
    assert "Choose who sends." in answer.content.decode()
    assert 'value="Pidge"' in answer.content.decode()


def test_setup_says_what_is_missing_before_a_page_reaches_somebody(client: Client) -> None:
    worlds.service("log-on", of_team="identity")
    page = text_of(signed_in(client), "/setup")
    assert "No SLOs yet" in page
    assert "No chain of people for log-on" in page
    assert page.index("No chain of people") < page.index("Everybody can be reached")


def test_my_zone_and_theme_are_saved_and_used_at_once(client: Client) -> None:
    given = {"display_name": "Ada", "time_zone": "Asia/Kolkata", "theme": "dark"}
    answer = signed_in(client).post("/me", given, follow=True)
    page = answer.content.decode()
    assert 'data-theme="dark"' in page
    assert "07:42 IST" in page
    assert people.person("ada").keys_enabled is False


def test_a_zone_that_does_not_exist_is_refused_and_kept_in_the_field(client: Client) -> None:
    given = {"display_name": "Ada", "time_zone": "Mars/Base", "theme": "dark"}
    answer = signed_in(client).post("/me", given)
    assert answer.status_code == 422
    assert "There is no time zone called" in answer.content.decode()
    assert 'value="Mars/Base"' in answer.content.decode()


def test_help_names_the_keys_and_where_to_switch_them_off(client: Client) -> None:
    page = text_of(signed_in(client), "/help/keys")
    assert "<kbd>?</kbd>" in page
    assert 'href="/me"' in page
    assert "I was paged" in text_of(client, "/help")
