"""The one outbound client: bounded, not led astray, and kept out of what is private."""

from __future__ import annotations

import socket
from datetime import timedelta
from threading import Thread
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from tocsin.platform import clock, http


def test_an_answer_of_any_status_is_an_answer(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/x", method="POST", data=b"body", headers={"X-A": "1"}).respond_with_data(
        "no", status=418, headers={"Retry-After": "7"}
    )
    answer = http.request("POST", httpserver.url_for("/x"), headers={"X-A": "1"}, body=b"body")
    assert (answer.status, answer.body, answer.headers["retry-after"]) == (418, b"no", "7")


def test_the_host_that_was_named_is_the_host_that_is_told(httpserver: HTTPServer) -> None:
    seen = []

    def handler(request: Request) -> Response:
        seen.append(request.host)
        return Response("ok")

    httpserver.expect_request("/").respond_with_handler(handler)
    http.request("GET", f"http://localhost:{httpserver.port}/")
    assert seen == [f"localhost:{httpserver.port}"]


def test_redirects_are_not_followed(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/a").respond_with_data(status=302, headers={"Location": httpserver.url_for("/b")})
    assert http.request("GET", httpserver.url_for("/a")).status == 302
    assert len(httpserver.log) == 1


def test_proxies_of_the_environment_are_not_asked(httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    httpserver.expect_request("/").respond_with_data("ok")
    assert http.request("GET", httpserver.url_for("/")).body == b"ok"


def test_an_answer_that_is_too_long_is_cut_off(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/").respond_with_data("x" * 100_000)
    with pytest.raises(http.HttpFailed, match="longer than 1000"):
        http.request("GET", httpserver.url_for("/"), most_bytes=1000)


class Drip:
    """A server that answers one byte at a time and never ends."""

    def __init__(self) -> None:
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        self.stopped = False
        Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        connection, _ = self.server.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            while not self.stopped:
                try:
                    connection.sendall(b"x")
                except OSError:
                    return
                clock.pause(0.02)

    def close(self) -> None:
        self.stopped = True
        self.server.close()


def test_a_server_that_drips_is_left_when_the_whole_took_too_long() -> None:
    drip = Drip()
    begin = clock.monotonic()
    try:
        with pytest.raises(http.HttpFailed, match="too long") as failed:
            http.request("GET", f"http://127.0.0.1:{drip.port}/", deadline=timedelta(seconds=0.3))
    finally:
        drip.close()
    assert clock.monotonic() - begin < 5
    assert failed.value.unknown


def test_nobody_there_is_certainly_not_delivered() -> None:
    with pytest.raises(http.HttpFailed) as failed:
        http.request("GET", "http://127.0.0.1:1/")
    assert not failed.value.unknown
    assert not failed.value.permanent


@pytest.mark.parametrize(
    "url", ["ftp://example.com/", "file:///etc/passwd", "http://", "//example.com", "javascript:1"]
)
def test_what_is_no_web_address_is_refused_for_good(url: str) -> None:
    with pytest.raises(http.HttpFailed) as failed:
        http.request("GET", url)
    assert failed.value.permanent


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.0.0.1", "192.168.1.1", "172.16.0.1", "::1", "fd00::1", "::ffff:10.0.0.1", "100.64.0.1"]
)
def test_private_addresses_are_refused_unless_the_installation_allows_them(address: str, settings: Any) -> None:
    settings.ALLOW_PRIVATE_TARGETS = False
    with pytest.raises(http.HttpFailed, match="private") as failed:
        http.judge(address)
    assert failed.value.permanent
    settings.ALLOW_PRIVATE_TARGETS = True
    http.judge(address)


@pytest.mark.parametrize("address", ["169.254.169.254", "fe80::1", "0.0.0.0", "224.0.0.1", "::ffff:169.254.169.254"])  # noqa: S104 - nothing is bound
def test_the_clouds_own_addresses_are_refused_always(address: str, settings: Any) -> None:
    settings.ALLOW_PRIVATE_TARGETS = True
    with pytest.raises(http.HttpFailed, match="may not be reached"):
        http.judge(address)


def test_a_public_address_is_fine(settings: Any) -> None:
    settings.ALLOW_PRIVATE_TARGETS = False
    http.judge("93.184.215.14")


def test_a_name_is_judged_by_the_address_it_leads_to(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.ALLOW_PRIVATE_TARGETS = False
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 80))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: found)
    with pytest.raises(http.HttpFailed, match="private"):
        http.request("GET", "http://rebound.example/")
