"""Every address: refused to strangers unless it stands on the short list, and looking at it changes nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

import pytest
from django.apps import apps
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from tests.domains import worlds
from tocsin.core.access import SYSTEM
from tocsin.incidents import actions as incidents

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(300)]

# Reviewed by hand. What stands here answers strangers; everything else sends them away.
PUBLIC = {
    "login-link/<str:secret>": "signs in, once",
    "p/<str:token>": "the bearer of a page's link sees that incident",
    "p/<str:token>/take": "and may take it",
    "p/<str:token>/pass": "or pass it on",
    "unsubscribe/<str:secret>": "the bearer of a status mail's link ends that subscription",
    "openapi.json": "describes the interface, holds no data",
}
SIGN_IN = "accounts/"
REFUSALS = {301, 302, 400, 401, 403, 404, 405, 415, 422}
SAMPLES = {"int": "1", "str": "x", "slug": "x", "uuid": "6f2d7a52-8a3e-4c1e-9d53-0c1f5d0f2a11", "path": "x"}


def routes(patterns: list[URLPattern | URLResolver] | None = None, before: str = "") -> Iterator[str]:
    """Every pattern of the URLconf, as written."""
    for one in get_resolver().url_patterns if patterns is None else patterns:
        written = before + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from routes(one.url_patterns, written)
        else:
            yield written


def address(route: str) -> str:
    """A path that the pattern matches."""
    plain = re.sub(r"\(\?P<\w+>[^)]*\)", "1-x", route.replace("^", "").replace("$", "").replace("\\Z", ""))
    return "/" + re.sub(r"<(?:(\w+):)?\w+>", lambda found: SAMPLES.get(found[1] or "str", "x"), plain)


def guarded() -> list[str]:
    return sorted({route for route in routes() if not route.startswith(SIGN_IN) and route not in PUBLIC})


def counts() -> dict[str, object]:
    """How many rows each table has, and the latest change of those that are often written."""
    found: dict[str, object] = {
        model._meta.label: model._default_manager.count() for model in apps.get_models() if model is not Session
    }
    entry = apps.get_model("audit.Entry")._default_manager.order_by("-seq").first()
    return {**found, "last entry": getattr(entry, "hash", "")}


@pytest.fixture(autouse=True)
def house(now: datetime) -> None:
    worlds.process(now=now)
    worlds.person("ana", role="admin", in_team="tickets", now=now)
    worlds.service("checkout", of_team="tickets", now=now)
    incidents.declare(SYSTEM, title="Checkout fails", service="checkout", priority=1, now=now)


def test_strangers_are_sent_away_from_every_page_and_every_door(client: Client) -> None:
    """A redirect leads to the sign-in page; nothing else of the house is shown or done."""
    open_doors = []
    for route in guarded():
        for method in ("get", "post", "put", "patch", "delete"):
            answer = getattr(client, method)(address(route))
            leads_away = answer.status_code not in {301, 302} or answer["Location"].startswith(("/accounts/", "/"))
            if answer.status_code not in REFUSALS or not leads_away:
                open_doors.append(f"{method.upper()} {route} answers {answer.status_code}")
            if answer.status_code == 302 and not answer["Location"].startswith("/accounts/login/"):
                open_doors.append(f"{method.upper()} {route} leads to {answer['Location']}")
    assert not open_doors, "\n".join(open_doors)


def test_a_stranger_s_press_changes_nothing(client: Client) -> None:
    before = counts()
    for route in guarded():
        client.post(address(route))
    assert counts() == before


def test_looking_changes_nothing(client: Client) -> None:
    """GET and HEAD of every address by an administrator, as a crawler or a preview would do it."""
    client.force_login(worlds.person("ana"), "django.contrib.auth.backends.ModelBackend")
    before, broken = counts(), []
    for route in sorted(set(routes())):
        for method in ("get", "head"):
            answer = getattr(client, method)(address(route))
            if answer.status_code >= 500:
                broken.append(f"{method.upper()} {route} answers {answer.status_code}")
        if (after := counts()) != before:
            broken.append(f"looking at {route} changed something")
            before = after
    assert not broken, "\n".join(broken)


def test_the_public_list_names_nothing_that_is_gone() -> None:
    stale = set(PUBLIC) - set(routes())
    assert not stale
