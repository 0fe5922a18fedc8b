"""The bridge from the front to Django: bodies, headers, streams, and clients that go away."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from tests.edges.front_client import Answer, ask, request, scope
from tocsin.intake.protocol import Message
from tocsin.wiring.bridge import Bridge, Environ

Start = Callable[..., Any]


class Recorder:
    """A WSGI application that keeps what it was called with and answers 200."""

    def __init__(self, body: bytes = b"hello") -> None:
        self.environ: Environ = {}
        self.read = b""
        self._body = body

    def __call__(self, environ: Environ, start: Start) -> Iterable[bytes]:
        self.environ = environ
        self.read = environ["wsgi.input"].read()
        start("200 OK", [("Content-Type", "text/plain"), ("X-Seen", "yes")])
        return [self._body]


class Stream:
    """A streaming WSGI response, as Django marks them, that knows whether it was closed."""

    streaming = True

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self.closed = threading.Event()

    def __call__(self, environ: Environ, start: Start) -> Iterable[bytes]:
        start("200 OK", [("Content-Type", "text/plain")])
        return self

    def __iter__(self) -> Iterator[bytes]:
        return self._pieces

    def close(self) -> None:
        self.closed.set()


def test_an_ordinary_request_reaches_the_application_and_its_answer_the_client() -> None:
    app = Recorder()
    answer = ask(Bridge(app), "POST", "/incidents/7", b"a=1", b"&b=2", query=b"x=y", headers={"Host": "tocsin.example"})
    assert (answer.status, answer.body, answer.header("x-seen")) == (200, b"hello", "yes")
    assert app.read == b"a=1&b=2"
    assert app.environ["REQUEST_METHOD"] == "POST"
    assert app.environ["PATH_INFO"] == "/incidents/7"
    assert app.environ["QUERY_STRING"] == "x=y"
    assert app.environ["CONTENT_LENGTH"] == "7"
    assert app.environ["HTTP_HOST"] == "tocsin.example"
    assert app.environ["REMOTE_ADDR"] == "127.0.0.1"


def test_a_path_with_escapes_arrives_as_its_bytes() -> None:
    app = Recorder()
    ask(Bridge(app), "GET", "/caf%C3%A9%20x")
    assert app.environ["PATH_INFO"].encode("latin-1").decode() == "/café x"


def test_a_header_with_an_underscore_cannot_pose_as_the_real_one() -> None:
    app = Recorder()
    ask(Bridge(app), headers=[("X_Acting_For", "admin"), ("X-Forwarded-For", "1.2.3.4")])
    assert "HTTP_X_ACTING_FOR" not in app.environ
    assert app.environ["HTTP_X_FORWARDED_FOR"] == "1.2.3.4"


@pytest.mark.parametrize("name", ["Proxy", "Transfer-Encoding", "Content-Length", "Connection", "TE"])
def test_headers_of_the_connection_and_of_the_process_environment_stay_outside(name: str) -> None:
    app = Recorder()
    ask(Bridge(app), "POST", "/", b"abc", headers=[(name, "5")])
    assert f"HTTP_{name.upper().replace('-', '_')}" not in app.environ
    assert app.environ["CONTENT_LENGTH"] == "3"


def test_two_hosts_are_refused_because_two_parts_could_believe_different_ones() -> None:
    app = Recorder()
    answer = ask(Bridge(app), headers=[("Host", "a.example"), ("Host", "b.example")])
    assert answer.status == 400
    assert app.environ == {}


def test_headers_sent_twice_are_joined_and_cookies_in_their_own_way() -> None:
    app = Recorder()
    ask(Bridge(app), headers=[("Accept", "a"), ("Accept", "b"), ("Cookie", "x=1"), ("Cookie", "y=2")])
    assert app.environ["HTTP_ACCEPT"] == "a,b"
    assert app.environ["HTTP_COOKIE"] == "x=1; y=2"


def test_a_body_above_the_limit_is_refused_before_the_application_hears_of_it() -> None:
    app = Recorder()
    answer = ask(Bridge(app, max_body=10), "POST", "/", b"x" * 6, b"x" * 6)
    assert answer.status == 413
    assert answer.header("connection") == "close"
    assert app.environ == {}


def test_a_declared_length_above_the_limit_is_refused_without_reading() -> None:
    async def never() -> Message:
        raise AssertionError("the body was read")

    answer = Answer()

    async def send(message: Message) -> None:
        answer.take(message)

    given = scope("POST", "/", headers={"Content-Length": "11"})
    asyncio.run(Bridge(Recorder(), max_body=10)(given, never, send))
    assert answer.status == 413


def test_a_body_that_never_ends_is_given_up() -> None:
    async def trickle() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    answer = Answer()

    async def send(message: Message) -> None:
        answer.take(message)

    asyncio.run(Bridge(Recorder(), body_seconds=0.01)(scope("POST"), trickle, send))
    assert answer.status == 408


def test_a_client_that_leaves_while_sending_costs_nothing() -> None:
    app = Recorder()

    async def gone() -> Message:
        return {"type": "http.disconnect"}

    answer = Answer()

    async def send(message: Message) -> None:
        answer.take(message)

    asyncio.run(Bridge(app)(scope("POST"), gone, send))
    assert answer.status == 0
    assert app.environ == {}


def test_a_streaming_response_is_sent_piece_by_piece_and_closed() -> None:
    app = Stream(iter([b"one", b"", b"two"]))
    answer = ask(Bridge(app))
    assert answer.pieces == [b"one", b"two", b""]
    assert answer.ended
    assert app.closed.is_set()


def test_each_piece_is_on_its_way_before_the_next_one_is_made() -> None:
    seen: list[int] = []
    answer = Answer()

    def pieces() -> Iterator[bytes]:
        for piece in (b"one", b"two", b"three"):
            seen.append(len(answer.pieces))
            yield piece

    app = Stream(pieces())

    async def receive() -> Message:
        if not asked:
            asked.append(True)
            return {"type": "http.request", "body": b"", "more_body": False}
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Message) -> None:
        answer.take(message)

    asked: list[bool] = []
    asyncio.run(Bridge(app)(scope(), receive, send))
    assert seen == [0, 1, 2]


def test_a_stream_ends_when_its_client_goes_away() -> None:
    made: list[int] = []
    app_side = threading.Event()

    def endless() -> Iterator[bytes]:
        while True:
            made.append(1)
            yield b"tick"
            if len(made) == 3:
                loop.call_soon_threadsafe(hang_up.set)
                app_side.wait()

    app = Stream(endless())

    async def conversation() -> None:
        global_hang_up = asyncio.Event()
        nonlocal hang_up, loop
        hang_up, loop = global_hang_up, asyncio.get_running_loop()
        talking = asyncio.create_task(request(Bridge(app), scope(), hang_up=hang_up))
        await hang_up.wait()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        app_side.set()
        await talking

    hang_up: asyncio.Event
    loop: asyncio.AbstractEventLoop
    hang_up = loop = None  # type: ignore[assignment]
    asyncio.run(conversation())
    assert len(made) <= 4
    assert app.closed.is_set()


def test_an_application_that_breaks_is_a_500_and_the_next_request_is_served() -> None:
    calls: list[int] = []

    def app(environ: Environ, start: Start) -> Iterable[bytes]:
        calls.append(1)
        if len(calls) == 1:
            raise RuntimeError("broken")
        start("200 OK", [])
        return [b"fine"]

    bridge = Bridge(app)
    first, second = ask(bridge), ask(bridge)
    assert first.status == 500
    assert b"broken" not in first.body
    assert (second.status, second.body) == (200, b"fine")


def test_slow_requests_do_not_hold_up_the_others() -> None:
    release = threading.Event()

    def app(environ: Environ, start: Start) -> Iterable[bytes]:
        start("200 OK", [])
        if environ["PATH_INFO"] == "/slow":
            release.wait()
        return [environ["PATH_INFO"].encode()]

    async def conversation() -> tuple[Answer, list[Answer]]:
        bridge = Bridge(app, threads=3)
        slow = [asyncio.create_task(request(bridge, scope(path="/slow"))) for _ in range(2)]
        quick = await request(bridge, scope(path="/quick"))
        release.set()
        return quick, await asyncio.gather(*slow)

    quick, slow = asyncio.run(conversation())
    assert quick.body == b"/quick"
    assert [answer.body for answer in slow] == [b"/slow", b"/slow"]
