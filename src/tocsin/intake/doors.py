"""The hot doors: alerts of Alertmanager's API v2, pushed SLI counts and counters, without Django's request machinery.

A door judges the body, hands it to the journal and answers after the commit. What it means is for the fold to decide.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime

from tocsin.alerts import posted_alerts
from tocsin.core.access import Right
from tocsin.core.counter_growth import countable
from tocsin.intake.body import MEBIBYTE, BodyRefused, ClientGone, read_body
from tocsin.intake.event_doors import CHANGE_PATH, ENQUEUE_PATH, EventDoors
from tocsin.intake.journal import JournalWriter, NotAccepted
from tocsin.intake.keys import KeyRing, Sender, key_of
from tocsin.intake.protocol import Receive, Scope, Send, answer, answer_json, answer_problem, header
from tocsin.platform.crashpoints import CrashPoint, crashpoint
from tocsin.slo import otlp, pushed_counts, pushed_series, remote_write
from tocsin.slo.pushed_series import Selection, Series

ALERTS_PATH = "/api/v2/alerts"
COUNTS_PATH = "/api/v1/sli/counts"
METRICS_PATH = "/v1/metrics"
WRITE_PATH = "/api/v1/write"
ALERTMANAGER = "alertmanager"
SLI = "sli"
SERIES = "series"
"""Counters, whatever format they came in: the journal keeps those that an SLI names, in one form."""
OTLP = "otlp"
REMOTE_WRITE = "remote-write"
MOST_BODY = 4 * MEBIBYTE
SEEN_EVERY_SECONDS = 60.0
_UNPACKED = frozenset({"", "identity"})
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
        selection: Callable[[], Awaitable[Selection]],
        clock: Callable[[], datetime],
        body_seconds: float = 15.0,
    ) -> None:
        self._keys = keys
        self._journal = journal
        self._names = names
        self._selection = selection
        self._seen: dict[str, datetime] = {}
        self._clock = clock
        self._body_seconds = body_seconds
        self._events = EventDoors(keys=keys, journal=journal, body_seconds=body_seconds)

    def door_for(self, scope: Scope) -> Callable[[Scope, Receive, Send], Awaitable[None]] | None:
        """The door that answers this request, None when it is not the intake's."""
        if scope["method"] != "POST":
            return None
        path: str = scope["path"]
        if path.endswith(ALERTS_PATH):
            return self.alerts
        if path.endswith(COUNTS_PATH):
            return self.counts
        if path.endswith(CHANGE_PATH):
            return self._events.change
        if path.endswith(ENQUEUE_PATH):
            return self._events.enqueue
        if path.endswith(METRICS_PATH):
            return self.metrics
        return self.write if path.endswith(WRITE_PATH) else None

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

    async def metrics(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Store the counters of an OTLP export that an SLI names; 200, with what could not be counted and why."""
        form = _media_type(scope)
        if form not in {otlp.PROTOBUF, otlp.JSON}:
            await answer_problem(
                send, 415, "Unsupported media type", f"Send {otlp.PROTOBUF} or {otlp.JSON}.", headers=CLOSE
            )
            return
        codings = _UNPACKED | {"gzip"}
        taken = await self._taken(scope, receive, send, right=Right.COUNTS_SEND, kind=OTLP, codings=codings)
        if taken is None:
            return
        sender, body = taken
        packed = header(scope, b"content-encoding").lower() == "gzip"

        def read() -> list[Series]:
            return otlp.decode(otlp.unzipped(body) if packed else body, form)

        try:
            named = await self._named(read, sender)
        except pushed_series.Refused as refused:
            await answer(send, 400, otlp.status(form, str(refused)), kind=form.encode())
            return
        except Exception:  # noqa: BLE001 - whatever the database says, the sender is asked to come again
            await _unavailable(send)
            return
        if await self._stored_series(send, sender, named):
            rejected, why = _rejected(named)
            await answer(send, 200, otlp.answer(form, rejected=rejected, why=why), kind=form.encode())

    async def write(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Store the counters of a Prometheus remote write that an SLI names; 204."""
        if _media_type(scope) != otlp.PROTOBUF or "v2" in header(scope, b"content-type"):
            # A sender of version 2 falls back to version 1 on this answer.
            detail = f"Send remote write 1.0 ({otlp.PROTOBUF}, prometheus.WriteRequest)."
            await answer_problem(send, 415, "Unsupported media type", detail, headers=CLOSE)
            return
        codings = frozenset({"snappy"})
        taken = await self._taken(scope, receive, send, right=Right.COUNTS_SEND, kind=REMOTE_WRITE, codings=codings)
        if taken is None:
            return
        sender, body = taken
        try:
            named = await self._named(lambda: remote_write.decode(body), sender)
        except pushed_series.Refused as refused:
            await answer_problem(send, 400, "Bad request", f"Nothing was taken: {refused}.")
            return
        except Exception:  # noqa: BLE001 - as above
            await _unavailable(send)
            return
        if await self._stored_series(send, sender, named):
            await answer(send, 204)

    async def _named(self, read: Callable[[], list[Series]], sender: Sender) -> list[Series]:
        """What of the body counts for an SLO. Reading is work for a thread: thousands of series may be in it."""
        selection = await self._selection()
        now_ms = int(self._clock().timestamp() * 1000)

        def work() -> list[Series]:
            series = read()
            if ahead := pushed_series.too_far_ahead(series, now_ms=now_ms):
                raise pushed_series.Refused(f"a sample of {ahead[:100]!r} lies in the future; check the sender's clock")
            return selection.named(series, service_id=sender.service_id)

        return await asyncio.to_thread(work)

    async def _stored_series(self, send: Send, sender: Sender, named: Sequence[Series]) -> bool:
        """Whether the sender may be told it is done. That it sent nothing an SLI names is noted once a minute."""
        now = self._clock()
        last = self._seen.get(sender.source)
        if not named and last is not None and (now - last).total_seconds() < SEEN_EVERY_SECONDS:
            return True
        self._seen[sender.source] = now
        return await self._stored(send, SERIES, sender, pushed_series.to_bytes(named))

    async def _taken(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        *,
        right: Right,
        kind: str,
        codings: frozenset[str] = _UNPACKED,
    ) -> tuple[Sender, bytes] | None:
        """The sender and the body, or None when the client has been refused (or has gone). Strangers are not read."""
        if header(scope, b"content-encoding").lower() not in codings:
            wanted = " or ".join(sorted(codings - _UNPACKED))
            detail = f"Send the body packed with {wanted}." if wanted else "Send the body uncompressed."
            await answer_problem(send, 415, "Unsupported media type", detail, headers=CLOSE)
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


def _media_type(scope: Scope) -> str:
    return header(scope, b"content-type").partition(";")[0].strip().lower()


def _rejected(named: Sequence[Series]) -> tuple[int, str]:
    """How many samples of counters that an SLI names cannot be counted, and why the first of them cannot."""
    wrong = [
        (one.names[0], one.problem or "a value that is no count")
        for one in named
        for _, value, _, stale in one.points
        if one.problem or not (stale or countable(value))
    ]
    return len(wrong), f"{wrong[0][0]}: {wrong[0][1]}" if wrong else ""


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
