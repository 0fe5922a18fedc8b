"""The command `tocsin`: everything the command line offers, and the two verbs that need the whole house."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from tocsin.cli.main import cli


@click.command()
@click.option("--data", type=click.Path(file_okay=False, path_type=Path), default="var/data", show_default=True)
@click.option("--port", type=int, default=8080, show_default=True)
@click.option("--host", default="127.0.0.1", show_default=True)
def serve(data: Path, port: int, host: str) -> None:
    """Serve pages, API, intake and engine from one process.

    The data folder is made if it is missing. DATABASE_URL=postgresql://... makes this one of many nodes; TOKEN (or
    TOCSIN_TOKEN) is the administrator's token at the first start.
    """
    os.environ["TOCSIN_DATA"] = str(data.absolute())
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tocsin.wiring.settings")
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
    from tocsin.wiring.demo import run

    sys.exit(run(port=port, data=data, check=check, speed=speed, at=at, seed=seed))


cli.add_command(serve)
cli.add_command(demo)


def main() -> None:
    """Entry point: a refusal is one line on stderr and exit 1, wrong use exit 2; a broken pipe is nobody's fault."""
    try:
        cli(standalone_mode=True)
    except BrokenPipeError:
        sys.exit(0)


if __name__ == "__main__":
    main()
