"""The long form: `python -m tests.crash.run --kills 20` kills at each named point that often, on both databases."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from tests.crash import installations
from tests.crash.nodes import Node, mailbox
from tests.crash.test_kill_at_named_points import run
from tests.databases import postgresql
from tocsin.platform.crashpoints import CrashPoint


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    kills = parser.parse_args().kills
    failed = 0
    with tempfile.TemporaryDirectory(prefix="tocsin-crash-") as folder, postgresql() as url:
        place = Path(folder)
        embedded = installations.on_sqlite(place / "embedded")
        shared = installations.on_postgresql(place / "shared", url)
        for number, point in enumerate(CrashPoint, start=1):
            for database in ("SQLite", "PostgreSQL"):
                failed += _one(point, database, place / f"{point.value}-{database}", embedded, shared, kills)
            print(f"{number} of {len(CrashPoint)} points done", flush=True)
    return 1 if failed else 0


def _one(
    point: CrashPoint,
    database: str,
    place: Path,
    embedded: installations.Prepared,
    shared: installations.Prepared,
    kills: int,
) -> int:
    with mailbox() as box:
        if database == "SQLite":
            shutil.copytree(embedded.data, place)
            nodes, key = [Node(place, box)], embedded.key
        else:
            address = installations.copy_database(shared.database, f"long_{point.value}")
            nodes, key = [Node(place / name, box, address) for name in ("a", "b")], shared.key
        try:
            run(nodes, box, point, key, kills=kills)
        except AssertionError as wrong:
            print(f"{point.value} on {database}: {wrong}", flush=True)
            return 1
    print(f"{point.value} on {database}: {kills} kills, nothing lost", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
