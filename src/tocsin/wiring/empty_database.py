"""An empty database, made once by the migrations and copied from then on.

Running a hundred migrations takes many seconds and always ends in the same empty tables. So the first run in an
environment keeps what came out, under a name that changes with any migration file, and the next new SQLite folder begins
with a copy. It holds no row of anybody's: tables, triggers, and Django's own lists of them.

`python -m tocsin.wiring.empty_database` makes it ahead of time (`make setup` does).
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

KEPT_AT_MOST = 8


def keeping_place() -> Path:
    """Beside the installed packages, so that it goes when they go."""
    return Path(sys.prefix) / "var" / "tocsin"


def begin_with(database: Path, *, migrate: Callable[[], None], place: Path) -> None:
    """Make `database`, which does not exist yet, from the kept copy; without one, `migrate` and keep what came out.

    That it cannot be kept (a folder of somebody else's) is no fault: the next run migrates again.
    """
    kept = place / f"empty-{fingerprint()}.sqlite3"
    if kept.exists():
        draft = database.with_suffix(".draft")
        shutil.copyfile(kept, draft)
        draft.replace(database)
        return
    migrate()
    _keep(database, kept)


def fingerprint() -> str:
    """Changes with Django, with SQLite, and with every migration file of every app."""
    import django
    from django.apps import apps

    said = hashlib.sha256(f"{django.get_version()} {sqlite3.sqlite_version}".encode())
    for path in _files(Path(config.path) / "migrations" for config in apps.get_app_configs()):
        said.update(str(path.name).encode())
        said.update(path.read_bytes())
    return said.hexdigest()[:20]


def _files(folders: Iterable[Path]) -> list[Path]:
    return [path for folder in folders if folder.is_dir() for path in sorted(folder.glob("*.py"))]


def _keep(database: Path, kept: Path) -> None:
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=kept.parent, suffix=".draft")
    except OSError:
        return
    os.close(handle)
    draft = Path(name)
    try:
        source, target = sqlite3.connect(database), sqlite3.connect(draft)
        with source, target:
            source.backup(target)
        source.close()
        target.close()
        draft.replace(kept)
    except (OSError, sqlite3.Error):
        draft.unlink(missing_ok=True)
    for old in sorted(kept.parent.glob("empty-*.sqlite3"), key=lambda path: path.stat().st_mtime)[:-KEPT_AT_MOST]:
        old.unlink(missing_ok=True)


def main() -> None:
    """Keep an empty database for the migrations as they are now, if there is none yet."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TOCSIN_DATA"] = folder
        os.environ.pop("DATABASE_URL", None)
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tocsin.wiring.settings")
        import django

        from tocsin.wiring import preparation

        preparation.make_folder(Path(folder))
        django.setup()
        preparation.migrate()


if __name__ == "__main__":
    main()
