"""The address people reach this installation at, for links in messages and answers."""

from __future__ import annotations

from django.conf import settings


def public_url(seen: str = "") -> str:
    """`TOCSIN_PUBLIC_URL`, else the address the request came to, else the port we listen on; no slash at the end."""
    return str(settings.PUBLIC_URL or seen or "http://127.0.0.1:8080").rstrip("/")
