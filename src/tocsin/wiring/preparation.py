"""Make a data folder and a database ready to serve: safe to repeat at every start, and after a kill at any point."""

from __future__ import annotations

import os
import secrets
import sqlite3
from pathlib import Path

SQLITE_BROKEN_FROM = (3, 7, 0)
SQLITE_MENDED = (3, 51, 3)
SQLITE_MENDED_BRANCHES = {(3, 50): 7, (3, 44): 6}
CACHE_LOCK = "tocsin.migrate"
SHARED_SECRET = "secret_key"  # noqa: S105 - the name of a setting


def make_folder(data: Path) -> None:
    """The data folder, for its owner only, with the key that signs cookies and links."""
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    (data / "static").mkdir(exist_ok=True)
    key = data / "secret-key"
    if not key.exists():
        # Written whole and then named, so that a kill in between leaves no half key behind.
        draft = data / f".secret-key.{os.getpid()}"
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as handle:
            handle.write(secrets.token_urlsafe(50))
            handle.flush()
            os.fsync(handle.fileno())
        draft.replace(key)


def sqlite_warning(version: tuple[int, ...] = sqlite3.sqlite_version_info) -> str:
    """A sentence when this SQLite has the WAL-reset fault (two connections may lose a commit); empty otherwise."""
    mended = SQLITE_MENDED_BRANCHES.get((version[0], version[1]))
    if version < SQLITE_BROKEN_FROM or version >= SQLITE_MENDED or (mended is not None and version[2] >= mended):
        return ""
    return (
        f"SQLite {'.'.join(map(str, version))} has a rare fault in its write-ahead log that can lose a commit. "
        "Tocsin writes from one line of writers, which avoids the known way into it; 3.51.3 and later are mended."
    )


def migrate() -> None:
    """Bring the schema up to date; on PostgreSQL one node does it while the others wait."""
    from django.core.management import call_command
    from django.db import connection

    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = 0")
            cursor.execute("SET statement_timeout = 0")
            cursor.execute("SELECT pg_advisory_lock(hashtext(%s))", [CACHE_LOCK])
    try:
        call_command("migrate", interactive=False, verbosity=0)
        call_command("createcachetable", verbosity=0)
    finally:
        connection.close()  # gives the lock back, and the time limits of the settings hold again


def share_secret() -> None:
    """Let all nodes on one PostgreSQL sign with the same key, unless the environment names one."""
    from django.conf import settings
    from django.db import connection

    from tocsin.platform.models import Setting

    if (
        connection.vendor != "postgresql"
        or os.environ.get("TOCSIN_SECRET_KEY")
        or os.environ.get("TOCSIN_SECRET_KEY_FILE")
    ):
        return
    row, _ = Setting.objects.get_or_create(name=SHARED_SECRET, defaults={"value": {"key": secrets.token_urlsafe(50)}})
    settings.SECRET_KEY = row.value["key"]


def first_rows(token: str) -> str:
    """The process, the catch-all service and the administrator; returns a token to show once, or an empty text.

    A new token is made only when none was given and the installation has no administrator yet.
    """
    from tocsin.catalog import actions as catalog
    from tocsin.people import actions as people
    from tocsin.people import queries as people_queries
    from tocsin.platform import clock
    from tocsin.process import actions as process
    from tocsin.process import queries as process_queries

    now = clock.now()
    process.ensure_default(now=now)
    process_queries.current()  # read once now, so that the first page does not wait for it
    catalog.ensure_catch_all(now=now)
    made = "" if token or people_queries.administrators() else f"tocsin_{secrets.token_urlsafe(32)}"
    people.ensure_administrator(token or made, now=now)
    return made


def release_stale_claims() -> int:
    """On SQLite, under the process lock: give back what a killed process had claimed. Returns how many rows."""
    from django.apps import apps
    from django.db import connection, transaction

    from tocsin.platform import db
    from tocsin.platform.models import Claimable

    if connection.vendor != "sqlite":
        return 0
    with transaction.atomic():
        return db.release_all([model for model in apps.get_models() if issubclass(model, Claimable)])
