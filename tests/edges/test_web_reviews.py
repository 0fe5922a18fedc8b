"""Reviews on pages: sections that keep their text, action items with driver and day, steps that say what is missing."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from django.test import Client

from tests.domains import worlds
from tocsin.incidents import actions as incidents
from tocsin.postmortems import actions
from tocsin.postmortems.models import ActionItem, Postmortem

pytestmark = pytest.mark.django_db


@pytest.fixture
def number(now: datetime) -> int:
    """A resolved P1 of a team, with the draft the process asks for."""
    worlds.process(now=now)
    worlds.person("mara", in_team="tickets", display_name="Mara Falk", now=now)
    worlds.person("rea", role="reader", now=now)
    worlds.service("checkout", of_team="tickets", now=now)
    mara = worlds.actor("mara")
    row = incidents.declare(mara, title="Checkout fails", service="checkout", priority=1, now=now - timedelta(hours=2))
    incidents.acknowledge(mara, row.number, now=now - timedelta(hours=2))
    incidents.resolve(mara, row.number, category="software", note="rolled back", now=now - timedelta(hours=1))
    actions.draft_missing(now=now)
    return row.number


@pytest.fixture
def mara(client: Client, number: int) -> Client:
    client.force_login(worlds.person("mara"), "django.contrib.auth.backends.ModelBackend")
    return client


def shown(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_review_opens_with_the_directive_and_what_was_recorded(mara: Client, number: int) -> None:
    page = shown(mara, f"/i/{number}/review")
    assert "We take it as given that each of us did what seemed right" in page
    assert "A person reported it." in page
    assert "Working again" in page
    assert page.count("<h1") == 1


def test_a_section_is_written_and_shown(mara: Client, number: int) -> None:
    row = Postmortem.objects.get()
    told = {"text": "Orders failed for 50 min.", "version": row.version}
    answer = mara.post(f"/i/{number}/review/sections/summary", told)
    assert answer["Location"] == f"/i/{number}/review#summary"
    assert "Orders failed for 50 min." in shown(mara, f"/i/{number}/review")


def test_a_section_somebody_else_changed_meanwhile_keeps_the_text(mara: Client, number: int, now: datetime) -> None:
    version = Postmortem.objects.get().version
    actions.edit_section(worlds.actor("mara"), number, section="summary", text="first", now=now)
    answer = mara.post(f"/i/{number}/review/sections/summary", {"text": "second", "version": version})
    assert answer.status_code == 409
    assert ">\nsecond</textarea>" in answer.content.decode()
    assert "Your text is kept" in answer.content.decode()
    assert Postmortem.objects.get().sections["summary"] == "first"


def test_words_that_look_for_a_culprit_are_pointed_out_and_never_refused(mara: Client, number: int) -> None:
    told = {"text": "The operator should have known. It was human error."}
    assert mara.post(f"/i/{number}/review/sections/contributing_factors", told).status_code == 302
    page = shown(mara, f"/i/{number}/review")
    assert 'data-testid="hints-contributing_factors"' in page
    assert "what made the slip easy" in page


def test_an_unknown_section_is_a_page_that_says_so(mara: Client, number: int) -> None:
    assert mara.get(f"/i/{number}/review/sections/culprits").status_code == 404


def test_an_action_item_comes_with_a_review_date_and_gets_a_driver(mara: Client, number: int) -> None:
    form = shown(mara, f"/i/{number}/review/actions")
    assert 'value="2026-12-07"' in form
    told = {"title": "Check settings", "driver": "mara", "review_date": "2026-12-07", "horizon": "systemic"}
    assert mara.post(f"/i/{number}/review/actions", told).status_code == 302
    item = ActionItem.objects.get()
    assert (item.driver, item.review_date, item.horizon) == ("mara", date(2026, 12, 7), "systemic")
    assert "Check settings" in shown(mara, "/actions")


def test_an_action_item_without_words_is_refused_beside_its_field(mara: Client, number: int) -> None:
    answer = mara.post(f"/i/{number}/review/actions", {"title": "", "horizon": "immediate"})
    assert answer.status_code == 422
    assert "This field is required." in answer.content.decode()


def test_a_moved_review_date_is_counted(mara: Client, number: int, now: datetime) -> None:
    day = date(2026, 12, 1)
    item = actions.add_action(
        worlds.actor("mara"), number, title="Check settings", driver="mara", review_date=day, now=now
    )
    told = {"title": item.title, "driver": "mara", "review_date": "2026-12-20", "horizon": item.horizon}
    assert mara.post(f"/actions/{item.pk}", {**told, "status": "in_progress"}).status_code == 302
    item.refresh_from_db()
    assert (item.status, item.postponements) == ("in_progress", 1)
    assert "moved 1 time" in shown(mara, "/actions")


def test_the_next_step_says_what_is_missing_and_opens_when_nothing_is(mara: Client, number: int, now: datetime) -> None:
    actor = worlds.actor("mara")
    item = actions.add_action(actor, number, title="Check settings", now=now)
    page = shown(mara, f"/i/{number}/review")
    assert "Check settings: driver" in page
    assert 'data-testid="move-in_review"' not in page
    actions.change_action(actor, item.pk, driver="mara", review_date=date(2026, 12, 7), now=now)
    assert 'data-testid="move-in_review"' in shown(mara, f"/i/{number}/review")
    mara.post(f"/i/{number}/review/move", {"state": "in_review"})
    assert Postmortem.objects.get().state == "in_review"
    assert "contributing factors" in shown(mara, f"/i/{number}/review")


def test_a_step_that_is_not_open_is_refused_with_what_is_missing(mara: Client, number: int) -> None:
    answer = mara.post(f"/i/{number}/review/move", {"state": "closed"})
    assert answer.status_code == 422
    assert "cannot become closed" in answer.content.decode()


def test_a_line_of_the_timeline_is_read_in_the_viewer_s_zone(client: Client, number: int) -> None:
    berlin = worlds.person("bo", in_team="tickets", time_zone="Europe/Berlin")
    client.force_login(berlin, "django.contrib.auth.backends.ModelBackend")
    told = {"at": "2026-11-23T01:20", "text": "I saw the queue grow"}
    assert client.post(f"/i/{number}/review/timeline", told).status_code == 302
    line = Postmortem.objects.get().timeline.get(text="I saw the queue grow")
    assert line.at.isoformat() == "2026-11-23T00:20:00+00:00"
    assert line.certainty != "recorded"


def test_a_reader_reads_and_cannot_write(client: Client, number: int) -> None:
    client.force_login(worlds.person("rea"), "django.contrib.auth.backends.ModelBackend")
    page = shown(client, f"/i/{number}/review")
    assert 'data-testid="edit-summary"' not in page
    assert "You can read this review." in page
    answer = client.post(f"/i/{number}/review/sections/summary", {"text": "x"})
    assert answer.status_code == 403
    assert Postmortem.objects.get().sections.get("summary", "") == ""


def test_an_incident_without_a_review_offers_one(mara: Client, number: int, now: datetime) -> None:
    row = incidents.declare(worlds.actor("mara"), title="Slow maps", service="checkout", priority=3, now=now)
    assert "There is no review of this incident." in shown(mara, f"/i/{row.number}/review")
    assert mara.post(f"/i/{row.number}/review/begin").status_code == 302
    assert Postmortem.objects.filter(incident=row).exists()


@pytest.mark.parametrize("ended", [False, True])
def test_a_lowered_priority_is_named_as_the_reason_for_no_review(
    mara: Client, number: int, now: datetime, ended: bool
) -> None:
    actor = worlds.actor("mara")
    row = incidents.declare(actor, title="Refunds fail", service="checkout", priority=1, now=now)
    assert "lowered" not in shown(mara, f"/i/{row.number}/review")
    incidents.change_priority(actor, row.number, priority=2, reason="A few only.", now=now)
    if ended:
        incidents.resolve(actor, row.number, category="software", now=now)
    page = shown(mara, f"/i/{row.number}/review")
    assert "The priority was lowered to P2, so the process asks for none. Begin one anyway?" in page


def test_the_list_shows_where_each_review_stands(mara: Client, number: int) -> None:
    page = shown(mara, "/postmortems")
    assert "Checkout fails" in page
    assert "Checkout fails" in shown(mara, "/postmortems?state=draft")
    assert "No review stands there." in shown(mara, "/postmortems?state=closed")


def test_an_owed_review_that_nobody_began_is_listed_first(mara: Client, number: int, now: datetime) -> None:
    incidents.declare(worlds.actor("mara"), title="Refunds fail", service="checkout", priority=1, now=now)
    page = shown(mara, "/postmortems")
    assert page.index("Refunds fail") < page.index("Checkout fails")
