"""The hot doors: alerts of Alertmanager's API v2 and pushed SLI counts, answered without Django's request machinery.

A door judges the body, hands it to the journal and answers after the commit. What it means is for the fold to decide.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime

from tocsin.alerts import posted_alerts
from tocsin.core.access import Right
from tocsin.intake.body import MEBIBYTE, BodyRefused, ClientGone, read_body
from tocsin.intake.journal import JournalWriter, NotAccepted
from tocsin.intake.keys import KeyRing, Sender, key_of
from tocsin.intake.protocol import Receive, Scope, Send, answer, answer_json, answer_problem, header
from tocsin.platform.crashpoints import CrashPoint, crashpoint
from tocsin.slo import pushed_counts

ALERTS_PATH = "/api/v2/alerts"
COUNTS_PATH = "/api/v1/sli/counts"
ALERTMANAGER = "alertmanager"
SLI = "sli"
MOST_BODY = 4 * MEBIBYTE
TRY_AGAIN = [(b"retry-after", b"2")]
CLOSE = [(b"connection", b"close")]

Names = Callable[[Sequence[str], int | None], Awaitable[Mapping[str, int]]]
"""The ids of those SLOs among the given names that exist, within a service when one is given."""


class Doors:
    """Answers the intake's paths. `clock` gives the present moment without asking the database."""

    def __init__(
        self,
        *,
        keys: KeyRing,
        journal: JournalWriter,
        names: Names,
        clock: Callable[[], datetime],
        body_seconds: float = 15.0,
    ) -> None:
        self._keys = keys
        self._journal = journal
        self._names = names
        self._clock = clock
        self._body_seconds = body_seconds

    def door_for(self, scope: Scope) -> Callable[[Scope, Receive, Send], Awaitable[None]] | None:
        """The door that answers this request, None when it is not the intake's."""
        if scope["method"] != "POST":
            return None
        path: str = scope["path"]
        if path.endswith(ALERTS_PATH):
            return self.alerts
        return self.counts if path.endswith(COUNTS_PATH) else None

    async def alerts(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Store the alerts; 200 with an empty body, or 400 with a JSON string while the valid ones are stored."""
        taken = await self._taken(scope, receive, send, right=Right.ALERT_SEND, kind=ALERTMANAGER)
        if taken is None:
            return
        sender, body = taken
        try:
            decoded = posted_alerts.decode(body, received_at=self._clock())
        except posted_alerts.Unreadable as error:
            await answer_json(send, 400, f"The body is no list of alerts: {error}")
            return
        if decoded.alerts and not await self._stored(send, ALERTMANAGER, sender, body):
            return
        if decoded.errors:
            await answer_json(send, 400, "; ".join(f"alert {index}: {text}" for index, text in decoded.errors[:20]))
        else:
            await answer(send, 200)

    async def counts(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Store the counts; 202, or 400 with the index of each wrong row and nothing stored."""
        taken = await self._taken(scope, receive, send, right=Right.COUNTS_SEND, kind=SLI)
        if taken is None:
            return
        sender, body = taken
        try:
            decoded = pushed_counts.decode(body)
            known = await self._names([row.slo for _, row in decoded.rows], sender.service_id)
        except pushed_counts.Unreadable as error:
            await answer_problem(send, 400, "Bad request", f"The body holds no counts: {error}")
            return
        except Exception:  # noqa: BLE001 - whatever the database says, the sender is asked to come again
            await _unavailable(send)
            return
        errors = [
            *decoded.errors,
            *pushed_counts.unknown_names(decoded.rows, known),
            *pushed_counts.too_late(decoded.rows, now=self._clock()),
        ]
        if errors:
            await _wrong_rows(send, errors)
        elif await self._stored(send, SLI, sender, body):
            await answer_json(send, 202, {"accepted": len(decoded.rows)})

    async def _taken(
        self, scope: Scope, receive: Receive, send: Send, *, right: Right, kind: str
    ) -> tuple[Sender, bytes] | None:
        """The sender and the body, or None when the client has been refused (or has gone). Strangers are not read."""
        if header(scope, b"content-encoding").lower() not in {"", "identity"}:
            await answer_problem(send, 415, "Unsupported media type", "Send the body uncompressed.", headers=CLOSE)
            return None
        sender = await self._sender(scope, send, right=right, kind=kind)
        if sender is None:
            return None
        try:
            body = await read_body(scope, receive, limit=MOST_BODY, seconds=self._body_seconds)
        except ClientGone:
            return None
        except BodyRefused as refused:
            await answer_problem(send, refused.status, refused.title, refused.detail, headers=CLOSE)
            return None
        crashpoint(CrashPoint.AFTER_REQUEST_READ)
        return sender, body

    async def _sender(self, scope: Scope, send: Send, *, right: Right, kind: str) -> Sender | None:
        try:
            sender = await self._keys.sender(key_of(scope))
        except Exception:  # noqa: BLE001 - the database refuses: the sender is asked to come again, the server lives
            await _unavailable(send)
            return None
        if sender is None:
            await answer_problem(
                send,
                401,
                "Unauthorized",
                "Send the integration's key as bearer token or as password.",
                headers=[(b"www-authenticate", b'Bearer realm="tocsin", Basic realm="tocsin"'), *CLOSE],
            )
            return None
        if right not in sender.rights or sender.kind not in {"", kind}:
            await answer_problem(send, 403, "Forbidden", f"Only a key of kind {kind} may send here.", headers=CLOSE)
            return None
        return sender

    async def _stored(self, send: Send, kind: str, sender: Sender, body: bytes) -> bool:
        try:
            await self._journal.append(kind, sender.source, body)
        except NotAccepted:
            await _unavailable(send)
            return False
        return True


async def _unavailable(send: Send) -> None:
    await answer_problem(send, 503, "Service unavailable", "Nothing was stored; try again.", headers=TRY_AGAIN)


async def _wrong_rows(send: Send, errors: Sequence[pushed_counts.RowError]) -> None:
    await answer_problem(
        send,
        400,
        "Bad request",
        f"{len({error.index for error in errors})} rows are wrong; nothing was taken.",
        extra={"errors": [asdict(error) for error in sorted(errors, key=lambda error: error.index)[:1000]]},
    )
