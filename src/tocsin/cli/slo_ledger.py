"""tocsin slo ledger: what became of each period's budget, and what ate it."""

from __future__ import annotations

from typing import Any

import click

from tocsin.cli.client import Client, quoted
from tocsin.cli.output import output_options, show

COLUMNS = ("from", "to", "spent", "breaches", "coverage", "eaten by")
_NAMED = 3


@click.command("ledger")
@click.argument("name")
@output_options
def ledger(name: str, output: str, as_json: bool) -> None:
    """Each period of the SLO NAME's budget: how much was spent, in how many breaches, and what ate it.

    The running period comes first and ends with a star; the others are kept after their counts are gone. Times are UTC.
    """
    found = Client().get(f"/slos/{quoted(name)}/ledger")
    if as_json or output != "table":
        show(found, output=output, as_json=as_json)
        return
    show([_line(one) for one in found["items"]], COLUMNS, output=output)


def _line(one: dict[str, Any]) -> dict[str, Any]:
    eaten = [_charge(charge) for charge in one["eaten_by"][:_NAMED] if charge["bad"]]
    more = len(one["eaten_by"]) - _NAMED
    if more > 0:
        eaten.append(f"{more} more")
    if one["outside_breaches"]["bad"]:
        eaten.append(f"{_percent(one['outside_breaches']['share'])} outside of breaches")
    return {
        "from": one["starts_at"][:16],
        "to": one["ends_at"][:16] + ("" if one["closed"] else " *"),
        "spent": _percent(one["spent"]),
        "breaches": one["breaches"],
        "coverage": _percent(one["coverage"]),
        "eaten by": ", ".join(eaten),
    }


def _charge(one: dict[str, Any]) -> str:
    return f"{_percent(one['share'])} {' '.join(one['incidents']) or one['from'][:16]}"


def _percent(share: float | None) -> str:
    return "unknown" if share is None else f"{share * 100:.3g} %"
