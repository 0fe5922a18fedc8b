"""The line to a chat tool: one JSON call at a time over the house's HTTP client, with the tool's wish to wait kept."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tocsin.channels.protocol import DeliveryFailed
from tocsin.core.chat_calls import Call
from tocsin.core.retries import Outcome, asked_wait, outcome_of_http
from tocsin.platform import clock, db, http
from tocsin.platform.text import one_line

MOST_BYTES = 8 * 1024 * 1024
_FIXABLE = frozenset({401, 403})
"""A token that was withdrawn is put right by an administrator while we go on trying."""


@dataclass(frozen=True, slots=True)
class Said:
    """An answer of the tool. `document` is its JSON, or the text of an answer that is none."""

    status: int
    document: Any
    headers: Mapping[str, str]

    @property
    def good(self) -> bool:
        return outcome_of_http(self.status) is Outcome.ACCEPTED

    def told(self, *names: str) -> str:
        """What the tool says is wrong, by the first of these members that it has."""
        document = self.document if isinstance(self.document, dict) else {}
        words = [str(document[name]) for name in names if document.get(name)]
        return one_line(": ".join(words) or str(self.document or ""), limit=200)


@dataclass(slots=True)
class Line:
    """Calls to one tool until a moment; every call has what is left of the time."""

    url: str
    token: str = field(repr=False)
    until: float
    at: datetime

    @classmethod
    def open(cls, url: str, token: str, *, deadline: timedelta, at: datetime) -> Line:
        return cls(url, token, clock.monotonic() + deadline.total_seconds(), at)

    def ask(self, call: Call) -> Said:
        """Make the call. Raises DeliveryFailed when no answer came, and when the tool asks to wait."""
        left = self.until - clock.monotonic()
        if left <= 0:
            raise DeliveryFailed("the chat tool took too long", unknown=True)
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        body = None if call.body is None else json.dumps(call.body, ensure_ascii=False).encode()
        if body is not None:
            headers["Content-Type"] = "application/json; charset=utf-8"
        try:
            # The client applies the patience itself.
            span = timedelta(seconds=left) / db.patience()
            answer = http.request(
                call.method, self.url + call.path, headers=headers, body=body, deadline=span, most_bytes=MOST_BYTES
            )
        except http.HttpFailed as failed:
            raise DeliveryFailed(failed.detail, unknown=failed.unknown) from failed
        said = Said(answer.status, _document(answer.body), answer.headers)
        if said.status == 429:
            raise DeliveryFailed("the chat tool asks to wait", retry_after=self._wait(said))
        return said

    def must(self, call: Call, *names: str) -> Said:
        """The answer, when it is a good one. Raises DeliveryFailed naming what the tool says in these members."""
        said = self.ask(call)
        if not said.good:
            raise refused(said, *names)
        return said

    def _wait(self, said: Said) -> timedelta | None:
        document = said.document if isinstance(said.document, dict) else {}
        milliseconds = document.get("retry_after_ms")
        if isinstance(milliseconds, int) and 0 < milliseconds < 86_400_000:
            return timedelta(milliseconds=milliseconds)
        return asked_wait(said.headers.get("retry-after"), now=self.at)


def refused(said: Said, *names: str) -> DeliveryFailed:
    """The failure that a bad answer means."""
    permanent = outcome_of_http(said.status) is Outcome.PERMANENT and said.status not in _FIXABLE
    return DeliveryFailed(f"answered {said.status} {said.told(*names)}".strip(), permanent=permanent)


def _document(body: bytes) -> Any:
    try:
        return json.loads(body) if body else None
    except ValueError:
        return one_line(body.decode("utf-8", "replace"), limit=200)
