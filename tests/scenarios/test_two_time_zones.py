"""What is stored does not depend on where the machine believes it stands."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


def told_in(zone: str, data: Path) -> dict[str, Any]:
    data.mkdir()
    environment = {
        **os.environ,
        "TZ": zone,
        "TOCSIN_DATA": str(data),
        "DJANGO_SETTINGS_MODULE": "tocsin.wiring.settings",
    }
    environment.pop("DATABASE_URL", None)
    environment["PYTHONPATH"] = os.pathsep.join([str(ROOT), str(ROOT / "src")])
    command = [sys.executable, "-m", "tests.scenarios.zone_story"]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.req("R-X-1")
def test_two_zones_store_equal_data(tmp_path: Path) -> None:
    east = told_in("Pacific/Kiritimati", tmp_path / "east")
    west = told_in("America/Denver", tmp_path / "west")
    assert east["rows"] == west["rows"]
    assert len(east["rows"]) > 20
