"""Data to stdout, everything else to stderr: a table for people, tabs for pipes, JSON when asked for."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tocsin.platform.text import for_terminal, one_line

if TYPE_CHECKING:
    from yaml import SafeLoader

Command = TypeVar("Command", bound=Callable[..., Any])

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def output_options(command: Command) -> Command:
    """`-o table|json|yaml|name` and `--json`, the same on every verb."""
    command = click.option("--json", "as_json", is_flag=True, help="Print one JSON document (the same as -o json).")(
        command
    )
    return click.option(
        "-o",
        "--output",
        type=click.Choice(["table", "json", "yaml", "name"]),
        default=lambda: os.environ.get("TOCSIN_OUTPUT", "table"),
        help="How to print the result.",
    )(command)


def show(data: Any, columns: Sequence[str] = (), *, output: str = "table", as_json: bool = False) -> None:
    """Print `data`: a document, a list, or {"items": [...]}; `columns` are what a table shows of each."""
    if as_json or output == "json":
        click.echo(json.dumps(data, ensure_ascii=False, indent=2 if sys.stdout.isatty() else None))
        return
    if output == "yaml":
        import yaml

        click.echo(yaml.safe_dump(data, allow_unicode=True, sort_keys=False).rstrip())
        return
    rows = data["items"] if isinstance(data, dict) and isinstance(data.get("items"), list) else data
    if output == "name":
        for row in rows if isinstance(rows, list) else [rows]:
            click.echo(str(row.get("id") or row.get("name") or row.get("code") or ""))
    elif isinstance(rows, list):
        _table(rows, columns)
    else:
        _document(rows, columns)


def _table(rows: list[dict[str, Any]], columns: Sequence[str]) -> None:
    chosen = list(columns) or list(rows[0] if rows else [])
    cells = [[_cell(row.get(name)) for name in chosen] for row in rows]
    if not sys.stdout.isatty():
        for line in cells:
            click.echo("\t".join(line))
        return
    if not rows:
        click.echo("Nothing here yet.", err=True)
        return
    widths = [max(len(name), *(len(line[i]) for line in cells)) for i, name in enumerate(chosen)]
    click.secho(
        "  ".join(name.upper().replace("_", " ").ljust(w) for name, w in zip(chosen, widths, strict=True)), bold=True
    )
    for line in cells:
        click.echo("  ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)).rstrip())


def _document(row: dict[str, Any], columns: Sequence[str]) -> None:
    for name in columns or row:
        value = row.get(name)
        if isinstance(value, list) and value and isinstance(value[0], dict):
            click.echo(f"{name}:")
            for entry in value:
                click.echo("  " + "  ".join(_cell(part) for part in entry.values() if part not in (None, "")))
        else:
            click.echo(f"{name.replace('_', ' ')}: {_cell(value)}")


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{key}={part}" for key, part in value.items())
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return one_line(for_terminal(str(value)), limit=200)


def for_cell(text: Any) -> str:
    """A text as one line of a terminal, without what could drive it."""
    return _cell(text)


def duration(text: str) -> timedelta:
    """A span such as 90s, 15m, 2h, 1d12h. Raises BadParameter."""
    parts = re.findall(r"(\d+)\s*([smhdw])", text.strip().lower())
    if not parts or re.sub(r"\d+\s*[smhdw]", "", text.strip().lower()).strip():
        raise click.BadParameter(f"{text!r} is no span of time; write 90s, 15m, 2h or 1d.")
    return timedelta(seconds=sum(int(number) * _UNITS[unit] for number, unit in parts))


def instant(text: str) -> datetime:
    """A moment with its zone (RFC 3339). Raises BadParameter."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(f"{text!r} is no time; write 2026-11-23T09:00:00Z.") from None
    if found.tzinfo is None:
        raise click.BadParameter(f"{text!r} has no zone; write 2026-11-23T09:00:00Z or ...+01:00.")
    return found.astimezone(UTC)


def period(start: str, end: str) -> tuple[datetime, datetime]:
    """What `--from` and `--to` say. Raises BadParameter, also when the first is not before the second."""
    begin, finish = instant(start), instant(end)
    if begin >= finish:
        raise click.BadParameter("--from must be before --to.")
    return begin, finish


def day(_context: click.Context, _parameter: click.Parameter, text: str | None) -> str | None:
    """An option's date (2026-12-01), as click calls back. Raises BadParameter."""
    try:
        return date.fromisoformat(text).isoformat() if text is not None else None
    except ValueError:
        raise click.BadParameter("write a date such as 2026-12-01") from None


def read_document(path: str) -> Any:
    """A JSON or YAML file (`-` is standard input). Raises ClickException naming file and line."""
    import yaml

    text = sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8")
    try:
        return _plain_loader()(text).get_single_data()
    except yaml.MarkedYAMLError as wrong:
        mark = wrong.problem_mark
        line = mark.line + 1 if mark else 1
        raise click.ClickException(f"{path}:{line}: {wrong.problem}") from None


@cache
def _plain_loader() -> type[SafeLoader]:
    """Reads times as the text they are: YAML 1.1 makes objects of dates and the number 1020 of 17:00."""
    import yaml

    class Plain(yaml.SafeLoader):
        yaml_implicit_resolvers = {
            first: [_without_clocks(tag, pattern) for tag, pattern in known if tag != "tag:yaml.org,2002:timestamp"]
            for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
        }

    return Plain


def _without_clocks(tag: str, pattern: re.Pattern[str]) -> tuple[str, re.Pattern[str]]:
    if tag != "tag:yaml.org,2002:int":
        return tag, pattern
    return tag, re.compile(rf"(?!.*:)(?:{pattern.pattern})", re.VERBOSE)
