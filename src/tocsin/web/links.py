"""Which addresses from outside may become links: only http and https, whatever an alert or a file says."""

from __future__ import annotations

from urllib.parse import urlsplit


def safe_url(url: str) -> str:
    """The address when it is http or https with a host, else an empty text."""
    try:
        parts = urlsplit(url or "")
    except ValueError:
        return ""
    return url if parts.scheme in {"http", "https"} and parts.netloc else ""
