"""Every page is reached by links from `/`, and no link on any page leads nowhere."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.test import Client
from django.urls import resolve

from tests.browser import world as worlds
from tocsin.people.models import Person
from tocsin.platform.clock import WoundClock

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(180)]

LINK = re.compile(r'href="(/[^"#]*)')
PIXELS = re.compile(r"\.png(\?|$)")  # answered where the optional part that paints them is installed
ELSEWHERE = ("/static/", "/accounts/", "/demo/", "/api/", "/openapi.json", "/docs")
PAGES = {
    "now",
    "incidents",
    "incident",
    "incident-timeline",
    "incident-priority",
    "incident-severity",
    "incident-roles",
    "incident-resolve",
    "incident-pass-on",
    "updates",
    "incident-updates",
    "review",
    "review-section",
    "review-line",
    "review-action-add",
    "postmortems",
    "actions",
    "action-change",
    "slos",
    "slo",
    "oncall",
    "rotation",
    "priorities",
    "process",
    "setup",
    "setup-sources",
    "me",
    "help",
    "help-keys",
}


def crawl(client: Client) -> tuple[dict[str, int], set[str]]:
    """The answer to every internal link that is reached from `/`, and the names of the pages behind them."""
    answers: dict[str, int] = {}
    names: set[str] = set()
    waiting = ["/"]
    while waiting and len(answers) < 400:
        path = waiting.pop()
        if path in answers or path.startswith(ELSEWHERE) or PIXELS.search(path):
            continue
        answer = client.get(path)
        answers[path] = answer.status_code
        if answer.status_code == 200:
            names.add(resolve(path.split("?")[0]).url_name or "")
        if answer.status_code == 200 and answer["Content-Type"].startswith("text/"):
            waiting += [unescape(found) for found in LINK.findall(answer.content.decode())]
    return answers, names


def test_every_page_is_reached_from_the_first_one_and_no_link_is_dead(client: Client, clock: WoundClock) -> None:
    worlds.build(clock)
    client.force_login(Person.objects.get(username="ana"), "django.contrib.auth.backends.ModelBackend")
    answers, names = crawl(client)
    assert {path: code for path, code in answers.items() if code != 200} == {}
    assert PAGES - names == set()
