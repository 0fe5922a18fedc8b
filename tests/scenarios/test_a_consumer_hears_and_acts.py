"""A consumer that sees an SLO as more urgent than its provider: told at once by real mail, with an incident of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from django.test import Client

from tests.domains import slo_worlds, worlds
from tests.edges.mail_server import MailBox, mail_server
from tests.scenarios.stage import Stage
from tocsin.audit import queries as audit
from tocsin.channels.email import EmailChannel
from tocsin.comms import actions as comms
from tocsin.comms.models import ConsumerNotice
from tocsin.core.access import SYSTEM
from tocsin.incidents import actions as incidents
from tocsin.incidents import kin, queries
from tocsin.incidents.models import Incident
from tocsin.oncall import actions as oncall
from tocsin.people.models import Person
from tocsin.platform.clock import WoundClock
from tocsin.process import actions as process
from tocsin.slo import actions as slo
from tocsin.slo.actions import Said

pytestmark = pytest.mark.django_db(transaction=True)

SLO = "notify-availability"


@pytest.fixture
def box() -> Iterator[MailBox]:
    with mail_server() as found:
        yield found


@pytest.fixture
def stage(clock: WoundClock, box: MailBox) -> Iterator[Stage]:
    """Notifications gives its SLO 3; the shop sees it as 1. Sia is on call for the shop, Sam is not."""
    mail = EmailChannel(box.url, "Tocsin <tocsin@harbor.example>")
    stage = Stage(clock, mail=mail)
    worlds.person("nadia", in_team="notifications", is_owner=True, now=stage.now)
    worlds.service("notifications", of_team="notifications", display_name="Notifications", now=stage.now)
    for name in ("sia", "sam"):
        worlds.person(name, in_team="shop", is_owner=name == "sia", now=stage.now)
    worlds.service("checkout", of_team="shop", display_name="Checkout", now=stage.now)
    layer = {"name": "all", "start": "2026-11-02T09:00:00Z", "rotation": {"unit": "week", "every": 1}}
    rotation = {"name": "shop-primary", "time_zone": "UTC", "layers": [layer | {"users": [["sia"]]}]}
    oncall.save_rotation(SYSTEM, rotation, team="shop", role="", now=stage.now)
    slo_worlds.objective(SLO, service="notifications", display_name="People get notified", now=stage.now)
    slo.assign_priority(SYSTEM, objective=SLO, decision="set", priority=3, now=stage.now)
    yield stage
    mail.close()


def subscribe(stage: Stage, **more: Any) -> None:
    said = Said(decision="set", priority=1, reason="No order is confirmed without it.", strategy="own_group", **more)
    slo.state_view(worlds.actor("sia"), slo=SLO, consumer="service:checkout", said=said, now=stage.now)
    process.add_group_member(SYSTEM, group="shop-on-call", email="shop-desk@harbor.example", now=stage.now)


def count(stage: Stage, minutes: int, *, bad: int) -> None:
    for _ in range(minutes):
        stage.clock.wind(timedelta(minutes=1))
        stage.count(SLO, good=1000 - bad, bad=bad)


def notices(box: MailBox) -> list[EmailMessage]:
    return [mail for mail in box.mails if mail["X-Update-Kind"] == "consumer"]


def page_of(browser: Client, incident: Incident) -> str:
    return browser.get(f"/i/{incident.number}").content.decode()


def address_in(mail: EmailMessage) -> str:
    found = re.search(r"https?://[^/\s]+(/i/new\?\S+)", mail.get_content().replace("=\n", ""))
    assert found is not None
    return found[1]


@pytest.mark.req("R-9.2.8-4")
def test_the_own_group_gets_a_real_mail_when_the_slo_breaches_and_when_it_is_well_again(
    stage: Stage, box: MailBox
) -> None:
    count(stage, 5, bad=0)
    subscribe(stage)
    assert notices(box) == []
    count(stage, 3, bad=300)
    incident = stage.incident()
    assert sorted(mail["To"] for mail in notices(box)) == ["shop-desk@harbor.example", "sia <sia@harbor.example>"]
    mail = notices(box)[0]
    assert mail["Subject"] == "Notifications: People get notified fails; you see it as P1"
    assert mail["X-Incident-Id"] == incident.ref
    text = mail.get_content()
    assert "Checkout sees this as P1: No order is confirmed without it." in text
    assert f"notifications handles it as {incident.ref}, P3" in text
    count(stage, 3, bad=300)
    assert len(notices(box)) == 2
    [notice] = ConsumerNotice.objects.all()
    assert (notice.incident, notice.recipients, notice.ended_at) == (incident, 2, None)
    texts = [line.text for line in queries.timeline(SYSTEM, incident.number)]
    assert "Checkout told its own people (2) that it began" in texts
    count(stage, 90, bad=0)
    ended = notices(box)[2:]
    assert [mail["Subject"] for mail in ended] == ["Notifications: People get notified is well again"] * 2
    assert audit.verify().ok


@pytest.mark.req("R-9.2.8-5")
def test_the_consumer_opens_its_own_incident_from_the_mail_with_its_own_priority_words_and_cadence(
    stage: Stage, box: MailBox
) -> None:
    process.add_group_member(SYSTEM, group="customer-support", email="desk@harbor.example", now=stage.now)
    subscribe(stage, degrades_to="The order number is shown on screen.")
    count(stage, 5, bad=0)
    count(stage, 3, bad=300)
    upstream = stage.incident()
    address = address_in(notices(box)[0])
    browser = Client()
    browser.force_login(Person.objects.get(username="sia"), "django.contrib.auth.backends.ModelBackend")
    form = browser.get(address).content.decode()
    assert f'value="{upstream.ref}"' in form
    filled = {"title": "Orders are not confirmed", "service": "checkout", "priority": "1", "caused_by": upstream.ref}
    answer = browser.post("/i/new", filled)
    own = Incident.objects.latest("number")
    assert (answer.status_code, answer["Location"]) == (302, f"/i/{own.number}")

    [link] = kin.causes(own)
    assert (link.kind, link.upstream, link.objective) == ("caused_by_upstream", upstream, upstream.objective)
    assert kin.dependents(upstream) == [own]
    assert (own.priority, upstream.priority) == (1, 3)
    assert own.team is not None
    assert own.team.name == "shop"
    assert f'data-testid="caused-by"><a href="/i/{upstream.number}">{upstream.ref}</a>' in page_of(browser, own)
    assert f'data-testid="dependent"><a href="/i/{own.number}">{own.ref}</a> Checkout' in page_of(browser, upstream)
    sia = worlds.actor("sia")
    incidents.choose_groups(sia, own.number, groups=["customer-support"], now=stage.now)
    draft = comms.draft_update(sia, own.number, now=stage.now)
    assert draft.next_update_at == stage.now + timedelta(hours=2)  # P1, while the provider's P3 owes one every 8 h
    words = f"Orders come in, confirmations are late. Next update by {draft.next_update_at:%Y-%m-%d %H:%M} UTC."
    comms.send_update(sia, own.number, text=words, next_update_at=draft.next_update_at, now=stage.now)
    stage.cycle()
    [told] = [mail for mail in box.mails if mail["X-Update-Kind"] == "update"]
    assert told["To"] == "desk@harbor.example"
    assert "Orders come in, confirmations are late." in told.get_content()
    assert own.ref == told["X-Incident-Id"]
    texts = {row.number: [line.text for line in queries.timeline(SYSTEM, row.number)] for row in (own, upstream)}
    assert f"Caused upstream by {upstream.ref}" in texts[own.number]
    assert f"Checkout has {own.ref} because of this" in texts[upstream.number]


def test_a_provider_that_wants_nothing_done_keeps_no_consumer_in_the_dark(stage: Stage, box: MailBox) -> None:
    slo.assign_priority(SYSTEM, objective=SLO, decision="none", now=stage.now)
    subscribe(stage)
    count(stage, 5, bad=0)
    count(stage, 3, bad=300)
    assert not Incident.objects.exists()
    mail = notices(box)[0]
    assert "notifications has no open incident for it." in mail.get_content()
    own = incidents.declare(
        worlds.actor("sia"), title="Orders wait", service="checkout", caused_by=f"slo:{SLO}", now=stage.now
    )
    [link] = kin.causes(own)
    assert (link.upstream, link.objective is not None and link.objective.name) == (None, SLO)


def test_whoever_no_longer_subscribes_hears_no_more(stage: Stage, box: MailBox) -> None:
    subscribe(stage)
    count(stage, 5, bad=0)
    count(stage, 3, bad=300)
    slo.withdraw_view(worlds.actor("sia"), slo=SLO, consumer="service:checkout", now=stage.now)
    count(stage, 90, bad=0)
    assert len(notices(box)) == 2
    assert not ConsumerNotice.objects.filter(ended_at=None).exists()


def test_while_nobody_is_on_call_and_the_group_is_empty_the_whole_team_hears(stage: Stage, box: MailBox) -> None:
    said = Said(decision="set", priority=1, reason="Waits.", strategy="own_group")
    slo.state_view(worlds.actor("sia"), slo=SLO, consumer="team:shop", said=said, now=stage.now)
    layer: dict[str, Any] = {
        "name": "all",
        "start": "2026-11-02T09:00:00Z",
        "until": "2026-11-03T09:00:00Z",
        "users": [["sia"]],
    }
    layer["rotation"] = {"unit": "week", "every": 1}
    empty = {"name": "shop-primary", "time_zone": "UTC", "layers": [layer]}
    oncall.save_rotation(SYSTEM, empty, team="shop", role="", now=stage.now)
    count(stage, 5, bad=0)
    count(stage, 3, bad=300)
    assert sorted(mail["To"] for mail in notices(box)) == ["sam <sam@harbor.example>", "sia <sia@harbor.example>"]
