"""tocsin audit, process, version: the installation itself. `serve` and `demo` are added by the wiring."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

import click

from tocsin.cli.client import Client
from tocsin.cli.output import output_options, period, show
from tocsin.core.errors import TocsinError

_DATE = re.compile(r"\d{4}-\d\d-\d\d")


@click.group()
def audit() -> None:
    """The event log: verify and export."""


@audit.command("verify")
@click.argument("bundle", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--data",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Verify a data folder without a server.",
)
def verify(bundle: Path | None, data: Path | None) -> None:
    """Walk the hash chain; exit 1 and name the first wrong entry if there is one.

    With a BUNDLE, verify that file without a server.
    """
    more = ""
    if bundle is not None:
        from tocsin.audit.bundle import verify_bundle

        verdict = verify_bundle(bundle)
        ok, entries, wrong, why = verdict.ok, verdict.count, verdict.first_wrong, verdict.why
        if ok:
            more = _verdicts_follow(bundle)
    elif data is not None:
        _prepare(data)
        import django

        django.setup()
        from tocsin.audit import queries

        found = queries.verify()
        ok, entries, wrong, why = found.ok, found.count, found.first_wrong, found.why
    else:
        answer = Client().get("/audit/verify")
        ok, entries, wrong, why = answer["ok"], answer["entries"], answer["first_wrong"], answer["why"]
    if not ok:
        # Most sentences of the check name the entry themselves.
        told = why if wrong is None or f"Entry {wrong}:" in why else f"Entry {wrong}: {why}"
        raise click.ClickException(told)
    click.echo(f"complete: {entries} entries, no gap, no change{more}")


def _verdicts_follow(bundle: Path) -> str:
    """Judge the incidents of a bundle again from its entries. Raises ClickException where a verdict differs."""
    from tocsin.insights.adherence_evidence import verify as compare

    try:
        found = compare(bundle)
    except (KeyError, ValueError, TocsinError) as wrong:
        raise click.ClickException(f"the verdicts of the bundle cannot be computed again: {wrong}") from None
    if found is None:
        return ""
    if not found.ok:
        raise click.ClickException(found.why)
    return f"; {found.verdicts} verdicts follow from them"


def whole_days(start: str, end: str) -> tuple[str, str]:
    """The two ends of a period as moments: a bare date is a day of UTC, and a period reaches to the end of its last."""
    begin, finish = (f"{text}T00:00:00Z" if _DATE.fullmatch(text) else text for text in (start, end))
    if finish != end:
        with suppress(ValueError, OverflowError):
            finish = (datetime.fromisoformat(finish) + timedelta(days=1)).isoformat()
    return begin, finish


@audit.command("export")
@click.option("--from", "start", required=True, help="A moment, or a date: 2026-01-01.")
@click.option("--to", "end", required=True, help="A moment, or a date, its whole day (UTC) included.")
@click.option("-o", "path", required=True, type=click.Path(dir_okay=False, path_type=Path))
def export(start: str, end: str, path: Path) -> None:
    """Write the evidence of a period; the same data gives the same bytes."""
    begin, finish = period(*whole_days(start, end))
    content = Client().download("/audit/bundle", **{"from": begin.isoformat(), "to": finish.isoformat()})
    path.write_bytes(content)
    click.echo(f"{path}: {len(content)} bytes", err=True)


@click.group("process", invoke_without_command=True)
@output_options
@click.pass_context
def process(context: click.Context, output: str, as_json: bool) -> None:
    """The process: without a verb the one in force, as data."""
    if context.invoked_subcommand is None:
        show(Client().get("/process"), ("number", "effective_at", "document"), output=output, as_json=as_json)


@click.command()
def version() -> None:
    """The version of this program."""
    from importlib.metadata import version as installed

    click.echo(f"tocsin {installed('tocsin')}")


def _prepare(data: Path) -> None:
    """The environment the settings read; before Django is imported."""
    os.environ["TOCSIN_DATA"] = str(data.absolute())
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tocsin.wiring.settings")
