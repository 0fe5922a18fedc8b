"""The people of the process on pages: preparation, survey, fit, who was asked and who has read."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.domains import worlds
from tests.domains.test_process_people import ROLE, coach, drafted, rotation
from tests.domains.worlds import NOW
from tests.edges.web_client import has, read, signed_in, words
from tocsin.core.access import SYSTEM
from tocsin.platform.clock import WoundClock
from tocsin.process import actions as process
from tocsin.process.models import ProcessVersion, Survey

pytestmark = pytest.mark.django_db


def test_preparation_shows_who_lacks_training_and_records_it(clock: WoundClock) -> None:
    coach()
    rotation("ann")
    worlds.administrator()
    process.add_group_member(SYSTEM, group="management", email="vera@harbor.example", name="Vera", now=NOW)
    client = signed_in("ada")
    page = read(client, "/process/preparation")
    assert "ann has no training date as Incident coordinator." in words(page, "training-gaps")
    assert "Not briefed yet" in words(page, "leaders")
    given = {"person": "ann", "subject": ROLE, "on": "2026-11-02"}
    assert client.post("/process/preparation/training", given).status_code == 302
    page = read(client, "/process/preparation")
    assert "all trained" in words(page, "training-gaps")
    assert "2 Nov 2026" in words(page, "trainings")
    wrong = client.post("/process/preparation/training", {**given, "on": "2027-01-01"})
    assert (wrong.status_code, "still to come" in wrong.content.decode()) == (422, True)
    client.post("/process/preparation/briefing/done", {"email": "vera@harbor.example"})
    assert "not acknowledged yet" in words(read(client, "/process/preparation"), "leaders")
    client.post("/process/preparation/briefing/acknowledge", {"email": "vera@harbor.example"})
    assert "all leaders know" in words(read(client, "/process/preparation"), "preparation-verdict")
    assert signed_in("ann").get("/process/preparation/training").status_code == 403


def test_the_way_of_a_draft_survey_fit_review_publication_and_reading(clock: WoundClock) -> None:
    number = drafted(coach())
    rotation("ann", "bob")
    cora, ann = signed_in("cora"), signed_in("ann")
    page = read(cora, f"/process/versions/{number}")
    assert has(page, "survey-open")
    assert not has(read(ann, f"/process/versions/{number}"), "survey-open")
    cora.post(f"/process/drafts/{number}/survey/open")
    survey = Survey.objects.get()
    assert f"/process/surveys/{survey.pk}" in read(ann, "/process")
    assert not has(read(cora, "/process"), "survey-asked")
    assert ann.post(f"/process/surveys/{survey.pk}", {"who-decided": "Nobody knew"}).status_code == 302
    assert not has(read(ann, "/process"), "survey-asked")
    assert has(read(ann, f"/process/surveys/{survey.pk}"), "survey-thanks")
    assert ann.post(f"/process/surveys/{survey.pk}", {}).status_code == 422
    read(cora, f"/process/surveys/{survey.pk}", 404)
    answers = read(cora, f"/process/drafts/{number}/survey")
    assert "Nobody knew" in answers
    assert "1 of 2 people" in words(answers, "survey-count")
    given = {"teams": "40", "scheme": "six-role", "reason": "Long calls"}
    assert cora.post(f"/process/drafts/{number}/sizing", {**given, "teams": "many"}).status_code == 422
    assert cora.post(f"/process/drafts/{number}/sizing", given).status_code == 302

    cora.post(f"/process/versions/{number}/review", {"ends_at": "2026-11-24T03:00"})
    page = read(cora, f"/process/versions/{number}")
    assert words(page, "invited").count("No answer yet") == 2
    cora.post(f"/process/versions/{number}/publish")
    assert ProcessVersion.objects.get(number=number).state == "in_review"  # nobody has answered
    ann.post(f"/process/versions/{number}/remark", {"side": "agree"})
    clock.wind_to(NOW + timedelta(days=2))
    cora, ann = signed_in("cora"), signed_in("ann")
    cora.post(f"/process/versions/{number}/publish", {"effective_at": "2026-12-01T09:00"})
    page = read(ann, f"/process/versions/{number}")
    assert has(page, "unread")
    assert "Long calls" in words(page, "sizing-reason")
    assert f"Version {number} waits to be read by you" in read(ann, "/process")
    ann.post(f"/process/versions/{number}/acknowledge")
    page = read(ann, f"/process/versions/{number}")
    assert not has(page, "unread")
    assert "Read" in words(page, "notices")


def test_a_look_is_written_down(clock: WoundClock) -> None:
    coach()
    client = signed_in("cora")
    assert "Nobody has looked at it" in words(read(client, "/process"), "looked-at")
    client.post("/process/look", {"note": "Read it with operations; it fits."})
    assert "it fits" in words(read(client, "/process"), "looked-at")
    client.post("/process/look", {"note": " "})
    assert "Say in a sentence" in read(client, "/process")
    worlds.person("rita")
    assert signed_in("rita").post("/process/look", {"note": "x"}).status_code == 403
