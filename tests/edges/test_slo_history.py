"""The history of an SLO over the API and on its page, and retiring one: for a reason, by those who own it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client

from tests.domains import slo_worlds, worlds
from tests.edges.api_client import Caller
from tests.edges.test_web_slos import signed_in, text_of
from tocsin.platform.clock import WoundClock
from tocsin.slo.models import Objective

pytestmark = pytest.mark.django_db(transaction=True)

NAME = "log-on-availability"
PAGE = f"/slos/log-on/{NAME}"


@pytest.fixture(autouse=True)
def changed(clock: WoundClock) -> Objective:
    now = clock.now()
    worlds.process(now=now)
    worlds.person("ada", in_team="identity", is_owner=True, now=now)
    worlds.person("rob", in_team="tickets", now=now)
    worlds.service("log-on", of_team="identity", now=now)
    slo_worlds.objective(NAME, service="log-on", target=Decimal("0.99"), now=now - timedelta(days=2))
    slo = slo_worlds.objective(NAME, service="log-on", target=Decimal("0.995"), now=now - timedelta(days=1))
    slo_worlds.push(slo, now - timedelta(minutes=5), good=995, bad=5, now=now)
    return slo


def test_versions_are_told_newest_first_with_what_each_changed(clock: WoundClock) -> None:
    mara = Caller("mara", in_team="identity", now=clock.now())
    newest, first = mara.must("GET", f"/api/v1/slos/{NAME}/versions")["items"]
    assert (newest["number"], newest["change"], newest["until"], newest["touches"]) == (2, "changed", None, ["budget"])
    assert newest["changes"] == [{"path": "target", "change": "changed", "before": "0.99", "after": "0.995"}]
    assert (first["number"], first["until"], len(first["sha256"])) == (1, newest["from"], 64)
    assert first["sha256"] != newest["sha256"]
    status, _ = mara.ask("GET", "/api/v1/slos/nobody/versions")
    assert status == 404


def test_retiring_needs_a_reason_and_a_right_and_deleting_is_always_refused(clock: WoundClock) -> None:
    ada = Caller("ada", now=clock.now())
    rob = Caller("rob", now=clock.now())
    status, problem = ada.ask("POST", f"/api/v1/slos/{NAME}/retire", {"reason": "  "})
    assert (status, "Say why" in str(problem)) == (422, True)
    assert rob.ask("POST", f"/api/v1/slos/{NAME}/retire", {"reason": "mine now"})[0] == 403
    status, problem = ada.ask("DELETE", f"/api/v1/slos/{NAME}")
    assert (status, "Retire it" in str(problem)) == (409, True)
    assert Objective.objects.get().retired_at is None
    assert ada.must("POST", f"/api/v1/slos/{NAME}/retire", {"reason": "moved"})["retired_at"] is not None


def test_the_page_tells_what_changed_and_what_it_did_to_the_budget(client: Client) -> None:
    text = text_of(signed_in(client), PAGE)
    assert 'data-testid="slo-changes"' in text
    assert "<del>99%</del> <ins>99.5%</ins>" in text
    assert 'data-testid="budget-shift"' in text
    assert "50.0% would be left by the former target of 99%." in text


def test_an_owner_retires_an_slo_on_its_page_with_a_reason(client: Client) -> None:
    signed_in(client)
    answer = client.post(f"{PAGE}/retire", {"reason": ""})
    assert (answer.status_code, b"Say why" in answer.content) == (422, True)
    assert client.post(f"{PAGE}/retire", {"reason": "The product ended"}).status_code == 302
    text = text_of(client, PAGE)
    assert "The product ended" in text
    assert 'data-testid="retire-form"' not in text


def test_who_does_not_own_it_sees_the_history_and_no_button(client: Client) -> None:
    signed_in(client, "rob")
    text = text_of(client, PAGE)
    assert 'data-testid="slo-changes"' in text
    assert 'data-testid="retire-form"' not in text
    assert client.post(f"{PAGE}/retire", {"reason": "mine"}).status_code == 403
