"""tocsin import ...: what other tools know, with a plan of what becomes of it."""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from tocsin.cli.client import Client
from tocsin.cli.folders import read_all, write_all
from tocsin.cli.output import duration, show

Command = TypeVar("Command", bound=Callable[..., Any])


@click.group("import")
def import_group() -> None:
    """Bring in what other tools know; each says first what becomes of it."""


def _options(command: Command) -> Command:
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print the plan as one JSON document."),
        click.option("--force", is_flag=True, help="Write over files that are there already."),
        click.option("--dry-run", is_flag=True, help="Print the plan and write nothing."),
        click.option("--url", default="", help="Its address; then a file with the data source is written, too."),
        click.option("--source", default="prometheus", show_default=True, help="What the data source is called."),
        click.option("--service", default="", help="One service for all, instead of those the files name."),
        click.option("-o", "--out", "folder", type=click.Path(file_okay=False, path_type=Path), required=True),
        click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path)),
    ):
        command = option(command)
    return command


@import_group.command("sloth")
@_options
@click.option("--period", default="30d", show_default=True, help="The period of the budgets; Sloth's files name none.")
def sloth(paths: tuple[Path, ...], period: str, **given: Any) -> None:
    """Turn Sloth's SLOs (files or folders) into OpenSLO files in a folder. Needs no server.

    Then: tocsin apply FOLDER --dry-run
    """
    from tocsin.config.imports import Options, from_sloth

    options = Options(source=given["source"], url=given["url"], service=given["service"], period=duration(period))
    _finish(from_sloth(read_all(paths), options), given)


@import_group.command("pyrra")
@_options
def pyrra(paths: tuple[Path, ...], **given: Any) -> None:
    """Turn Pyrra's SLOs (files or folders) into OpenSLO files in a folder. Needs no server.

    Then: tocsin apply FOLDER --dry-run
    """
    from tocsin.config.imports import Options, from_pyrra

    options = Options(source=given["source"], url=given["url"], service=given["service"])
    _finish(from_pyrra(read_all(paths), options), given)


def _finish(found: Any, given: dict[str, Any]) -> None:
    """Write the files, then say what became of what; a refusal comes before anything is written."""
    written = bool(found.files) and not given["dry_run"]
    if written:
        write_all(given["folder"], found.files, force=given["force"])
    plan = found.as_json()
    if given["as_json"]:
        show({**plan, "written": written}, as_json=True)
    else:
        _print(plan, given["folder"], written=written)
    sys.exit(1 if plan["errors"] or not plan["converted"] else 0)


def _print(plan: dict[str, Any], folder: Path, *, written: bool) -> None:
    for one in plan["converted"]:
        click.echo(f"converted: {one['title']} ({one['from']}) -> SLO {one['slo']} in {one['file']}")
        for note in one["notes"]:
            click.echo(f"    note: {note}")
    for one in plan["left_out"]:
        click.echo(f"left out: {one['title']} ({one['from']}): {one['why']}")
    for error in plan["errors"]:
        click.echo(f"{error['path']}:{error['line']}: {error['message']}", err=True)
    count = len(plan["converted"])
    if written:
        click.echo(f"{count} SLOs in {folder}. Next: tocsin apply {folder} --dry-run")
    elif count:
        click.echo(f"{count} SLOs would be written to {folder}.")
    else:
        nothing = "" if plan["errors"] else "There is nothing to convert; "
        click.echo(f"{nothing}nothing was written.".capitalize(), err=True)


@import_group.command("priorities")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--mapping",
    "mappings",
    multiple=True,
    help="What a word of the team means now, for example 'Sev 1=P1'; or a CSV of two columns: the word, the priority.",
)
@click.option("--dry-run", is_flag=True, help="Say what would change and change nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the plan as one JSON document.")
def priorities(file: Path, mappings: tuple[str, ...], dry_run: bool, as_json: bool) -> None:
    """Bring a team's earlier priorities onto the organisation's.

    FILE is a CSV with the columns slo and priority; maps_to, groups and reason are taken where they are there. Rows that
    nothing maps are listed and left alone.
    """
    mapping = {word: meaning for one in mappings for word, meaning in _mapping(one)}
    body = {"csv": _text(file), "mapping": mapping, "file": file.name, "dry_run": dry_run}
    plan = Client().post("/priorities/import", body)
    if as_json:
        show(plan, as_json=True)
    else:
        for verb in ("created", "changed", "unchanged"):
            for title in plan[verb]:
                click.echo(f"{verb}: {title}")
        for one in plan["unmapped"]:
            click.echo(f"not mapped: {one['slo']} ({file.name}:{one['line']}): {one['priority'] or 'no priority'}")
    for problem in (*plan["warnings"], *plan["errors"]):
        click.echo(f"{problem['path']}:{problem['line']}: {problem['message']}", err=True)
    sys.exit(1 if plan["errors"] else 0)


def _mapping(given: str) -> list[tuple[str, str]]:
    """`word=priority`, or the rows of a CSV of that name. Raises UsageError."""
    if not given.lower().endswith(".csv"):
        word, sign, meaning = given.rpartition("=")
        if not sign or not word.strip() or not meaning.strip():
            raise click.UsageError(f"--mapping {given!r}: write WORD=PRIORITY, for example 'Sev 1=P1'.")
        return [(word.strip(), meaning.strip())]
    path = Path(given)
    if not path.is_file():
        raise click.UsageError(f"--mapping {given}: there is no such file.")
    found = []
    for number, cells in enumerate(csv.reader(_text(path).splitlines()), start=1):
        if len(cells) != 2:
            raise click.ClickException(f"{given}:{number}: must have two cells: the team's word, the priority.")
        found.append((cells[0].strip(), cells[1].strip()))
    return found


def _text(path: Path) -> str:
    return read_all([path])[str(path)]
