"""A crawler follows every link of every page of a lived-in house: none is dead, and not one value of one row changes."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from html import unescape
from urllib.parse import urlsplit

import pytest
from django.apps import apps
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import resolve

from tests.browser import world as worlds
from tocsin.people import queries as people
from tocsin.platform.clock import WoundClock

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(300)]

MOST_OF_A_ROUTE = 6  # addresses that differ in a number or a word; further ones show the same page of another row
# Signing out is a press of a button; the page that asks for it is allauth's own.
LEFT_OUT = ("/static/", "/accounts/logout/")


def digest() -> dict[str, str]:
    """What each table holds, in short; a session's own expiry is nobody's data."""
    models = [model for model in apps.get_models() if model is not Session]
    rows = {model._meta.label: list(model._default_manager.order_by("pk").values_list()) for model in models}
    return {label: hashlib.sha256(repr(found).encode()).hexdigest() for label, found in rows.items()}


def links(page: str) -> set[str]:
    """Where the links of a page lead within the house."""
    found = {unescape(href) for href in re.findall(r'href="(/[^"#]*)', page)}
    return {href for href in found if not href.startswith(LEFT_OUT)}


@pytest.mark.parametrize("username", ["ana", "rea"])
def test_every_link_leads_somewhere_and_looking_changes_no_row(
    client: Client, clock: WoundClock, username: str
) -> None:
    worlds.build(clock)
    client.force_login(people.person(username), "django.contrib.auth.backends.ModelBackend")
    before = digest()
    waiting, seen, wrong, visits = ["/"], {"/"}, [], Counter[str]()
    while waiting:
        address = waiting.pop(0)
        route = resolve(urlsplit(address).path).route
        if visits[route] == MOST_OF_A_ROUTE:
            continue
        if not visits[route]:
            client.head(address)
        visits[route] += 1
        answer = client.get(address)
        if answer.status_code not in {200, 302}:
            wrong.append(f"{address} answers {answer.status_code}")
        if answer.status_code == 200 and answer.headers["Content-Type"].startswith("text/html"):
            fresh = links(answer.content.decode()) - seen
            seen |= fresh
            waiting += sorted(fresh)
    assert not wrong
    assert len(visits) > 30, "the crawler found hardly anything"
    after = digest()
    assert [label for label in before if before[label] != after[label]] == []
