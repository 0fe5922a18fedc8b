"""Webhooks to a real HTTP server, checked with the standard's own library."""

from __future__ import annotations

import json
import socket
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from standardwebhooks import Webhook, WebhookVerificationError
from werkzeug import Request, Response

from tests.domains import incident_worlds as world
from tests.domains.incident_worlds import House
from tocsin.channels import registry
from tocsin.channels.protocol import DeliveryFailed, Message
from tocsin.channels.webhook import WebhookChannel
from tocsin.comms import actions, queries
from tocsin.comms.models import WebhookEndpoint
from tocsin.core.access import SYSTEM
from tocsin.core.facts import Kind
from tocsin.engine import deliver
from tocsin.people import actions as people
from tocsin.platform.clock import wall_now
from tocsin.platform.models import OutboxMessage, OutboxState

pytestmark = pytest.mark.django_db

SECRET = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo="
OTHER = "whsec_" + "WllYV1ZVVFNSUVBPTk1MS0pJSEdGRURDQkE="
BODY = {
    "type": "incident.declared",
    "timestamp": "2026-11-23T02:12:00Z",
    "data": {"id": "INC-1", "title": "Ünïcode 🔥"},
}


@pytest.fixture
def house() -> House:
    """A house whose time is now: the standard's library refuses what was signed long ago."""
    return House(now=wall_now())


def message(url: str, **fields: Any) -> Message:
    now = wall_now()  # the verifier compares with the machine's clock
    values: dict[str, Any] = {
        "key": "evt-1-7",
        "kind": "event",
        "address": url,
        "payload": BODY,
        "due_at": now,
        "at": now,
        "secrets": (SECRET,),
    }
    return Message(**values | fields)


def post(said: Message) -> str:
    return WebhookChannel().send(said, deadline=timedelta(seconds=5))


def endpoint(house: House, url: str, **fields: Any) -> WebhookEndpoint:
    return actions.add_webhook(SYSTEM, url=url, secret=SECRET, now=house.now, **fields)


def declared(house: House) -> None:
    house.declare()
    actions.enqueue_events(now=house.now)


def requests_of(server: HTTPServer) -> list[Request]:
    return [request for request, _ in server.log]


def go(house: House) -> int:
    """Deliver webhooks only."""
    OutboxMessage.objects.exclude(channel="webhook").delete()
    return deliver.turn(registry.build(smtp_url="", mail_from="Tocsin <t@x.example>"), now=house.now)


def test_the_standards_library_verifies_what_arrives(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/in", method="POST").respond_with_data("ok")
    assert post(message(httpserver.url_for("/in"))) == "answered 200"
    [request] = requests_of(httpserver)
    body = request.get_data()
    assert Webhook(SECRET).verify(body, dict(request.headers)) == BODY
    assert set(json.loads(body)) == {"type", "timestamp", "data"}
    assert request.headers["Content-Type"] == "application/json"
    with pytest.raises(WebhookVerificationError):
        Webhook(OTHER).verify(body, dict(request.headers))
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(body.replace(b"INC-1", b"INC-2"), dict(request.headers))


def test_during_a_rotation_old_and_new_secret_verify(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/in").respond_with_data("ok")
    post(message(httpserver.url_for("/in"), secrets=(OTHER, SECRET)))
    [request] = requests_of(httpserver)
    for secret in (SECRET, OTHER):
        assert Webhook(secret).verify(request.get_data(), dict(request.headers)) == BODY
    assert len(request.headers["webhook-signature"].split()) == 2


def test_what_our_own_fields_hold_beside_the_three_is_not_posted(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/in").respond_with_data("ok")
    post(message(httpserver.url_for("/in"), payload={**BODY, "date": "2026-11-23", "contact": 7}))
    assert json.loads(requests_of(httpserver)[0].get_data()) == BODY


@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 404, 408, 429, 500, 502, 503])
def test_anything_but_success_is_tried_again_and_no_redirect_is_followed(httpserver: HTTPServer, status: int) -> None:
    elsewhere = httpserver.url_for("/elsewhere")
    httpserver.expect_request("/in").respond_with_data("no", status=status, headers={"Location": elsewhere})
    httpserver.expect_request("/elsewhere").respond_with_data("ok")
    with pytest.raises(DeliveryFailed) as failed:
        post(message(httpserver.url_for("/in")))
    assert (failed.value.permanent, failed.value.gone, failed.value.unknown) == (False, False, False)
    assert [request.path for request in requests_of(httpserver)] == ["/in"]


def test_410_means_never_again(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/in").respond_with_data("gone", status=410)
    with pytest.raises(DeliveryFailed) as failed:
        post(message(httpserver.url_for("/in")))
    assert (failed.value.permanent, failed.value.gone) == (True, True)


@pytest.mark.parametrize(
    ("header", "wait"), [("7", timedelta(seconds=7)), ("soon", None), ("-3", None), ("99999999999999", None)]
)
def test_a_wish_to_wait_is_read_and_nonsense_is_not(
    httpserver: HTTPServer, header: str, wait: timedelta | None
) -> None:
    httpserver.expect_request("/in").respond_with_data("busy", status=429, headers={"Retry-After": header})
    with pytest.raises(DeliveryFailed) as failed:
        post(message(httpserver.url_for("/in")))
    assert failed.value.retry_after == wait


def test_a_long_answer_is_an_answer_all_the_same(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/in").respond_with_data("x" * 200_000)
    assert post(message(httpserver.url_for("/in"))) == "answered 200"


def test_nobody_there_is_no_doubt_but_silence_after_the_post_is_one() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/in"
    with pytest.raises(DeliveryFailed) as nobody:
        post(message(url))
    assert (nobody.value.unknown, nobody.value.permanent) == (False, False)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/in"
        with pytest.raises(DeliveryFailed) as doubt:
            WebhookChannel().send(message(url), deadline=timedelta(seconds=0.2))
    assert doubt.value.unknown is True


def test_what_is_no_address_or_no_secret_fails_for_good(httpserver: HTTPServer) -> None:
    with pytest.raises(DeliveryFailed) as wrong:
        post(message("http://169.254.169.254/latest/meta-data"))
    assert wrong.value.permanent is True
    with pytest.raises(DeliveryFailed) as unsigned:
        post(message(httpserver.url_for("/in"), secrets=("whsec_%%%",)))
    assert unsigned.value.permanent is True
    assert requests_of(httpserver) == []


def test_private_addresses_are_refused_where_the_installation_says_so(httpserver: HTTPServer, settings: Any) -> None:
    settings.ALLOW_PRIVATE_TARGETS = False
    with pytest.raises(DeliveryFailed) as refused:
        post(message(httpserver.url_for("/in")))
    assert refused.value.permanent is True
    assert requests_of(httpserver) == []


def test_an_event_of_an_incident_arrives_signed_and_stands_on_the_list_of_deliveries(
    house: House, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/in").respond_with_data("", status=204)
    row = endpoint(house, httpserver.url_for("/in"))
    declared(house)
    assert go(house) == 1
    [request] = requests_of(httpserver)
    said = Webhook(SECRET).verify(request.get_data(), dict(request.headers))
    assert (said["type"], said["data"]["incident"]["title"]) == ("incident.declared", "38% of log-ons fail")
    [told] = queries.webhook_deliveries(SYSTEM, row.pk)
    assert (told.message.key, told.outcome, told.at) == (request.headers["webhook-id"], "accepted", house.now)


def test_a_post_is_tried_again_at_growing_intervals_under_the_same_id_five_times_in_90_seconds(
    house: House, httpserver: HTTPServer
) -> None:
    answers = iter([503, 500, 302, 429, 200])
    stamps: list[str] = []

    def answer(request: Request) -> Response:
        stamps.append(request.headers["webhook-timestamp"])
        Webhook(SECRET).verify(request.get_data(), dict(request.headers))
        return Response(status=next(answers))

    httpserver.expect_request("/in").respond_with_handler(answer)
    endpoint(house, httpserver.url_for("/in"))
    begun = house.now
    declared(house)
    tried_at = []
    while go(house):
        tried_at.append(house.now)
        waiting = OutboxMessage.objects.filter(state=OutboxState.QUEUED).first()
        house.now = waiting.not_before if waiting else house.now
    waits = [later - sooner for sooner, later in pairwise(tried_at)]
    assert len(tried_at) == 5
    assert waits == sorted(set(waits))
    assert tried_at[-1] - begun < timedelta(seconds=90)
    assert len({request.headers["webhook-id"] for request in requests_of(httpserver)}) == 1
    assert stamps == [str(int(at.timestamp())) for at in tried_at]
    httpserver.check_assertions()


def test_410_ends_the_endpoint_and_what_was_queued_for_it(house: House, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/in").respond_with_data("", status=410)
    row = endpoint(house, httpserver.url_for("/in"))
    house.declare("One")
    house.declare("Two")
    actions.enqueue_events(now=house.now)
    OutboxMessage.objects.exclude(channel="webhook").delete()
    channels = registry.build(smtp_url="", mail_from="Tocsin <t@x.example>")
    assert deliver.turn(channels, now=house.now, limit=1) == 1
    row.refresh_from_db()
    assert (row.disabled_at, row.disabled_reason) == (house.now, "answered 410")
    assert sorted(OutboxMessage.objects.values_list("state", flat=True)) == ["cancelled", "failed"]
    house.declare("Three")
    assert actions.enqueue_events(now=house.now) == 0
    assert go(house) == 0
    assert len(requests_of(httpserver)) == 1


def test_an_endpoint_switched_off_while_a_post_was_claimed_gets_nothing_unsigned(
    house: House, httpserver: HTTPServer
) -> None:
    row = endpoint(house, httpserver.url_for("/in"))
    declared(house)
    OutboxMessage.objects.exclude(channel="webhook").delete()
    [claimed] = deliver.claim_due(now=house.now, limit=1)
    actions.disable_webhook(row.pk, reason="off", now=house.now)
    deliver.deliver(claimed, channels={"webhook": WebhookChannel()}, now=lambda: house.now)
    claimed.refresh_from_db()
    assert (claimed.state, claimed.last_error) == (OutboxState.FAILED, "the endpoint was switched off")
    assert requests_of(httpserver) == []


def test_a_page_by_webhook_is_signed_with_the_secret_of_that_persons_way(house: House, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/ada").respond_with_data("ok")
    people.add_contact_method(
        SYSTEM, username="ben", channel="webhook", address=httpserver.url_for("/ada"), secret=OTHER, now=house.now
    )
    people.add_contact_method(
        SYSTEM, username="ada", channel="webhook", address=httpserver.url_for("/ada"), secret=SECRET, now=house.now
    )
    incident = house.declare()
    assert go(house) == 1
    [request] = requests_of(httpserver)
    said = Webhook(SECRET).verify(request.get_data(), dict(request.headers))
    assert said["data"]["incident"] == "INC-1"
    assert "/p/" in said["data"]["text"]
    [told] = world.entries(incident, Kind.PAGE_ACCEPTED)
    assert (told["person"], told["channel"]) == ("Ada", "webhook")


@pytest.mark.req("R-X-8")
def test_hostile_words_of_an_alert_stay_words_in_the_post(house: House, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/in").respond_with_data("ok")
    endpoint(house, httpserver.url_for("/in"))
    title = '"},"type":"incident.resolved","x":{"y":"<script>alert(1)</script> \\u0000 ${jndi:ldap://x}'
    house.declare(title)
    actions.enqueue_events(now=house.now)
    assert go(house) == 1
    [request] = requests_of(httpserver)
    said = Webhook(SECRET).verify(request.get_data(), dict(request.headers))
    assert said["type"] == "incident.declared"
    assert said["data"]["incident"]["title"] == title
