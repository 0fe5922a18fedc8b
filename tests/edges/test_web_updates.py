"""Promises and updates as pages: who waits, the draft, the words before they go, "no change"."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client

from tests.domains import worlds
from tests.domains.incident_worlds import House
from tests.edges.web_client import has, marks, read, signed_in, words
from tocsin.comms.models import Update
from tocsin.core.access import SYSTEM, Role
from tocsin.incidents.models import Incident
from tocsin.platform import clock as clocks
from tocsin.platform.models import OutboxMessage
from tocsin.process import actions as processes
from tocsin.process.models import StakeholderGroup

pytestmark = pytest.mark.django_db


@pytest.fixture
def house(clock: clocks.WoundClock) -> House:
    found = House(now=clock.now())
    for group in StakeholderGroup.objects.all():
        address = f"{group.code}@harbor.example"
        processes.add_group_member(SYSTEM, group=group.code, email=address, name=group.name, now=found.now)
    return found


@pytest.fixture
def ada(house: House) -> Client:
    return signed_in("ada")


def groups() -> list[str]:
    return list(StakeholderGroup.objects.filter(is_management=False).order_by("code").values_list("code", flat=True))


@pytest.fixture
def row(house: House) -> Incident:
    return house.declare("38% of log-ons fail", priority=1, groups=groups()[:1])


def told(row: Incident, **more: object) -> dict[str, object]:
    filled = {
        "kind": "opening",
        "subject": "Log-on: 38% of log-ons fail",
        "text": "38% of log-ons fail since 02:12. We are on it.",
        "next_in": "120",
        "groups": groups()[:1],
    }
    return {**filled, **more}


def test_the_board_lists_who_waits_soonest_first_with_minutes(
    house: House, ada: Client, row: Incident, clock: clocks.WoundClock
) -> None:
    later = house.declare("Reports are late", priority=3, groups=groups()[:1])
    page = read(ada, "/updates")
    assert marks(page, "board-open-") == [str(row.number), str(later.number)]
    clock.wind(timedelta(minutes=30))
    late = words(read(ada, "/updates"), f"board-{row.number}")
    assert "15 min late" in late


def test_an_empty_board_says_what_will_be_there(ada: Client) -> None:
    assert "Nobody waits for an update." in words(read(ada, "/updates"), "empty")


def test_the_draft_is_there_before_anybody_types(ada: Client, row: Incident) -> None:
    page = read(ada, f"/i/{row.number}/updates")
    assert "38% of log-ons fail" in words(page, "preview")
    assert f'value="{groups()[0]}" checked' in page
    assert "05:12 CET, in 2 h" in page


def test_an_update_goes_to_its_groups_and_promises_the_next(house: House, ada: Client, row: Incident) -> None:
    answer = ada.post(f"/i/{row.number}/updates", told(row))
    assert answer.status_code == 302, answer.content.decode()
    update = Update.objects.get()
    assert update.next_update_at == house.now + timedelta(hours=2)
    assert OutboxMessage.objects.filter(kind="update").count() == update.recipients == 1
    page = read(ada, f"/i/{row.number}/updates")
    assert "promised by 05:12 CET" in words(page, "messages")
    assert "We are on it." in words(page, "sent-updates")
    assert "Ada to" in words(page, "sent-updates")


def test_an_update_that_is_not_the_last_must_say_when_the_next_comes(ada: Client, row: Incident) -> None:
    answer = ada.post(f"/i/{row.number}/updates", told(row, next_in=""))
    assert answer.status_code == 422
    page = answer.content.decode()
    assert has(page, "compose-next-errors")
    assert "We are on it." in page
    assert not Update.objects.exists()


def test_a_closing_update_promises_nothing(ada: Client, row: Incident) -> None:
    ada.post(f"/i/{row.number}/resolve", {"service": "log-on", "category": "deploy"})
    answer = ada.post(f"/i/{row.number}/updates", told(row, kind="closing", text="Log-on works again.", next_in=""))
    assert answer.status_code == 302, answer.content.decode()
    assert Update.objects.get().next_update_at is None


def test_resolving_leads_to_the_closing_word_that_is_due_now(
    house: House, ada: Client, row: Incident, clock: clocks.WoundClock
) -> None:
    ada.post(f"/i/{row.number}/updates", told(row))
    ada.post(f"/i/{row.number}/resolve", {"service": "log-on", "category": "deploy"})
    clock.wind(timedelta(seconds=1))
    page = read(ada, f"/i/{row.number}")
    assert "Tell those who were told that it works again" in words(page, "messages")
    assert f'<a href="/i/{row.number}/updates" data-testid="tell-it-works">' in page
    assert "due now" in words(read(ada, "/updates"), f"board-{row.number}")
    clock.wind(timedelta(minutes=10))
    board = read(ada, "/updates")
    assert "10 min late" in words(board, f"board-{row.number}")
    assert 'data-grace="600"' in board


def test_after_resolving_nobody_is_sent_to_a_word_that_is_not_owed(house: House, ada: Client) -> None:
    quiet = house.declare("One retry path is slow", priority=4)
    ada.post(f"/i/{quiet.number}/resolve", {"service": "log-on", "category": "deploy"})
    assert not has(read(ada, f"/i/{quiet.number}"), "tell-it-works")


def test_a_longer_promise_than_the_priority_allows_cannot_be_chosen(ada: Client, row: Incident) -> None:
    assert ada.post(f"/i/{row.number}/updates", told(row, next_in="480")).status_code == 422
    assert not Update.objects.exists()


def test_the_chosen_time_replaces_the_drafted_one_in_the_words(ada: Client, row: Incident) -> None:
    text = "It fails. Next update by 2026-11-23 04:12 UTC."
    subject = "Log-on fails (next update 04:12 UTC)"
    filled = told(row, text=text, subject=subject, next_in="60", drafted_for="2026-11-23 04:12")
    ada.post(f"/i/{row.number}/updates", filled)
    update = Update.objects.get()
    assert update.text == "It fails. Next update by 2026-11-23 03:12 UTC."
    assert update.subject == "Log-on fails (next update 03:12 UTC)"


def test_the_words_can_be_looked_at_before_they_go(ada: Client, row: Incident) -> None:
    filled = told(row, text="It will be fixed by noon.", preview="1")
    answer = ada.post(f"/i/{row.number}/updates", filled)
    assert answer.status_code == 200
    assert "Promise the next update, not the end." in words(answer.content.decode(), "findings")
    assert not Update.objects.exists()


def test_no_group_means_nobody_and_is_said(ada: Client, row: Incident) -> None:
    answer = ada.post(f"/i/{row.number}/updates", told(row, groups=[]))
    assert answer.status_code == 422
    page = answer.content.decode()
    assert has(page, "groups-errors")
    assert re.search(r'<input [^>]*name="groups"[^>]* autofocus', page)
    assert [has(page, f"compose-{name}-input") for name in ("kind", "next", "subject", "text")] == [True] * 4


def test_no_change_keeps_the_promise_in_one_press(
    house: House, ada: Client, row: Incident, clock: clocks.WoundClock
) -> None:
    assert not has(read(ada, f"/i/{row.number}/updates"), "no-change")
    ada.post(f"/i/{row.number}/updates", told(row))
    clock.wind(timedelta(minutes=100))
    assert has(read(ada, "/updates"), f"no-change-{row.number}")
    answer = ada.post(f"/i/{row.number}/updates/no-change", {"from": "board"})
    assert answer["Location"] == "/updates"
    latest = Update.objects.latest("pk")
    assert latest.no_change
    assert latest.next_update_at == clock.now() + timedelta(hours=2)
    assert "late" not in words(read(ada, "/updates"), f"board-{row.number}")


def test_who_may_not_send_reads_what_was_said_and_sees_no_form(ada: Client, row: Incident) -> None:
    ada.post(f"/i/{row.number}/updates", told(row))
    worlds.person("rea", role=Role.READER.value)
    page = read(signed_in("rea"), f"/i/{row.number}/updates")
    assert "We are on it." in words(page, "sent-updates")
    assert not has(page, "compose")
    assert signed_in("rea").post(f"/i/{row.number}/updates", told(row)).status_code == 403
