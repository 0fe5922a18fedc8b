"""Run the tests on SQLite and then on PostgreSQL: `python -m tests.run [--only sqlite|postgresql] [pytest arguments]`."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile

from tests.databases import postgresql
from tests.programs import announce_missing


def main(arguments: list[str]) -> int:
    only = ""
    if arguments[:1] == ["--only"]:
        only, arguments = arguments[1], arguments[2:]
    announce_missing()
    codes = []
    if only != "postgresql":
        codes.append(_pytest("SQLite", arguments, {}))
    if only != "sqlite":
        with postgresql() as url:
            # What touches no database, drives a browser or kills processes (those start both kinds) is proved once. So is
            # what a page says; that every page is answered here too, the crawler sees.
            chosen = arguments or [
                "-m",
                "not browser and not crash and not sqlite",
                "--ignore-glob=tests/edges/test_web_*",
                "tests/domains",
                "tests/edges",
                "tests/scenarios",
                "tests/house/test_links_lead_somewhere.py",
            ]
            codes.append(_pytest("PostgreSQL", chosen, {"DATABASE_URL": url}))
    return max(codes)


def _pytest(name: str, arguments: list[str], settings: dict[str, str]) -> int:
    print(f"\n=== tests on {name} ===", flush=True)
    with tempfile.TemporaryDirectory(prefix="tocsin-tests-") as data:
        environment = {**os.environ, "TOCSIN_DATA": data, "PYTHONPATH": f".{os.pathsep}src", **settings}
        parallel = (
            [] if any(argument.startswith("-n") for argument in arguments) else ["-n", "2", "--dist", "loadgroup"]
        )
        command = [sys.executable, "-m", "pytest", "-q", *parallel, *arguments]
        return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
