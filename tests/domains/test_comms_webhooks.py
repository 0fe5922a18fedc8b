"""Which events leave for whom: the endpoint's own words, from the moment it was added until it wants no more."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.domains import worlds
from tests.domains.incident_worlds import HOUR, House
from tocsin.audit.models import Entry
from tocsin.comms import actions, queries
from tocsin.comms.models import WebhookEndpoint
from tocsin.core.access import SYSTEM
from tocsin.core.errors import Invalid, NotAllowed, NotFound
from tocsin.core.facts import Kind
from tocsin.incidents import actions as incidents
from tocsin.platform.models import OutboxMessage, OutboxState

pytestmark = pytest.mark.django_db

SECRET = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo="
OTHER = "whsec_" + "WllYV1ZVVFNSUVBPTk1MS0pJSEdGRURDQkE="


@pytest.fixture
def house() -> House:
    return House()


def add(house: House, url: str = "https://hooks.example/in?key=1", **fields: Any) -> WebhookEndpoint:
    return actions.add_webhook(SYSTEM, url=url, secret=SECRET, now=house.now, **fields)


def posts() -> list[OutboxMessage]:
    return list(OutboxMessage.objects.filter(channel="webhook", kind="event").order_by("id"))


def test_each_event_of_an_incident_is_queued_once_with_the_incident_in_it(house: House) -> None:
    endpoint = add(house)
    incident = house.declare()
    incidents.acknowledge(house.ada, incident.number, now=house.now)
    assert actions.enqueue_events(now=house.now) > 0
    actions.enqueue_events(now=house.now)
    types = [post.payload["type"] for post in posts()]
    assert types == ["incident.declared", "incident.acknowledged"]
    first = posts()[0]
    assert set(first.payload) == {"type", "timestamp", "data"}
    assert first.payload["data"]["id"] == "INC-1"
    assert first.payload["data"]["incident"]["service"] == "log-on"
    assert first.payload["data"]["incident"]["priority"] == 1
    assert first.payload["data"]["event"]["actor"] == "ben"
    assert (first.subject_kind, first.subject_id) == ("webhook", str(endpoint.pk))
    assert first.destination == "webhook:hooks.example"
    assert len({post.key for post in posts()}) == 2


def test_an_endpoint_hears_only_what_it_asked_for(house: House) -> None:
    add(house, events="incident.resolved, priority.*")
    incident = house.declare(priority=3)
    incidents.change_priority(house.ada, incident.number, priority=2, reason="More people.", now=house.now)
    incidents.resolve(house.ada, incident.number, category="deploy", now=house.now)
    actions.enqueue_events(now=house.now)
    assert [post.payload["type"] for post in posts()] == ["priority.changed", "incident.resolved"]


def test_what_happened_before_an_endpoint_was_added_is_not_told_to_it(house: House) -> None:
    house.declare("Before anybody listened")
    house.pass_time(HOUR)
    first = add(house)
    house.pass_time(HOUR)
    house.declare("Between")
    house.pass_time(HOUR)
    second = add(house, "https://second.example/in")
    house.pass_time(HOUR)
    house.declare("After")
    actions.enqueue_events(now=house.now)
    told = [(post.subject_id, post.payload["data"]["incident"]["title"]) for post in posts()]
    assert told == [(str(first.pk), "Between"), (str(first.pk), "After"), (str(second.pk), "After")]


def test_while_nobody_listens_nothing_is_kept_for_later(house: House) -> None:
    endpoint = add(house)
    actions.disable_webhook(endpoint.pk, reason="No longer wanted", now=house.now)
    house.pass_time(HOUR)
    house.declare("Unheard")
    assert actions.enqueue_events(now=house.now) == 0
    house.pass_time(HOUR)
    add(house, "https://second.example/in")
    actions.enqueue_events(now=house.now)
    assert posts() == []


def test_a_backlog_is_worked_off_a_part_at_a_time_without_a_gap(house: House) -> None:
    add(house)
    for number in range(4):
        house.declare(f"Number {number}")
    while actions.enqueue_events(now=house.now, limit=2):
        pass
    assert [post.payload["data"]["id"] for post in posts()] == ["INC-1", "INC-2", "INC-3", "INC-4"]


def test_pages_and_updates_leave_before_events(house: House) -> None:
    add(house)
    house.declare()
    actions.enqueue_events(now=house.now)
    pages = OutboxMessage.objects.filter(kind="page")
    assert max(page.lane for page in pages) < min(post.lane for post in posts())


def test_an_endpoint_that_wants_no_more_gets_nothing_more(house: House) -> None:
    endpoint = add(house)
    house.declare()
    actions.enqueue_events(now=house.now)
    assert actions.disable_webhook(endpoint.pk, reason="answered 410\r\nX: y", now=house.now) is True
    assert actions.disable_webhook(endpoint.pk, reason="again", now=house.now) is False
    endpoint.refresh_from_db()
    assert (endpoint.disabled_at, endpoint.disabled_reason) == (house.now, "answered 410 X: y")
    assert {post.state for post in posts()} == {OutboxState.CANCELLED}
    assert Entry.objects.filter(kind=Kind.WEBHOOK_DISABLED).count() == 1
    assert queries.signing_secrets(str(endpoint.pk), now=house.now) == ()


def test_during_a_rotation_both_secrets_sign_and_after_it_only_the_new_one(house: House) -> None:
    endpoint = add(house)
    actions.rotate_webhook(SYSTEM, endpoint.pk, secret=OTHER, overlap_seconds=3600, now=house.now)
    end = house.now + HOUR
    ident = str(endpoint.pk)
    assert queries.signing_secrets(ident, now=end - timedelta(microseconds=1)) == (OTHER, SECRET)
    assert queries.signing_secrets(ident, now=end) == (OTHER,)
    assert queries.signing_secrets("nonsense", now=end) == ()
    with pytest.raises(NotFound):
        actions.rotate_webhook(SYSTEM, 0, secret=OTHER, now=house.now)
    with pytest.raises(Invalid):
        actions.rotate_webhook(SYSTEM, endpoint.pk, secret=OTHER, overlap_seconds=-1, now=house.now)


def test_neither_a_secret_nor_a_whole_address_stands_in_the_log(house: House) -> None:
    endpoint = add(house)
    actions.rotate_webhook(SYSTEM, endpoint.pk, secret=OTHER, now=house.now)
    logged = " ".join(str(entry.data) for entry in Entry.objects.filter(kind=Kind.WEBHOOK_SAVED))
    assert "hooks.example" in logged
    assert not any(hidden in logged for hidden in (SECRET, OTHER, "whsec", "key=1"))


@pytest.mark.parametrize(
    "secret",
    ["", "whsec_", "whsec_not base64", "whsec_QUJD", "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo=", "whsec_" + "A" * 120],
)
def test_a_secret_is_a_prefix_and_base64_of_24_to_64_bytes(house: House, secret: str) -> None:
    with pytest.raises(Invalid) as refused:
        actions.add_webhook(SYSTEM, url="https://hooks.example", secret=secret, now=house.now)
    assert set(refused.value.fields) == {"secret"}


@pytest.mark.parametrize("url", ["", "hooks.example", "ftp://hooks.example", "https://", "http://a b", "http://a:x/"])
def test_an_address_must_be_one_that_can_be_posted_to(house: House, url: str) -> None:
    if url == "http://a b":
        url = "http://a\r\nb"
    with pytest.raises(Invalid) as refused:
        add(house, url)
    assert set(refused.value.fields) == {"url"}


@pytest.mark.parametrize("events", ["", " , ", "nothing.like.it", "x" * 300])
def test_events_must_be_some_that_happen(house: House, events: str) -> None:
    with pytest.raises(Invalid) as refused:
        add(house, events=events)
    assert set(refused.value.fields) == {"events"}


def test_only_administrators_add_rotate_and_see_webhooks(house: House) -> None:
    endpoint = add(house)
    ada = worlds.actor("ada")
    with pytest.raises(NotAllowed):
        actions.add_webhook(ada, url="https://hooks.example", secret=SECRET, now=house.now)
    with pytest.raises(NotAllowed):
        actions.rotate_webhook(ada, endpoint.pk, secret=OTHER, now=house.now)
    with pytest.raises(NotAllowed):
        actions.disable_webhook(endpoint.pk, reason="x", now=house.now, actor=ada)
    with pytest.raises(NotAllowed):
        queries.webhooks(ada)
    with pytest.raises(NotAllowed):
        queries.webhook_deliveries(ada, endpoint.pk)
    assert list(queries.webhooks(SYSTEM)) == [endpoint]


def test_an_event_whose_content_was_removed_says_nothing_of_it(house: House) -> None:
    add(house)
    house.declare("A secret title")
    Entry.objects.filter(kind=Kind.INCIDENT_DECLARED)
    from tocsin.audit import actions as audit

    seq = Entry.objects.get(kind=Kind.INCIDENT_DECLARED).seq
    audit.redact(SYSTEM, seq, "It named a customer.", now=house.now)
    actions.enqueue_events(now=house.now)
    event = next(post.payload["data"]["event"] for post in posts() if post.payload["type"] == "incident.declared")
    assert (event["data"], event["text"]) == (None, "(redacted)")
