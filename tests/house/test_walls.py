"""The walls of the house stand, and each is shown to fall when it is broken."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from django.apps import apps
from django.db.models import ForeignKey, ManyToManyField

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent

STAIRS = [
    "platform",
    "audit",
    "people",
    "catalog",
    "process",
    "slo",
    "oncall",
    "adoption",
    "alerts",
    "incidents",
    "comms",
    "postmortems",
]
BESIDE = {frozenset({"slo", "oncall"}), frozenset({"comms", "postmortems"})}


def goes_down(upper: str, lower: str) -> bool:
    """True when a foreign key from `upper` to `lower` keeps to the stairs."""
    if upper == lower:
        return True
    if frozenset({upper, lower}) in BESIDE:
        return False
    return STAIRS.index(upper) > STAIRS.index(lower)


def test_every_domain_with_tables_has_its_place_on_the_stairs() -> None:
    ours = {
        config.label
        for config in apps.get_app_configs()
        if config.name.startswith("tocsin.") and list(config.get_models())
    }
    assert ours == set(STAIRS)


def test_foreign_keys_go_down_the_stairs() -> None:
    wrong = []
    for model in apps.get_models():
        for field in model._meta.get_fields():
            if isinstance(field, ForeignKey | ManyToManyField) and field.related_model is not None:
                upper, lower = model._meta.app_label, field.related_model._meta.app_label
                if upper in STAIRS and lower in STAIRS and not goes_down(upper, lower):
                    wrong.append(f"{model.__name__}.{field.name} -> {field.related_model.__name__}")
    assert wrong == []


@pytest.mark.parametrize(("upper", "lower"), [("people", "incidents"), ("slo", "oncall"), ("audit", "people")])
def test_a_foreign_key_that_goes_up_or_sideways_would_be_found(upper: str, lower: str) -> None:
    assert not goes_down(upper, lower)


BROKEN_IMPORTS = {
    "upward": ("src/tocsin/core/broken_wall.py", "import tocsin.incidents\n", "the stairs"),
    "impure core": ("src/tocsin/core/broken_wall.py", "import time\n", "core is pure"),
    "sending from a request": ("src/tocsin/web/broken_wall.py", "import tocsin.channels\n", "only the engine"),
    "sideways": ("src/tocsin/slo/broken_wall.py", "import tocsin.oncall\n", "the stairs"),
    "a room nobody drew": ("src/tocsin/attic.py", "X = 1\n", "the stairs"),
}


@pytest.mark.parametrize("wall", BROKEN_IMPORTS)
def test_a_broken_import_wall_is_found(wall: str, tmp_path: Path) -> None:
    name, text, contract = BROKEN_IMPORTS[wall]
    copy = _copy_of_the_house(tmp_path)
    (copy / name).write_text(text)
    result = _lint_imports(copy)
    assert result.returncode != 0
    assert contract in result.stdout


def test_the_import_walls_stand() -> None:
    result = _lint_imports(ROOT)
    assert result.returncode == 0, result.stdout


BROKEN_STYLE = {
    "the clock": "from datetime import UTC, datetime\n\n\ndef f() -> datetime:\n    return datetime.now(UTC)\n",
    "Django's clock": "from django.utils import timezone\n\nX = timezone.now()\n",
    "a sleep": "import time\n\ntime.sleep(1)\n",
    "a signal": "from django.dispatch import receiver\n\nX = receiver\n",
}


@pytest.mark.parametrize("wall", BROKEN_STYLE)
def test_a_banned_call_is_found(wall: str, tmp_path: Path) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text(BROKEN_STYLE[wall])
    command = [
        str(BIN / "ruff"),
        "check",
        "--config",
        str(ROOT / "pyproject.toml"),
        "--select",
        "TID251",
        "--no-cache",
        str(broken),
    ]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert "TID251" in result.stdout


def test_row_locks_live_in_one_place() -> None:
    """`select_for_update` is silently dropped on SQLite; whoever needs a claim asks platform/db.py."""
    places = [
        str(path.relative_to(ROOT / "src/tocsin"))
        for path in (ROOT / "src").rglob("*.py")
        if "select_for_update(" in path.read_text(encoding="utf-8")
    ]
    assert places == ["platform/db.py"]


def test_no_file_has_a_name_that_says_nothing() -> None:
    empty = {"utils", "helpers", "common", "misc", "base", "manager", "service", "services"}
    names = [path for path in (ROOT / "src/tocsin").rglob("*.py") if path.stem in empty]
    # Django asks for this one by name.
    assert [str(path.relative_to(ROOT / "src/tocsin")) for path in names] == ["platform/sqlite/base.py"]


def _copy_of_the_house(tmp_path: Path) -> Path:
    import shutil

    copy = tmp_path / "house"
    ignore = shutil.ignore_patterns("__pycache__", "static", "templates", "migrations")
    shutil.copytree(ROOT / "src", copy / "src", ignore=ignore)
    shutil.copy(ROOT / "pyproject.toml", copy / "pyproject.toml")
    return copy


def _lint_imports(where: Path) -> subprocess.CompletedProcess[str]:
    environment = {"PYTHONPATH": str(where / "src"), "PATH": "/usr/bin:/bin"}
    command = [str(BIN / "lint-imports"), "--no-cache"]
    return subprocess.run(command, cwd=where, env=environment, capture_output=True, text=True, check=False)
