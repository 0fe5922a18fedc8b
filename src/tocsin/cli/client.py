"""Ask the server. The standard library's client: the command line must be there at once, and a library costs 0.2 s."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.parse
import urllib.request
from http import HTTPStatus
from typing import Any

import click

DEFAULT_URL = "http://127.0.0.1:8080"
TIMEOUT = 30.0


class ServerRefused(click.ClickException):
    """The server said no: one line says what, the next what to do."""

    exit_code = 1

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        detail = str(body.get("detail") or f"the server answered {status}")
        fields = body.get("fields")
        if isinstance(fields, dict) and fields:
            detail = "; ".join(f"{name}: {text}" if name else str(text) for name, text in fields.items())
        if body.get("remedy"):
            detail = f"{detail} {body['remedy']}"
        super().__init__(detail)
        self.status = status


class Client:
    """`TOCSIN_URL` says where the server is, `TOCSIN_TOKEN` who asks."""

    def __init__(self) -> None:
        self.url = os.environ.get("TOCSIN_URL", DEFAULT_URL).rstrip("/")
        self.token = os.environ.get("TOCSIN_TOKEN", "")

    def get(self, path: str, **query: Any) -> Any:
        kept = {name: _plain(value) for name, value in query.items() if value not in (None, "", False)}
        return self._ask("GET", path + (f"?{urllib.parse.urlencode(kept)}" if kept else ""))

    def post(self, path: str, body: Any = None) -> Any:
        return self._ask("POST", path, {} if body is None else body)

    def put(self, path: str, body: Any) -> Any:
        return self._ask("PUT", path, body)

    def patch(self, path: str, body: Any) -> Any:
        return self._ask("PATCH", path, body)

    def delete(self, path: str) -> Any:
        return self._ask("DELETE", path)

    def download(self, path: str, **query: Any) -> bytes:
        """The raw body of an answer."""
        return self._open("GET", f"{path}?{urllib.parse.urlencode(query)}" if query else path, None)

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        return json.loads(self._open(method, path, body) or b"null")

    def _open(self, method: str, path: str, body: Any) -> bytes:
        if not self.url.startswith(("http://", "https://")):
            raise click.UsageError("TOCSIN_URL must begin with http:// or https://.")
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/api/v1{path}", data=data, method=method)  # noqa: S310 - checked above
        request.add_header("Accept", "application/json")
        if data is not None:
            request.add_header("Content-Type", "application/json")
        if self.token:
            request.add_header("Authorization", f"Bearer {self.token}")
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310
                content: bytes = answer.read()
                return content
        except urllib.error.HTTPError as refusal:
            body = _document(refusal.read())
            if refusal.code == HTTPStatus.UNAUTHORIZED:
                body["remedy"] = "TOCSIN_TOKEN holds it." if self.token else "Put the token into TOCSIN_TOKEN."
            raise ServerRefused(refusal.code, body) from None
        except (urllib.error.URLError, OSError) as failure:
            reason = getattr(failure, "reason", failure)
            raise click.ClickException(
                f"the server at {self.url} does not answer ({reason}). Is it running? Set TOCSIN_URL if it is elsewhere."
            ) from None


def quoted(text: str) -> str:
    """`text` as one part of a path."""
    return urllib.parse.quote(text, safe="")


def _document(content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {"detail": str(found)}


def _plain(value: Any) -> Any:
    return "true" if value is True else value
