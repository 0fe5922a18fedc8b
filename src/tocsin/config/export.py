"""What was applied, as files again: applying them changes nothing here, and makes the same elsewhere."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tocsin.catalog import queries as catalog
from tocsin.catalog.models import Service
from tocsin.config.kinds import OUR_VERSION, PRIORITY_MAP
from tocsin.core.access import Actor, Right, require
from tocsin.core.breach_frequency import CountedAs
from tocsin.core.errors import NotFound
from tocsin.core.priorities import AssignMode
from tocsin.oncall.models import ServiceEscalation
from tocsin.platform.text import slug
from tocsin.process import queries as process
from tocsin.slo import queries
from tocsin.slo.models import DataSource, Decision, Objective, PriorityAssignment, ResourceAlert
from tocsin.slo.openslo.durations import written
from tocsin.slo.openslo.objective_specs import CONNECTION
from tocsin.slo.openslo.schema_head import OUR_PREFIX
from tocsin.slo.openslo.writing import an_object, to_yaml
from tocsin.slo.specs import PUSH

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_MINUTE = timedelta(minutes=1)


@dataclass(slots=True)
class Exported:
    """Files by name, and what could not be written, each with its reason."""

    files: dict[str, str] = field(default_factory=dict)
    left_out: list[tuple[str, str]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return {"files": self.files, "left_out": [{"title": title, "why": why} for title, why in self.left_out]}


def export(actor: Actor, names: Sequence[str] = (), *, now: datetime) -> Exported:
    """The SLOs of these names (all in use when there are none) with services, data sources and priorities.

    Raises NotFound for a name that no SLO in use has.
    """
    require(actor, Right.SLO_READ)
    rows = queries.objectives(actor)
    if missing := sorted(set(names) - {row.name for row in rows}):
        raise NotFound(f"There is no SLO in use called {missing[0]!r}.")
    chosen = [row for row in rows if not names or row.name in names]
    found = Exported()
    kept = _slos(chosen, rows, found)
    services = _with_dependencies({row.service for row in kept}, everything=not names)
    _put(found, "services.yaml", _checked("Service", [_service(one) for one in services], found))
    sources = DataSource.objects.order_by("name")
    needed = sources if not names else sources.filter(pk__in={row.source_id for row in kept})
    _put(found, "sources.yaml", _checked("DataSource", [_source(one) for one in needed], found))
    alerts = queries.resource_alerts(actor, in_use=True) if not names else []
    _priorities(kept, alerts, found, now=now)
    return found


def _put(found: Exported, file: str, documents: Sequence[Mapping[str, Any]]) -> None:
    if documents:
        found.files[file] = to_yaml(documents)


def _checked(kind: str, documents: Iterable[dict[str, Any]], found: Exported) -> list[dict[str, Any]]:
    kept = []
    for document in documents:
        name = document["metadata"]["name"]
        if _NAME.fullmatch(name):
            kept.append(document)
        else:
            found.left_out.append((f"{kind} {name}", "OpenSLO takes lower-case letters, digits and hyphens for a name"))
    return kept


# --- SLOs


def _slos(chosen: Sequence[Objective], in_use: Sequence[Objective], found: Exported) -> list[Objective]:
    """Put the documents of SLOs into a file for each service; several rows may come from one document."""
    siblings: defaultdict[str, list[Objective]] = defaultdict(list)
    for row in in_use:
        siblings[_title(row)].append(row)
    documents: defaultdict[str, dict[str, Mapping[str, Any]]] = defaultdict(dict)
    kept: dict[str, Objective] = {}
    for row in chosen:
        title = _title(row)
        if why := _unfit(row, siblings[title]):
            found.left_out.append((f"SLO {row.name}", why))
            continue
        documents[f"slos-{slug(row.service.name, limit=50) or 'unnamed'}.yaml"][title] = row.document
        kept |= {one.name: one for one in siblings[title]}
    for file, one in sorted(documents.items()):
        found.files[file] = to_yaml(one.values())
    return list(kept.values())


def _title(row: Objective) -> str:
    return str(row.document.get("metadata", {}).get("name", row.name))


def _unfit(row: Objective, siblings: Sequence[Objective]) -> str:
    """Why the document of an SLO cannot be written so that applying it changes nothing."""
    if not row.document:
        return "it came from no file, and OpenSLO cannot say all that it does"
    wanted = len(row.document.get("spec", {}).get("objectives") or ())
    if len(siblings) < wanted:
        return f"its file holds {wanted} objectives, of which {wanted - len(siblings)} are retired; it would bring them back"
    if any(one.document != row.document for one in siblings):
        return "its objectives come from different versions of their file; apply that file first"
    return ""


# --- services and data sources


def _with_dependencies(services: Iterable[Service], *, everything: bool) -> list[Service]:
    """Services and all they depend on; with `everything` those without an SLO, too."""
    start = Service.objects.filter(is_catch_all=False) if everything else services
    found: dict[str, Service] = {}
    ahead = list(start)
    while ahead:
        one = ahead.pop()
        if one.name not in found:
            found[one.name] = one
            ahead += catalog.depends_on(one)
    return [found[name] for name in sorted(found)]


def _service(row: Service) -> dict[str, Any]:
    tied = ServiceEscalation.objects.select_related("policy").filter(service=row).first()
    annotations = {
        "team": row.team.name if row.team else "",
        "runbook": row.runbook_url,
        "depends-on": ", ".join(one.name for one in catalog.depends_on(row)),
        "escalation": tied.policy.name if tied else "",
    }
    return an_object(
        "Service",
        row.name,
        {"description": row.description[:1050]} if row.description else {},
        displayName=row.display_name,
        labels=row.labels,
        annotations={OUR_PREFIX + key: value for key, value in annotations.items() if value},
    )


def _source(row: DataSource) -> dict[str, Any]:
    """A source without its secrets: they are named, and only their names are kept."""
    details: dict[str, Any] = {"url": row.url} if row.url else {}
    details["every"] = f"{int(row.every.total_seconds())}s"
    if row.headers:
        details["headers"] = row.headers
    details |= {CONNECTION[key][0]: value for key, value in row.connection.items()}
    kind = "push" if row.kind == PUSH else "Prometheus"
    return an_object("DataSource", row.name, {"type": kind, "connectionDetails": details})


# --- priorities


def _priorities(rows: Sequence[Objective], alerts: Sequence[ResourceAlert], found: Exported, *, now: datetime) -> None:
    """The decisions in force as a priority map for each team; they have a history of their own beside the SLOs."""
    of_alerts = _resource_alerts(alerts, now=now)
    decided = queries.assignments_at([row.pk for row in rows], now)
    by_team: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in sorted(rows, key=lambda one: one.name):
        assignment = decided.get(row.pk)
        if assignment is None:
            continue
        entry = _entry(row, assignment)
        if entry is None:
            found.left_out.append((f"priority of {row.name}", "a file cannot say when it is raised"))
        else:
            by_team[row.service.team.name if row.service.team else ""].append(entry)
    for team in sorted(by_team.keys() | of_alerts.keys()):
        spec = {"slos": by_team.get(team, []), **({"resourceAlerts": of_alerts[team]} if team in of_alerts else {})}
        name = slug(team, limit=50) or "no-team"
        metadata = {"name": name, **({"team": team} if team else {})}
        document = {"apiVersion": OUR_VERSION, "kind": PRIORITY_MAP, "metadata": metadata, "spec": spec}
        found.files[f"priorities-{name}.yaml"] = to_yaml([document])


def _resource_alerts(rows: Sequence[ResourceAlert], *, now: datetime) -> dict[str, list[dict[str, Any]]]:
    """The resource alerts in use that somebody decided on, by team; one nobody decided on has nothing to map."""
    decided = queries.alert_assignments_at([row.pk for row in rows], now)
    by_team: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in sorted(rows, key=lambda one: one.name):
        if row.pk not in decided:
            continue
        known = {"metric": row.metric, "useCase": row.use_case, "runbook": row.runbook_url, "interim": row.interim}
        about = {"alert": row.name, "service": row.service.name, "alertName": row.alert_name}
        entry = {**about, **{key: value for key, value in known.items() if value}, **_decision(decided[row.pk])}
        by_team[row.service.team.name if row.service.team else ""].append(entry)
    return by_team


def _entry(row: Objective, assignment: PriorityAssignment) -> dict[str, Any] | None:
    entry = {"slo": row.name, **_decision(assignment)}
    if assignment.raise_rule:
        within = timedelta(seconds=assignment.raise_rule["within_seconds"])
        if assignment.raise_rule.get("count") == CountedAs.OCCURRENCES or within % _MINUTE:
            return None
        when = f"breaches > {assignment.raise_rule['more_than']} in {written(within)}"
        entry["raise"] = [{"when": when, "to": _codes().get(assignment.raise_rule["to"], "")}]
    return entry


def _codes() -> dict[int, str]:
    return {one.rank: one.code for one in process.current().catalogue.priorities}


def _decision(assignment: PriorityAssignment) -> dict[str, Any]:
    """What was decided, without its rule of raising; what is usual is left out."""
    is_set = assignment.decision == Decision.SET and assignment.priority is not None
    said: dict[str, Any] = {"priority": _codes().get(assignment.priority or 0, "none") if is_set else "none"}
    further = {
        "groups": sorted(assignment.groups.values_list("code", flat=True)),
        "because": assignment.reason.strip() and assignment.reason,
        "assignMode": assignment.assign_mode if assignment.assign_mode != AssignMode.AUTOMATIC else "",
        "severity": assignment.severity,
        "escalationPolicy": assignment.escalation_policy,
    }
    return said | {key: value for key, value in further.items() if value}
