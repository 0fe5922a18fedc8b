"""The doors of PagerDuty's Events API v2: alerts whose sender chooses the key, and changes.

The key stands in the body, so the body is read before it is known who sends it; it is small.
"""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

from tocsin.alerts import posted_events
from tocsin.alerts.posted_events import Judged
from tocsin.core.access import Right
from tocsin.intake.body import BodyRefused, ClientGone, read_body
from tocsin.intake.journal import JournalWriter, NotAccepted
from tocsin.intake.keys import KeyRing
from tocsin.intake.protocol import Receive, Scope, Send, answer_json, answer_problem
from tocsin.platform.crashpoints import CrashPoint, crashpoint

ENQUEUE_PATH = "/v2/enqueue"
CHANGE_PATH = "/v2/change/enqueue"
EVENTS = "events-v2"
CHANGES = "events-v2-change"
_UNKNOWN_KEY = "'routing_key' belongs to no integration of kind events-v2"
_CLOSE = [(b"connection", b"close")]


class EventDoors:
    """202 after the event is stored; 400 with what is wrong; 413 for too large a body; 503 where nothing was stored."""

    def __init__(self, *, keys: KeyRing, journal: JournalWriter, body_seconds: float) -> None:
        self._keys = keys
        self._journal = journal
        self._body_seconds = body_seconds

    async def enqueue(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A trigger, an acknowledgement or an end."""
        await self._take(
            scope, receive, send, lambda body: posted_events.judge_event(body, new_key=uuid4().hex), EVENTS
        )

    async def change(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Something was changed."""
        await self._take(scope, receive, send, posted_events.judge_change, CHANGES)

    async def _take(
        self, scope: Scope, receive: Receive, send: Send, judge: Callable[[bytes], Judged], kind: str
    ) -> None:
        try:
            body = await read_body(scope, receive, limit=posted_events.MOST_BODY, seconds=self._body_seconds)
        except ClientGone:
            return
        except BodyRefused as refused:
            await answer_problem(send, refused.status, refused.title, refused.detail, headers=_CLOSE)
            return
        crashpoint(CrashPoint.AFTER_REQUEST_READ)
        judged = judge(body)
        try:
            source = await self._source(judged) if not judged.errors else ""
            said = judged.event or judged.change
            if not source or said is None:
                await _invalid(send, judged.errors or (_UNKNOWN_KEY,))
                return
            await self._journal.append(kind, source, posted_events.to_bytes(said))
        except NotAccepted:
            await _unavailable(send)
            return
        except Exception:  # noqa: BLE001 - the database refuses: the sender is asked to come again, the server lives
            await _unavailable(send)
            return
        await _done(send, judged)

    async def _source(self, judged: Judged) -> str:
        """How the journal names the sender; "" for a key that may not send events."""
        sender = await self._keys.sender(judged.routing_key)
        allowed = sender is not None and sender.kind == EVENTS and Right.ALERT_SEND in sender.rights
        return sender.source if sender is not None and allowed else ""


async def _done(send: Send, judged: Judged) -> None:
    if judged.event is not None:
        document = {"status": "success", "message": "Event processed", "dedup_key": judged.event.dedup_key}
    else:
        document = {"status": "success", "message": "Change event processed"}
    await answer_json(send, 202, document)


async def _invalid(send: Send, errors: tuple[str, ...]) -> None:
    document = {"status": "invalid event", "message": "Event object is invalid", "errors": list(errors)}
    await answer_json(send, 400, document)


async def _unavailable(send: Send) -> None:
    detail = "Nothing was stored; try again."
    await answer_problem(send, 503, "Service unavailable", detail, headers=[(b"retry-after", b"2")])
