"""The way out of status mails, as a reader and as a mail program press it."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.domains.incident_worlds import House
from tests.edges.web_client import has, read, words
from tocsin.comms import actions
from tocsin.comms.models import Subscriber
from tocsin.core.access import SYSTEM

pytestmark = pytest.mark.django_db


@pytest.fixture
def link() -> str:
    house = House()
    row = actions.add_subscriber(SYSTEM, email="sub@harbor.example", service="log-on", now=house.now)
    return f"/unsubscribe/{actions.unsubscribe_secret(row)}"


def test_looking_at_the_link_ends_nothing_however_often_a_scanner_looks(client: Client, link: str) -> None:
    for method in (client.get, client.head, client.get):
        assert method(link).status_code == 200
    assert Subscriber.objects.get().ended_at is None
    assert has(read(client, link), "unsubscribe")


def test_one_press_without_signing_in_ends_it(link: str) -> None:
    strict = Client(enforce_csrf_checks=True)
    answer = strict.post(link, {"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200
    assert words(answer.content.decode(), "unsubscribed") == "sub@harbor.example hears no more of Log-on."
    assert Subscriber.objects.get().ended_at is not None
    assert strict.post(link).status_code == 200


def test_the_page_tells_nobody_where_it_was(client: Client, link: str) -> None:
    answer = client.get(link)
    assert (answer["Referrer-Policy"], answer["X-Robots-Tag"]) == ("no-referrer", "noindex")


def test_a_link_that_was_cut_off_says_so(client: Client, link: str) -> None:
    for method in (client.get, client.post):
        assert method(link[:-3]).status_code == 404
