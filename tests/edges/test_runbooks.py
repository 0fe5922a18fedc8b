"""Runbook and priority go together: in every rendering of a runbook, and in every page, mail and webhook of an alert."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.browser import world as lived_in
from tests.browser.world import World
from tests.domains import worlds
from tests.edges.web_client import read, signed_in, words
from tocsin.comms import actions as comms
from tocsin.core.access import SYSTEM
from tocsin.incidents.models import Incident
from tocsin.incidents.runbooks import runbook_of
from tocsin.platform.clock import WoundClock
from tocsin.platform.models import OutboxMessage
from tocsin.process import queries as process
from tocsin.slo import actions as slo
from tocsin.slo.models import Objective

pytestmark = pytest.mark.django_db

ADDRESS = "/slos/log-on/log-on-availability"
SECRET = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldY"


@pytest.fixture
def lived(clock: WoundClock) -> World:
    return lived_in.build(clock)


@pytest.mark.req("R-9.2.4-6")
def test_every_rendering_of_a_runbook_ends_with_the_current_priority_and_a_link(lived: World) -> None:
    text = signed_in("rea").get(f"{ADDRESS}/runbook/markdown").content.decode()
    last = text.strip().splitlines()[-1]
    assert last.startswith("P1 Act now, decided by system on 2026-11-")
    assert last.endswith(f"{ADDRESS}#priority>")
    assert "https://wiki.example.com/log-on" in text
    page = words(read(signed_in("rea"), f"{ADDRESS}/runbook"), "runbook-body")
    assert page.split("Current priority")[1].startswith(" Told: Customer support.")
    assert page.endswith(f"{ADDRESS}#priority")
    slo.assign_priority(SYSTEM, objective="log-on-availability", decision="set", priority=2, now=lived.now)
    text = signed_in("rea").get(f"{ADDRESS}/runbook/markdown").content.decode()
    assert text.strip().splitlines()[-1].startswith("P2 Keep everyone informed")
    other = signed_in("rea").get("/slos/ticket-sales/refunds/runbook/markdown").content.decode()
    assert other.strip().splitlines()[-1].startswith("undecided")


@pytest.mark.req("R-9.2.4-6")
def test_the_page_and_the_mail_of_an_alert_carry_runbook_and_priority(lived: World) -> None:
    mail = OutboxMessage.objects.filter(kind="page", incident=f"INC-{lived.burning}").earliest("pk")
    lines = mail.payload["text"].splitlines()
    assert "Runbook: https://wiki.example.com/log-on" in lines
    assert lines[-1].startswith("Priority: P1 Act now, http")
    assert lines[-1].endswith(f"{ADDRESS}#priority")
    for client, address in ((signed_in("rea"), f"/i/{lived.burning}"), (None, link_in(mail.payload["text"]))):
        page = read(client or signed_in("bo"), address)
        assert 'href="https://wiki.example.com/log-on"' in page
        assert words(page, "runbook-priority") == "Priority now: P1 Act now"
        assert f'href="{ADDRESS}#priority"' in page


def link_in(text: str) -> str:
    """The path of the page a mail leads to."""
    return next("/p/" + word.split("/p/")[1] for word in text.split() if "/p/" in word)


@pytest.mark.req("R-9.2.4-6")
def test_the_webhook_of_an_alert_carries_both(lived: World) -> None:
    comms.add_webhook(SYSTEM, url="https://hook.example.com/", secret=SECRET, now=lived.now)
    worlds.actor("ana")
    from tocsin.incidents import actions as incidents

    incidents.acknowledge(worlds.actor("ana"), lived.burning, now=lived.now)
    comms.enqueue_events(now=lived.now)
    message = OutboxMessage.objects.filter(channel="webhook").latest("pk")
    told: Any = json.loads(json.dumps(message.payload))
    incident = told["data"]["incident"] if "data" in told else json.loads(told["body"])["data"]["incident"]
    assert incident["runbook_url"] == "https://wiki.example.com/log-on"
    assert incident["priority_name"] == "P1 Act now"
    assert incident["priority_url"].endswith(f"{ADDRESS}#priority")


def test_an_slo_without_a_runbook_of_its_own_leads_to_the_one_written_here(lived: World) -> None:
    Objective.objects.get(name="log-on-availability").service.__class__.objects.update(runbook_url="")
    incident = Incident.objects.get(number=lived.burning)
    found = runbook_of(incident, process.current())
    assert found.url.endswith(f"{ADDRESS}/runbook")
    assert f'href="{ADDRESS}/runbook"' in read(signed_in("rea"), f"/i/{lived.burning}")
    read(signed_in("rea"), "/slos/ticket-sales/log-on-availability/runbook", status=404)


def test_a_foreign_alert_brings_its_own_runbook_and_an_unsafe_one_is_no_link(lived: World) -> None:
    incident = Incident.objects.get(number=lived.declared)
    assert runbook_of(incident, process.current()).url == ""
    link = Incident.objects.get(number=lived.burning).alert_links.latest("pk")
    incident.alert_links.create(alert=link.alert, attached_at=lived.now)
    for written, found in (("https://wiki.example.com/x", "https://wiki.example.com/x"), ("javascript:alert(1)", "")):
        link.alert.annotations = {"runbook_url": written}
        link.alert.save()
        assert runbook_of(incident, process.current()).url == found
