"""The type walls stand in the way: a file that breaks them is found by the same settings that `make check` uses."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent


def house_with(tmp_path: Path, name: str, text: str) -> Path:
    """A house with nothing in it but one file, under the settings of the real one."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path / "pyproject.toml")
    place = tmp_path / name
    place.parent.mkdir(parents=True)
    place.write_text(text)
    return place


def test_an_untyped_function_is_found_by_mypy(tmp_path: Path) -> None:
    place = house_with(tmp_path, "src/broken.py", "def double(number):\n    return number * 2\n")
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    command = [str(BIN / "mypy"), "--config-file", "pyproject.toml", "--cache-dir", str(tmp_path / "cache"), str(place)]
    result = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert "no-untyped-def" in result.stdout


def test_a_loose_type_in_core_is_found_by_basedpyright(tmp_path: Path) -> None:
    house_with(tmp_path, "src/tocsin/core/broken.py", "def first(things: list) -> int:\n    return things[0]\n")
    command = [str(BIN / "basedpyright"), "--pythonpath", sys.executable]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 1, result.stdout
    assert "reportMissingTypeArgument" in result.stdout
