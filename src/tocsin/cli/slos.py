"""tocsin slo ..., tocsin priority ..., tocsin apply: objectives and what their breaches mean."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import click

from tocsin.cli.client import Client, quoted
from tocsin.cli.folders import write_all
from tocsin.cli.output import duration, output_options, show
from tocsin.platform.text import for_terminal

COLUMNS = ("name", "service", "target", "health", "remaining", "exhausts_at")


@click.group()
def slo() -> None:
    """SLOs: their budgets and breaches."""


@slo.command("list")
@click.option("--team")
@click.option("--service")
@output_options
def list_slos(team: str | None, service: str | None, output: str, as_json: bool) -> None:
    """All SLOs, those in danger first."""
    show(Client().get("/slos", team=team, service=service), COLUMNS, output=output, as_json=as_json)


@slo.command("show")
@click.argument("name")
@output_options
def show_slo(name: str, output: str, as_json: bool) -> None:
    """One SLO with priority, budget and breaches."""
    columns = (
        "name",
        "display_name",
        "service",
        "target",
        "health",
        "remaining",
        "reading_past",
        "priority",
        "priority_state",
        "groups",
        "breaches",
    )
    show(Client().get(f"/slos/{quoted(name)}"), columns, output=output, as_json=as_json)


@slo.command("validate")
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True))
@output_options
def validate(paths: tuple[str, ...], output: str, as_json: bool) -> None:
    """Check OpenSLO files, without a server. Exit 1 when any is wrong."""
    from tocsin.slo.openslo import validate as check

    verdict = check([Path(path) for path in paths])
    if as_json or output == "json":
        show(verdict, as_json=True)
    else:
        for one in verdict["files"]:
            for error in one["errors"]:
                click.echo(f"{one['path']}:{error['line']}: {_told(error)}", err=True)
            for warning in one["warnings"]:
                click.echo(f"{one['path']}:{warning['line']}: warning: {_told(warning)}", err=True)
            click.echo(f"{one['path']}: {'valid' if one['valid'] else 'not valid'}, {one['documents']} documents")
    sys.exit(0 if all(one["valid"] for one in verdict["files"]) else 1)


def _told(finding: dict[str, Any]) -> str:
    return f"{finding['path']}: {finding['message']}" if finding["path"] else finding["message"]


@slo.command("evaluate")
@click.option("--slo", "slo_file", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--series", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--every", default="5m", help="Evaluate at every multiple of this.")
@output_options
def evaluate(slo_file: Path, series: Path, every: str, output: str, as_json: bool) -> None:
    """Reckon an SLO over a CSV of counts or values, without a server: burn, budget, priorities, alerts."""
    from tocsin.config.evaluate_csv import reckon
    from tocsin.core.errors import Invalid

    try:
        answer = reckon(
            slo_file.read_text(encoding="utf-8"),
            series.read_text(encoding="utf-8"),
            every=duration(every),
            path=str(slo_file),
        )
    except (Invalid, UnicodeDecodeError) as error:
        raise click.ClickException(str(error)) from None
    show(answer, output=output, as_json=as_json)


@slo.command("export")
@click.argument("names", nargs=-1)
@click.option("-o", "--out", "folder", type=click.Path(file_okay=False, path_type=Path), required=True)
@click.option("--force", is_flag=True, help="Write over files that are there already.")
def export(names: tuple[str, ...], folder: Path, force: bool) -> None:
    """Write SLOs (all in use when no NAME is given) into a folder as OpenSLO, with services, sources and priorities.

    Applying the folder here changes nothing; applying it elsewhere makes the same.
    """
    asked = urlencode([("name", name) for name in names])
    found = Client().get(f"/export/slos{'?' if asked else ''}{asked}")
    for one in found["left_out"]:
        click.echo(f"left out: {one['title']}: {one['why']}", err=True)
    if not found["files"]:
        raise click.ClickException("There is nothing to export; nothing was written.")
    write_all(folder, found["files"], force=force)
    for file in sorted(found["files"]):
        click.echo(str(folder / file))


@slo.command("history")
@click.argument("name")
@output_options
def history(name: str, output: str, as_json: bool) -> None:
    """What the SLO NAME said from when to when: each version with who changed what, and why."""
    found = Client().get(f"/slos/{quoted(name)}/versions")
    if as_json or output != "table":
        show(found, output=output, as_json=as_json)
        return
    for one in found["items"]:
        until = f" to {one['until']}" if one["until"] else ""
        why = f": {one['reason']}" if one["reason"] else ""
        click.echo(f"{one['number']}  {one['change']}  {one['from']}{until}  by {one['by']}{why}")
        for change in one["changes"]:
            click.echo(f"     {change['path']}: {_said(change['before'])} -> {_said(change['after'])}")


def _said(value: Any) -> str:
    return "nothing" if value is None else for_terminal(str(value))


@slo.command("retire")
@click.argument("name")
@click.option("--reason", required=True, help="Why; it stands in the SLO's history.")
@output_options
def retire(name: str, reason: str, output: str, as_json: bool) -> None:
    """Take an SLO out of use; its versions, breaches and incidents stay. Applying its file brings it back."""
    answer = Client().post(f"/slos/{quoted(name)}/retire", {"reason": reason})
    show(answer, (*COLUMNS, "retired_at"), output=output, as_json=as_json)


@click.group()
def priority() -> None:
    """What a breach of an SLO means."""


@priority.command("set")
@click.argument("slo_name")
@click.argument("priority_code")
@click.option("--group", "groups", multiple=True, help="Who hears of it.")
@click.option("--reason", default="")
@click.option("--manual", is_flag=True, help="Only a proposal: a person chooses the priority of each incident.")
@click.option("--severity", default="", help="What its incidents start with; without it what the process says.")
@click.option("--escalation-policy", default="", help="Who is woken for it; without it the policy of its service.")
@output_options
def set_priority(
    slo_name: str,
    priority_code: str,
    groups: tuple[str, ...],
    reason: str,
    manual: bool,
    severity: str,
    escalation_policy: str,
    output: str,
    as_json: bool,
) -> None:
    """Give an SLO its priority: P1, 2, or none for a deliberate no."""
    mode = "manual" if manual else "automatic"
    body = {"priority": priority_code, "groups": list(groups), "reason": reason, "assign_mode": mode}
    body |= {"severity": severity, "escalation_policy": escalation_policy}
    found = Client().put(f"/slos/{quoted(slo_name)}/priority", body)
    for warning in found["warnings"]:
        click.echo(f"warning: {warning}", err=True)
    columns = ("slo", "priority", "decision", "assign_mode", "severity", "escalation_policy", "valid_from")
    show(found, columns, output=output, as_json=as_json)


@click.command("apply")
@click.argument("paths", nargs=-1, type=click.Path(exists=True))
@click.option("-f", "--file", "more", multiple=True, type=click.Path(exists=True), help="The same as a PATH.")
@click.option("--dry-run", is_flag=True, help="Say what would change and change nothing.")
@click.option("--reason", default="", help="Why; it stands in the history of every SLO that changes.")
@output_options
def apply_command(
    paths: tuple[str, ...], more: tuple[str, ...], dry_run: bool, reason: str, output: str, as_json: bool
) -> None:
    """Bring configuration files in, all or nothing; PATHS are files or folders."""
    named = [*paths, *more]
    if not named:
        raise click.UsageError("Name a file or a folder: tocsin apply ./slos")
    files = {str(path): path.read_text(encoding="utf-8") for path in _files(named)}
    in_folders = sorted(files.keys() - {str(Path(path)) for path in named})
    plan = Client().post("/apply", {"files": files, "in_folders": in_folders, "dry_run": dry_run, "reason": reason})
    if as_json or output != "table":
        show(plan, output=output, as_json=as_json)
    else:
        for verb in ("created", "changed", "unchanged"):
            for name in plan.get(verb, []):
                click.echo(f"{verb}: {name}")
    for warning in plan.get("warnings", []):
        click.echo(f"{warning['path']}:{warning['line']}: warning: {warning['message']}", err=True)
    for error in plan.get("errors", []):
        click.echo(f"{error['path']}:{error['line']}: {error['message']}", err=True)
    sys.exit(1 if plan.get("errors") else 0)


def _files(paths: Sequence[str]) -> list[Path]:
    """Files as given; of folders, every YAML and JSON file below."""
    found: list[Path] = []
    for path in map(Path, paths):
        found += (
            sorted(p for p in path.rglob("*") if p.suffix in {".yaml", ".yml", ".json"}) if path.is_dir() else [path]
        )
    return found
