"""One of each who may ask, and what came of it: read from the answer, from the log and from the rights that were asked."""

from __future__ import annotations

import sys
from datetime import datetime
from functools import cache, partial
from typing import Any, ClassVar
from urllib.parse import urlencode

import pytest
from django.db import transaction
from django.test import Client

from tests.domains import worlds
from tests.house.route_table import as_json
from tocsin.alerts import actions as alerts
from tocsin.audit.models import Entry
from tocsin.core import errors
from tocsin.core.access import SYSTEM, TABLE, Actor, Right, Role
from tocsin.people import actions as people
from tocsin.people import queries
from tocsin.platform import clock as clocks

WHO = (
    "anonymous",
    "other_team",
    "reader",
    "responder",
    "owner",
    "process_owner",
    "auditor",
    "admin",
    "integration",
    "revoked",
)
ROLES: dict[str, dict[str, Any]] = {
    "other_team": {"in_team": "payments", "is_owner": True},
    "reader": {"role": Role.READER.value},
    "responder": {},
    "owner": {"in_team": "tickets", "is_owner": True},
    "process_owner": {"role": Role.PROCESS_OWNER.value},
    "auditor": {"role": Role.AUDITOR.value},
    "admin": {"role": Role.ADMIN.value},
    "revoked": {},
}
NOT_SERVED = "405"
REFUSED = {401, 403}
DECIDERS = ("core/access.py", "actions/rank.py", "slo/consumers.py", "actions/feedback_sessions.py")
"""Where a right decides; elsewhere it is looked at to show or hide a button."""


class Asked:
    """What the house asked itself while it answered: the rights, given or not, and the refusals it said."""

    rights_asked: ClassVar[list[tuple[Right, bool]]] = []
    refusals: ClassVar[list[errors.TocsinError]] = []

    @classmethod
    def listen(cls, patch: pytest.MonkeyPatch) -> None:
        may, say = Actor.may, errors.TocsinError.__init__

        def listening(actor: Actor, right: Right, *, team: str | None = None) -> bool:
            given = may(actor, right, team=team)
            if sys._getframe(1).f_code.co_filename.endswith(DECIDERS):
                cls.rights_asked.append((right, given))
            return given

        def said(error: errors.TocsinError, message: str) -> None:
            say(error, message)
            cls.refusals.append(error)

        patch.setattr(Actor, "may", listening)
        patch.setattr(errors.TocsinError, "__init__", said)

    @classmethod
    def begin(cls) -> None:
        cls.rights_asked.clear()
        cls.refusals.clear()

    @classmethod
    def rights(cls) -> list[str]:
        """The rights that were asked, in order, without those to read that every reader has."""
        return list(dict.fromkeys(right.value for right, _ in cls.rights_asked if telling(right)))

    @classmethod
    def was_given(cls) -> bool:
        return any(given and telling(right) for right, given in cls.rights_asked)

    @classmethod
    def was_refused(cls) -> bool:
        return any(isinstance(one, errors.NotAllowed) for one in cls.refusals)


def telling(right: Right) -> bool:
    return not right.value.endswith(":read") or right not in TABLE[Role.READER]


class Visitor:
    """Somebody who asks: pages with a browser's session, the API with a token or an integration's key."""

    def __init__(self, name: str, token: str = "") -> None:
        self.name, self.token = name, token
        self.client = Client(raise_request_exception=False)
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}

    def ask(self, verb: str, path: str, sent: dict[str, Any]) -> str:
        """The sign for what came of it; whatever it changed is taken back."""
        Asked.begin()
        with transaction.atomic():
            before = 0 if verb == "GET" else Entry.objects.count()
            if path.startswith("/api/"):
                in_path = verb in {"GET", "DELETE"}
                answer = self.client.generic(
                    verb,
                    f"{path}?{urlencode(sent)}" if in_path and sent else path,
                    "" if in_path else as_json(sent),
                    content_type="application/json",
                    headers=self.headers,
                )
            elif verb == "GET":
                answer = self.client.get(path, sent, headers=self.headers)
            else:
                answer = self.client.post(path, sent, headers=self.headers)
            written = verb != "GET" and answer.status_code < 500 and Entry.objects.count() > before
            transaction.set_rollback(True)
        return _sign(verb, answer, written=written)


def _sign(verb: str, answer: Any, *, written: bool) -> str:
    status = answer.status_code
    if status >= 500:
        return f"!{status}"
    if status == 405:
        return NOT_SERVED
    if status in REFUSED or (status == 302 and answer["Location"].startswith("/accounts/login/")):
        return "-"
    if written or (status < 400 and (verb == "GET" or not Asked.refusals)):
        return "+"
    if Asked.was_refused():
        return "-"  # the page leads back and says so
    return "o" if Asked.was_given() else "."


def everybody(now: datetime) -> list[Visitor]:
    """One of each, in the order of the columns."""
    worlds.process(now=now)
    worlds.service("checkout", of_team="tickets", now=now)
    worlds.team("payments", now=now)
    found = {name: _person(name, now=now, **facts) for name, facts in ROLES.items()}
    _, key = alerts.add_integration(SYSTEM, kind="cloudevents", service="checkout", now=now)
    people.disable_person(SYSTEM, username="revoked", now=now)
    found |= {"anonymous": Visitor("anonymous"), "integration": Visitor("integration", key)}
    return [found[name] for name in WHO]


def _person(name: str, *, now: datetime, **facts: Any) -> Visitor:
    person = worlds.person(name, now=now, **facts)
    _, token = people.create_token(SYSTEM, username=name, name="matrix", now=now)
    visitor = Visitor(name, token)
    visitor.client.force_login(person, "django.contrib.auth.backends.ModelBackend")
    return visitor


def remember_who_asks(patch: pytest.MonkeyPatch) -> None:
    """Each is looked up once: who they are does not change while the house is asked, and it is asked for every answer."""
    of_person, of_token = cache(queries.actor_of), cache(partial(queries.actor_for_token, now=clocks.now()))
    patch.setattr(queries, "actor_of", of_person)
    patch.setattr(queries, "actor_for_token", lambda token, **_now: of_token(token))
