"""Getting ready to serve: folder, key, lock, first rows; every step may be repeated."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.db import connection, transaction

from tocsin.catalog import queries as catalog
from tocsin.people import queries as people
from tocsin.platform import clock as clocks
from tocsin.platform import db, outbox
from tocsin.platform.models import OutboxMessage, Setting
from tocsin.process import queries as process
from tocsin.wiring import preparation
from tocsin.wiring.lock import AlreadyRunning, ProcessLock


def test_the_folder_and_its_key_are_for_their_owner_only(tmp_path: Path) -> None:
    data = tmp_path / "new" / "data"
    preparation.make_folder(data)
    assert data.stat().st_mode & 0o777 == 0o700
    assert (data / "secret-key").stat().st_mode & 0o777 == 0o600
    assert len((data / "secret-key").read_text()) >= 50


def test_the_key_is_made_once(tmp_path: Path) -> None:
    preparation.make_folder(tmp_path)
    first = (tmp_path / "secret-key").read_text()
    preparation.make_folder(tmp_path)
    assert (tmp_path / "secret-key").read_text() == first


def test_a_half_written_key_of_a_killed_start_is_not_taken_for_one(tmp_path: Path) -> None:
    (tmp_path / ".secret-key.999").write_text("half")
    preparation.make_folder(tmp_path)
    assert (tmp_path / "secret-key").read_text() != "half"


@pytest.mark.parametrize(
    ("version", "warned"),
    [
        ((3, 6, 23), False),
        ((3, 7, 0), True),
        ((3, 40, 1), True),
        ((3, 44, 5), True),
        ((3, 44, 6), False),
        ((3, 50, 6), True),
        ((3, 50, 7), False),
        ((3, 51, 2), True),
        ((3, 51, 3), False),
        ((3, 54, 0), False),
    ],
)
def test_versions_of_sqlite_that_may_lose_a_commit_are_warned_about(version: tuple[int, ...], warned: bool) -> None:
    assert bool(preparation.sqlite_warning(version)) is warned


def test_a_second_holder_of_the_folder_is_told_who_has_it(tmp_path: Path) -> None:
    first, second = ProcessLock(tmp_path), ProcessLock(tmp_path)
    first.take()
    with pytest.raises(AlreadyRunning, match=str(os.getpid())):
        second.take()
    first.release()
    second.take()
    second.release()


def test_a_killed_holder_leaves_the_folder_free(tmp_path: Path) -> None:
    script = (
        "import os, signal, sys; from pathlib import Path; from tocsin.wiring.lock import ProcessLock;"
        "ProcessLock(Path(sys.argv[1])).take(); os.kill(os.getpid(), signal.SIGKILL)"
    )
    killed = subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False)
    assert killed.returncode == -9
    assert (tmp_path / "lock").read_text().strip().isdecimal()
    lock = ProcessLock(tmp_path)
    lock.take()
    lock.release()


@pytest.mark.django_db
class TestFirstRows:
    def test_process_catch_all_and_administrator_are_made_once(self, clock: clocks.WoundClock) -> None:
        for _ in range(2):
            assert preparation.first_rows("tocsin_given") == ""
        assert process.current_version().number == 1
        assert catalog.catch_all().is_catch_all
        actor = people.actor_for_token("tocsin_given", now=clock.now())
        assert actor is not None
        assert actor.role == "admin"

    def test_without_a_token_one_is_made_at_the_first_start_only(self, clock: clocks.WoundClock) -> None:
        made = preparation.first_rows("")
        assert people.actor_for_token(made, now=clock.now()) is not None
        assert preparation.first_rows("") == ""

    def test_claims_of_a_killed_process_are_given_back_on_sqlite(self, now: datetime) -> None:
        with transaction.atomic():
            outbox.enqueue([outbox.Outgoing(key="k", kind="page", channel="email", address="a@b.example")], now=now)
            db.claim(OutboxMessage.objects.all(), now=now, lease=timedelta(seconds=15), limit=1)
        released = preparation.release_stale_claims()
        row = OutboxMessage.objects.get()
        if connection.vendor == "sqlite":
            assert (released, row.claimed_by, row.attempt) == (1, "", 1)
        else:
            assert (released, bool(row.claimed_by)) == (0, True)

    def test_the_nodes_of_one_postgresql_sign_with_one_key(
        self, monkeypatch: pytest.MonkeyPatch, settings: object
    ) -> None:
        monkeypatch.delenv("TOCSIN_SECRET_KEY", raising=False)
        before = settings.SECRET_KEY  # type: ignore[attr-defined]
        preparation.share_secret()
        if connection.vendor == "sqlite":
            assert before == settings.SECRET_KEY  # type: ignore[attr-defined]
            assert not Setting.objects.exists()
        else:
            first = settings.SECRET_KEY  # type: ignore[attr-defined]
            preparation.share_secret()
            assert settings.SECRET_KEY == first != before  # type: ignore[attr-defined]
