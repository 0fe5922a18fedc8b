"""Hand a request from the ASGI front to a WSGI application on a thread of its own.

Django as WSGI takes a tenth of the CPU that Django as ASGI does (ADR 0001). An ordinary response costs one thread hop;
a streaming one is sent piece by piece, as fast as the client takes it, and ended when the client goes away.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any
from urllib.parse import unquote_to_bytes

from tocsin.intake.body import MEBIBYTE, BodyRefused, ClientGone, read_body
from tocsin.intake.protocol import Message, Receive, Scope, Send, answer_problem

_log = logging.getLogger(__name__)

Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

THREADS = 12
"""More than the slow views one expects at the same time."""

# Names that another name would shadow, or that would let a client set the environment of the process.
_NEVER_PASSED = frozenset(
    {"CONTENT_LENGTH", "TRANSFER_ENCODING", "PROXY", "CONNECTION", "KEEP_ALIVE", "TE", "TRAILER", "UPGRADE"}
)


@dataclass(slots=True)
class _Head:
    """What the application said with `start_response`, and what it wrote the old way."""

    status: int = 500
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    written: list[bytes] = field(default_factory=list)

    def start(self, status: str, headers: list[tuple[str, str]], _error: Any = None) -> Callable[[bytes], None]:
        self.status = int(status[:3])
        self.headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        return self.written.append


class _Stream:
    """Lets a thread send to the client through the event loop, and learn that the client has gone."""

    def __init__(self, loop: asyncio.AbstractEventLoop, receive: Receive, send: Send) -> None:
        self._loop = loop
        self._receive = receive
        self._send = send
        self._watcher: asyncio.Task[None] | None = None
        self.gone = False

    def send(self, message: Message) -> None:
        """Blocks until the message is handed over: a slow client slows its own response and nothing else."""
        asyncio.run_coroutine_threadsafe(self._forward(message), self._loop).result()

    async def _forward(self, message: Message) -> None:
        if self._watcher is None:
            self._watcher = self._loop.create_task(self._watch())
        await self._send(message)  # the server's `send` is awaitable without being a coroutine

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.gone = True

    def end(self) -> None:
        if self._watcher is not None:
            self._watcher.cancel()


class Bridge:
    """An ASGI callable for HTTP requests in front of the WSGI `application`."""

    def __init__(
        self,
        application: Application,
        *,
        threads: int = THREADS,
        max_body: int = 5 * MEBIBYTE,
        body_seconds: float = 15.0,
    ) -> None:
        self._application = application
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="web")
        self._max_body = max_body
        self._body_seconds = body_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            body = await read_body(scope, receive, limit=self._max_body, seconds=self._body_seconds)
            environ = wsgi_environ(scope, body)
        except ClientGone:
            return
        except BodyRefused as refused:
            await answer_problem(
                send, refused.status, refused.title, refused.detail, headers=[(b"connection", b"close")]
            )
            return
        loop = asyncio.get_running_loop()
        stream = _Stream(loop, receive, send)
        try:
            whole = await loop.run_in_executor(self._pool, self._run, environ, stream)
        except Exception:  # noqa: BLE001 - the edge: whatever the application did, the client gets an answer and the server lives
            _log.exception("a request failed outside the application: %s %s", scope["method"], scope["path"])
            await answer_problem(send, 500, "Internal server error", "Something went wrong here; it has been logged.")
            return
        finally:
            stream.end()
        if whole is not None:
            head, content = whole
            await send({"type": "http.response.start", "status": head.status, "headers": head.headers})
            await send({"type": "http.response.body", "body": content})

    def _run(self, environ: Environ, stream: _Stream) -> tuple[_Head, bytes] | None:
        """Call the application; returns an ordinary response, or None when it was streamed. Always closes it.

        Closing is what lets Django give back or renew this thread's database connection.
        """
        head = _Head()
        chunks = self._application(environ, head.start)
        try:
            if not getattr(chunks, "streaming", False):
                return head, b"".join([*head.written, *chunks])
            self._pump(head, chunks, stream)
            return None
        finally:
            close = getattr(chunks, "close", None)
            if close is not None:
                close()

    def _pump(self, head: _Head, chunks: Iterable[bytes], stream: _Stream) -> None:
        stream.send({"type": "http.response.start", "status": head.status, "headers": head.headers})
        for chunk in chunks:
            if stream.gone:
                return
            if chunk:
                stream.send({"type": "http.response.body", "body": chunk, "more_body": True})
        stream.send({"type": "http.response.body", "body": b"", "more_body": False})

    def close(self) -> None:
        """Let running requests end and take no more."""
        self._pool.shutdown(wait=True, cancel_futures=True)


def wsgi_environ(scope: Scope, body: bytes) -> Environ:
    """The environment of PEP 3333 for `scope`. Raises BodyRefused (400) when the client names two hosts."""
    host, port = scope.get("server") or ("localhost", 80)
    client, client_port = scope.get("client") or ("", 0)
    raw_path: bytes = scope.get("raw_path") or scope["path"].encode()
    environ: Environ = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(raw_path.split(b"?", 1)[0]).decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "SERVER_NAME": host,
        "SERVER_PORT": str(port or 80),
        "REMOTE_ADDR": client,
        "REMOTE_PORT": str(client_port),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.input": BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    _add_headers(environ, scope)
    environ["CONTENT_LENGTH"] = str(len(body))
    return environ


def _add_headers(environ: Environ, scope: Scope) -> None:
    for raw_name, raw_value in scope["headers"]:
        if b"_" in raw_name:
            continue  # X_User and X-User become the same variable; the hyphen is the real one
        name = raw_name.decode("latin-1").upper().replace("-", "_")
        value = raw_value.decode("latin-1")
        if name in _NEVER_PASSED:
            continue
        key = name if name == "CONTENT_TYPE" else f"HTTP_{name}"
        if key not in environ:
            environ[key] = value
        elif key in {"HTTP_HOST", "CONTENT_TYPE"}:
            raise BodyRefused(400, "Bad request", f"The header {raw_name.decode('latin-1')} was sent twice.")
        else:
            environ[key] += ("; " if key == "HTTP_COOKIE" else ",") + value
