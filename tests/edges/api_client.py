"""A caller of the JSON API, as a program with a token is one."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from django.test import Client

from tests.domains import worlds
from tocsin.core.access import SYSTEM
from tocsin.people import actions as people


class Caller:
    """Asks with the token of `username`; without one, anonymously."""

    def __init__(self, username: str = "", *, now: datetime = worlds.NOW, **person: Any) -> None:
        self._client = Client(raise_request_exception=True)
        self._headers: dict[str, str] = {}
        if username:
            worlds.person(username, now=now, **person)
            _, text = people.create_token(SYSTEM, username=username, name="tests", now=now)
            self._headers = {"Authorization": f"Bearer {text}"}

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Status and JSON of the answer."""
        data = "" if body is None else json.dumps(body)
        answer = self._client.generic(method, path, data, content_type="application/json", headers=self._headers)
        return answer.status_code, json.loads(answer.content) if answer.content else None

    def must(self, method: str, path: str, body: Any = None) -> Any:
        status, answer = self.ask(method, path, body)
        assert status < 300, f"{method} {path}: {status} {answer}"
        return answer
