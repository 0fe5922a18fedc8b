"""How a source is reached: who we say we are, whom we trust, which tenant we ask for. Secrets are named, never kept.

A secret is written `${env:TOCSIN_SOURCE_...}`, an environment variable of the server that was put there for it, or
`file:NAME`, a file in the folder of secrets (TOCSIN_SECRETS, else /run/secrets). Nothing else can be named, so that who
may write SLOs cannot send other secrets of the machine to a server of their own.
"""

from __future__ import annotations

import base64
import os
import re
import ssl
from collections.abc import Mapping
from datetime import timedelta
from functools import lru_cache
from pathlib import Path

TOKEN, USERNAME, PASSWORD = "token", "username", "password"
CA_FILE, CERTIFICATE_FILE, KEY_FILE = "ca_file", "certificate_file", "key_file"
TENANT, TIMEOUT = "tenant", "timeout"
FIELDS = (TOKEN, USERNAME, PASSWORD, CA_FILE, CERTIFICATE_FILE, KEY_FILE, TENANT, TIMEOUT)
TENANT_HEADER = "X-Scope-OrgID"
DEADLINE = timedelta(seconds=10)
LONGEST_SECONDS = 30
_MOST_SECRET = 16 * 1024

# A header may take a secret from the environment, but only from names that were put there for it.
ENVIRONMENT = re.compile(r"\$\{env:(TOCSIN_SOURCE_[A-Z0-9_]+)\}")
_FILE = re.compile(r"file:([A-Za-z0-9_][A-Za-z0-9._-]{0,200})")
_SECONDS = re.compile(r"([1-9]\d?)s?")
_TENANT = re.compile(r"[A-Za-z0-9!\-_.*'()|]{1,150}")
_SECRET_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie", "x-api-key", "x-auth-token"})
_HOW = "name the secret as ${env:TOCSIN_SOURCE_...} or file:NAME; it is never written here"


class SecretMissing(Exception):
    """A secret that is named is not there; the text says which and where it should be."""


def problems(connection: Mapping[str, str], headers: Mapping[str, str], *, url: str) -> dict[str, str]:
    """What is wrong with these settings, by field; empty when they can be used."""
    found = {key: "is no setting of a connection" for key in connection if key not in FIELDS}
    for key in (TOKEN, PASSWORD):
        if connection.get(key) and not is_reference(connection[key]):
            found[key] = _HOW
    for key in (CA_FILE, CERTIFICATE_FILE, KEY_FILE):
        if connection.get(key) and not _FILE.fullmatch(connection[key]):
            found[key] = "name a file in the folder of secrets, as file:NAME"
        if connection.get(key) and not url.startswith("https://"):
            found[key] = "is of use with an https address only"
    return found | _halves(connection) | _formats(connection) | _headers(headers)


def _halves(connection: Mapping[str, str]) -> dict[str, str]:
    """What only makes sense with something else, or without it."""
    found = {}
    if bool(connection.get(CERTIFICATE_FILE)) != bool(connection.get(KEY_FILE)):
        found[CERTIFICATE_FILE] = "a client's certificate and its key belong together"
    if bool(connection.get(USERNAME)) != bool(connection.get(PASSWORD)):
        found[USERNAME] = "a name and a password belong together"
    if connection.get(TOKEN) and connection.get(USERNAME):
        found[TOKEN] = "give a token or a name with a password, not both"
    return found


def _formats(connection: Mapping[str, str]) -> dict[str, str]:
    found = {}
    if ":" in connection.get(USERNAME, "") or not connection.get(USERNAME, "").isprintable():
        found[USERNAME] = "may hold no colon and nothing that cannot be seen"
    if connection.get(TENANT) and not _TENANT.fullmatch(connection[TENANT]):
        found[TENANT] = "is up to 150 letters, digits and !-_.*'()|"
    if connection.get(TIMEOUT) and seconds_of(connection[TIMEOUT]) is None:
        found[TIMEOUT] = f"is 1s to {LONGEST_SECONDS}s"
    return found


def _headers(headers: Mapping[str, str]) -> dict[str, str]:
    return {
        f"headers.{name}": _HOW
        for name, value in headers.items()
        if name.lower() in _SECRET_HEADERS and not ENVIRONMENT.search(value)
    }


def is_reference(text: str) -> bool:
    """Whether a text names a secret instead of being one."""
    return bool(ENVIRONMENT.fullmatch(text) or _FILE.fullmatch(text))


def seconds_of(text: str) -> int | None:
    found = _SECONDS.fullmatch(text)
    return int(found[1]) if found and int(found[1]) <= LONGEST_SECONDS else None


def deadline(connection: Mapping[str, str]) -> timedelta:
    """How long one question may take."""
    seconds = seconds_of(connection.get(TIMEOUT, ""))
    return timedelta(seconds=seconds) if seconds else DEADLINE


def headers_of(connection: Mapping[str, str], headers: Mapping[str, str]) -> dict[str, str]:
    """The headers of a question, secrets filled in. Raises SecretMissing."""
    found = {name: ENVIRONMENT.sub(lambda one: os.environ.get(one[1], ""), value) for name, value in headers.items()}
    if connection.get(TENANT):
        found[TENANT_HEADER] = connection[TENANT]
    if connection.get(TOKEN):
        found["Authorization"] = f"Bearer {_secret(connection[TOKEN])}"
    elif connection.get(USERNAME):
        pair = f"{connection[USERNAME]}:{_secret(connection[PASSWORD])}"
        found["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    return found


def trust_of(connection: Mapping[str, str]) -> ssl.SSLContext | None:
    """Whom we trust and which certificate we show; None for the usual. Raises SecretMissing."""
    ca, certificate, key = (_path(connection.get(name, "")) for name in (CA_FILE, CERTIFICATE_FILE, KEY_FILE))
    if ca is None and certificate is None:
        return None
    try:
        changed = tuple(file.stat().st_mtime_ns for file in (ca, certificate, key) if file is not None)
        return _context(ca, certificate, key, changed)
    except OSError as error:  # ssl.SSLError is one
        named = ", ".join(file.name for file in (ca, certificate, key) if file is not None)
        raise SecretMissing(f"certificates cannot be read ({named}): {error.strerror or 'not in PEM form'}") from None


@lru_cache(maxsize=64)
def _context(ca: Path | None, certificate: Path | None, key: Path | None, changed: tuple[int, ...]) -> ssl.SSLContext:  # noqa: ARG001 - a file that changed is read anew
    context = ssl.create_default_context(cafile=None if ca is None else str(ca))
    if certificate is not None:
        context.load_cert_chain(str(certificate), None if key is None else str(key), password=_no_password)
    return context


def _no_password() -> str:
    """Instead of a question on the terminal, which nobody would answer."""
    return ""


def _secret(reference: str) -> str:
    named = ENVIRONMENT.fullmatch(reference)
    if named is not None:
        value = os.environ.get(named[1], "")
        if not value:
            raise SecretMissing(f"{named[1]} is not set in the environment of the server")
        return value
    file = _path(reference)
    if file is None:
        raise SecretMissing("the secret is not named as ${env:TOCSIN_SOURCE_...} or file:NAME")
    try:
        with file.open("rb") as opened:
            text = opened.read(_MOST_SECRET).decode().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SecretMissing(f"the secret {file.name} cannot be read in {file.parent}: {_why(error)}") from None
    if not text or not text.isprintable():
        raise SecretMissing(f"the secret {file.name} in {file.parent} is not one line of text")
    return text


def _why(error: Exception) -> str:
    return (error.strerror or "unreadable") if isinstance(error, OSError) else "no text"


def _path(reference: str) -> Path | None:
    named = _FILE.fullmatch(reference)
    return None if named is None else Path(os.environ.get("TOCSIN_SECRETS", "/run/secrets")) / named[1]


def in_words(connection: Mapping[str, str]) -> str:
    """How we reach a source, for people; no secret and no name of one is in it."""
    told = []
    if connection.get(TOKEN):
        told.append("with a token")
    if connection.get(USERNAME):
        told.append(f"as {connection[USERNAME]}")
    if connection.get(CERTIFICATE_FILE):
        told.append("with a client's certificate")
    if connection.get(CA_FILE):
        told.append("trusting its own authority")
    if connection.get(TENANT):
        told.append(f"tenant {connection[TENANT]}")
    return ", ".join(told)
