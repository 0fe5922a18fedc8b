"""tocsin serve, demo, audit, process, version: the installation itself."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from tocsin.cli.client import Client
from tocsin.cli.output import output_options, show


@click.command()
@click.option("--data", type=click.Path(file_okay=False, path_type=Path), default="var/data", show_default=True)
@click.option("--port", type=int, default=8080, show_default=True)
@click.option("--host", default="127.0.0.1", show_default=True)
def serve(data: Path, port: int, host: str) -> None:
    """Serve pages, API, intake and engine from one process.

    The data folder is made if it is missing. DATABASE_URL=postgresql://... makes this one of many nodes; TOKEN (or
    TOCSIN_TOKEN) is the administrator's token at the first start.
    """
    _prepare(data)
    from tocsin.wiring.serve import serve as run

    sys.exit(run(data=data, port=port, host=host))


@click.command()
@click.option("--port", type=int, default=8080, show_default=True)
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=None,
    help="Keep the demo here; else a new folder each time.",
)
@click.option("--check", is_flag=True, help="Run the whole way without a browser; exit 0 only if each stage happened.")
@click.option("--speed", type=float, default=1.0, show_default=True, help="How much faster than life its clock runs.")
@click.option("--at", default=None, help="Start the clock here (RFC 3339).")
@click.option("--seed", type=int, default=1, show_default=True)
def demo(port: int, data: Path | None, check: bool, speed: float, at: str | None, seed: int) -> None:
    """Harbor Tickets: a small real service with a fault button, watched by the real thing."""
    from tocsin.demo.run import run

    sys.exit(run(port=port, data=data, check=check, speed=speed, at=at, seed=seed))


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
    if bundle is not None:
        from tocsin.audit.bundle import verify_bundle

        verdict = verify_bundle(bundle)
        ok, entries, wrong, why = verdict.ok, verdict.count, verdict.first_wrong, verdict.why
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
        raise click.ClickException(f"entry {wrong} is wrong: {why}")
    click.echo(f"complete: {entries} entries, no gap, no change")


@audit.command("export")
@click.option("--from", "start", required=True)
@click.option("--to", "end", required=True)
@click.option("-o", "path", required=True, type=click.Path(dir_okay=False, path_type=Path))
def export(start: str, end: str, path: Path) -> None:
    """Write the evidence of a period; the same data gives the same bytes."""
    content = Client().download("/audit/bundle", **{"from": start, "to": end})
    path.write_bytes(content)
    click.echo(f"{path}: {len(content)} bytes", err=True)


@click.command("process")
@output_options
def process(output: str, as_json: bool) -> None:
    """The process in force, as data."""
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
