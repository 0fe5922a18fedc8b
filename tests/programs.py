"""Programs from Debian that some tests drive. Missing ones are named loudly; under TOCSIN_TEST_ALL=1 they are a failure."""

from __future__ import annotations

import os
import shutil
import sys

import pytest

WANTED = {
    "chromium": "browser tests",
    "prometheus": "real Prometheus",
    "prometheus-alertmanager": "real Alertmanager",
    "amtool": "amtool",
}


def path_of(name: str) -> str:
    """Where `name` is; the test is skipped, or failed when everything must be there, if it is not."""
    found = shutil.which(name)
    if found:
        return found
    message = f"{name} is not installed; on Debian: apt-get install {name}"
    if os.environ.get("TOCSIN_TEST_ALL") == "1":
        pytest.fail(message)
    pytest.skip(message)


def announce_missing() -> None:
    missing = [f"{name} ({use})" for name, use in WANTED.items() if not shutil.which(name)]
    if missing:
        print("NOT TESTED for want of Debian programs: " + ", ".join(missing), file=sys.stderr, flush=True)
