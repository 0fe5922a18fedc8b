"""tocsin process check and diff: is the written process sound, and what did a version change."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import click

from tocsin.cli.client import Client
from tocsin.cli.output import output_options, read_document, show
from tocsin.core.document_reading import Level
from tocsin.platform.text import for_terminal

CHANGES = ("path", "change", "before", "after")


class VersionNumber(click.ParamType[int]):
    """A version as people write it: 4 or v4."""

    name = "version"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        found = re.fullmatch(r"v?([0-9]{1,9})", str(value).strip().lower())
        if found is None:
            self.fail(f"{value!r} is no version; write 4 or v4.", param, ctx)
        return int(found[1])


@click.command("check")
@click.argument("file", required=False)
@click.option("--version", "number", type=VersionNumber(), help="A version on the server.")
@click.option("--on-top", is_flag=True, help="Lay the sections of FILE over the process in force, on the server.")
@click.option("--strict", is_flag=True, help="Exit 1 for warnings, too.")
@output_options
def check(file: str | None, number: int | None, on_top: bool, strict: bool, output: str, as_json: bool) -> None:
    """Find contradictions, missing answers, unreachable pairs and roles that nobody can fill.

    FILE (YAML or JSON, - is standard input) is a whole process document and is judged without a server, and so without
    the people. Without FILE, the version in force or the one given. Exit 1 when an error is found.
    """
    if file is not None and number is not None:
        raise click.UsageError("Give FILE or --version, not both.")
    if on_top and file is None:
        raise click.UsageError("--on-top needs a FILE.")
    found = _found(file, number, on_top=on_top)
    if as_json or output != "table":
        show(found, output=output, as_json=as_json)
    else:
        _tell(found)
    sys.exit(1 if found["errors"] or (strict and found["warnings"]) else 0)


def _found(file: str | None, number: int | None, *, on_top: bool) -> dict[str, Any]:
    if file is None:
        return dict(Client().get("/process/check", version=number))
    sections = _sections(file)
    if on_top:
        return dict(Client().post("/process/check", {"sections": sections}))
    from tocsin.core.process_check import check as judge

    items = [
        {"level": one.level.value, "where": one.where, "rule": one.rule, "says": one.says, "remedy": one.remedy}
        for one in judge(sections)
    ]
    errors = sum(one["level"] == Level.ERROR.value for one in items)
    return {"ok": errors == 0, "errors": errors, "warnings": len(items) - errors, "items": items}


def _sections(file: str) -> dict[str, Any]:
    try:
        read = read_document(file)
    except (OSError, UnicodeDecodeError) as error:
        raise click.ClickException(f"{file}: {error}") from None
    if isinstance(read, dict) and isinstance(read.get("document"), dict):
        read = read["document"]  # what `tocsin process -o yaml` prints
    if not isinstance(read, dict):
        raise click.ClickException(f"{file}: begin with the names of sections, for example priorities:")
    return {str(name): content for name, content in read.items()}


def _tell(found: dict[str, Any]) -> None:
    for one in found["items"]:
        sign = "?" if one["level"] == Level.WARNING.value else "!"
        click.echo(f"{sign} {for_terminal(one['where'])}: {for_terminal(one['says'])}. ({one['rule']})")
        click.echo(f"    {one['remedy']}")
    told = f"{found['errors']} to mend, {found['warnings']} to look at." if found["items"] else "Nothing was found."
    click.echo(told, err=True)


@click.command("diff")
@click.argument("before", type=VersionNumber())
@click.argument("after", type=VersionNumber())
@output_options
def diff(before: int, after: int, output: str, as_json: bool) -> None:
    """Every place at which two versions differ: tocsin process diff v3 v4. Exit 0 when they are the same, else 1."""
    found = Client().get("/process/diff", **{"from": before, "to": after})
    show(found, CHANGES, output=output, as_json=as_json)
    sys.exit(1 if found["items"] else 0)


@click.command("print")
@click.option("--format", "form", type=click.Choice(["html", "pdf", "md"]), default="md", show_default=True)
@click.option("--version", "number", type=VersionNumber(), help="Another version than the one in force.")
@click.option("-o", "--to", "target", type=click.Path(dir_okay=False), help="Write this file instead of stdout.")
def print_process(form: str, number: int | None, target: str | None) -> None:
    """The complete process as a document: contents, priorities, severities, matrix, roles, ten answers, lifecycle,
    cadence, version, author, approvers, dates.
    """
    asked: dict[str, Any] = {"format": form, **({} if number is None else {"version": number})}
    content = Client().download("/process/document", **asked)
    if target is None:
        if form == "pdf" and sys.stdout.isatty():
            raise click.UsageError("A PDF is nothing for a terminal; name a file with --to.")
        sys.stdout.buffer.write(content)
        return
    try:
        Path(target).write_bytes(content)
    except OSError as error:
        raise click.ClickException(f"{target}: {error.strerror}") from None
    click.echo(f"Written to {target}.", err=True)


COMMANDS = (check, diff, print_process)
