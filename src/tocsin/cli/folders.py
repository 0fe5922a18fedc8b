"""Reading the files of a folder, and writing several files so that there are all of them or none."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

SUFFIXES = frozenset({".yaml", ".yml", ".json"})


def read_all(paths: Sequence[Path]) -> dict[str, str]:
    """The texts of files as given; of folders, of every YAML and JSON file below. Raises ClickException."""
    texts: dict[str, str] = {}
    for path in paths:
        files = sorted(one for one in path.rglob("*") if one.suffix.lower() in SUFFIXES) if path.is_dir() else [path]
        for file in files:
            try:
                texts[str(file)] = file.read_text(encoding="utf-8")
            except UnicodeDecodeError as error:
                raise click.ClickException(f"{file}: is not UTF-8 (byte {error.start})") from None
            except OSError as error:
                raise click.ClickException(f"{file}: cannot be read: {error.strerror}") from None
    return texts


def write_all(folder: Path, files: Mapping[str, str], *, force: bool) -> None:
    """Write files into a folder, which is made. Nothing is written when one is there already and `force` is not given.

    Each file is complete before it takes its name. Raises ClickException.
    """
    there = sorted(name for name in files if (folder / name).exists())
    if there and not force:
        advice = "Add --force, or name another folder."
        raise click.ClickException(f"{folder / there[0]} is there already; nothing was written. {advice}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".part-", dir=folder) as part:
            for name, text in files.items():
                (Path(part) / name).write_text(text, encoding="utf-8")
            for name in files:
                (Path(part) / name).replace(folder / name)
    except OSError as error:
        raise click.ClickException(f"{error.filename or folder}: cannot be written: {error.strerror}") from None
