"""The one outbound HTTP client: bounded in time and size, no redirects, no proxies, and no way into what is private.

A name is resolved once and the address that was judged is the address that is connected to, so that a name which
answers differently the second time gains nothing. Private targets are allowed by the installation's setting, because a
self-hosted Prometheus usually is private; link-local addresses (cloud metadata) never are.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from urllib.parse import urlsplit

import httpx2
from django.conf import settings

from tocsin.platform import clock, db

MOST_BYTES = 64 * 1024
DEADLINE = timedelta(seconds=10)


class HttpFailed(Exception):
    """No usable answer. `unknown`: the request may have arrived; `permanent`: trying again is pointless."""

    def __init__(
        self,
        detail: str,
        *,
        status: int | None = None,
        permanent: bool = False,
        unknown: bool = False,
        retry_after: str | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.status = status
        self.permanent = permanent
        self.unknown = unknown
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


def request(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    deadline: timedelta = DEADLINE,
    most_bytes: int = MOST_BYTES,
    trust: ssl.SSLContext | None = None,
) -> Answer:
    """Send one request and read at most `most_bytes` of the answer. Raises HttpFailed for anything but an answer.

    `trust` says which certificates are trusted and shown instead of the usual ones.
    """
    target, host = _pinned(url)
    seconds = deadline.total_seconds() * db.patience()
    until = clock.monotonic() + seconds
    sent = {**(headers or {}), "Host": host, "Accept-Encoding": "identity"}
    try:
        with (
            httpx2.Client(timeout=seconds, follow_redirects=False, trust_env=False, verify=trust or _trust()) as client,
            client.stream(
                method, target, headers=sent, content=body, extensions={"sni_hostname": _name(host)}
            ) as answer,
        ):
            content = b""
            for piece in answer.iter_raw():
                content += piece
                if len(content) > most_bytes:
                    raise HttpFailed(f"the answer is longer than {most_bytes} bytes", status=answer.status_code)
                if clock.monotonic() > until:
                    raise HttpFailed("the answer took too long", status=answer.status_code, unknown=True)
            return Answer(answer.status_code, {k.lower(): v for k, v in answer.headers.items()}, content)
    except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout) as lost:
        raise HttpFailed(f"no connection to {host}: {lost}") from lost
    except httpx2.InvalidURL as wrong:
        raise HttpFailed(f"not an address: {url}", permanent=True) from wrong
    except httpx2.HTTPError as lost:
        # The request was under way: the far side may have taken it.
        raise HttpFailed(f"the connection to {host} broke: {lost}", unknown=True) from lost


@lru_cache(maxsize=1)
def _trust() -> ssl.SSLContext:
    """The certificates we trust. Reading them takes longer than most requests, so they are read once."""
    return httpx2.create_ssl_context()


def _pinned(url: str) -> tuple[str, str]:
    """The URL with its host replaced by the judged address, and the Host header. Raises HttpFailed."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise HttpFailed(f"not an http(s) address: {url}", permanent=True)
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
        found = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    except (OSError, ValueError) as unknown:
        raise HttpFailed(f"no address for {parts.hostname}: {unknown}") from unknown
    address = str(found[0][4][0])
    judge(address)
    literal = f"[{address}]" if ":" in address else address
    host = parts.netloc.rpartition("@")[2]
    query = f"?{parts.query}" if parts.query else ""
    return f"{parts.scheme}://{literal}:{port}{parts.path or '/'}{query}", host


def judge(address: str) -> None:
    """Raise HttpFailed(permanent) for an address this installation may not reach."""
    found = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(found, "ipv4_mapped", None)
    real = mapped or found
    if real.is_link_local or real.is_multicast or real.is_unspecified:
        raise HttpFailed(f"{address} may not be reached", permanent=True)
    if not real.is_global and not settings.ALLOW_PRIVATE_TARGETS:
        raise HttpFailed(f"{address} is private; set TOCSIN_ALLOW_PRIVATE_TARGETS=1 to reach it", permanent=True)


def _name(host: str) -> str:
    return host.rsplit(":", 1)[0] if host.count(":") == 1 else host
