"""Configuration files into the running installation: all of them, or none and every reason why.

A dry run does the very same and takes it back, so that its plan is what would happen and no guess.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from django.db import transaction

from tocsin.adoption import queries as adopted
from tocsin.audit.models import Entry
from tocsin.catalog import actions as catalog
from tocsin.catalog import queries as services
from tocsin.config import consumer_views, resource_alerts, targets
from tocsin.config.kinds import OUR_KINDS, OUR_VERSION, PRIORITY_MAP, entry_spec
from tocsin.config.plan import FileProblem, Plan
from tocsin.core.access import Actor
from tocsin.core.errors import Invalid, NotAllowed, NotFound, TocsinError
from tocsin.oncall import actions as oncall
from tocsin.oncall import queries as on_call
from tocsin.oncall.models import EscalationPolicy, ServiceEscalation
from tocsin.process import queries as process
from tocsin.slo import actions as slo
from tocsin.slo.models import DataSource, Objective, PriorityAssignment
from tocsin.slo.openslo import Document, Specs, files_in, objective_specs, parse
from tocsin.slo.openslo.nodes import Node
from tocsin.slo.specs import ObjectiveSpec, PrioritySpec, ServiceSpec, SourceSpec


def apply_files(actor: Actor, paths: Sequence[Path | str], *, dry_run: bool, now: datetime) -> Plan:
    """Apply files and folders; a folder stands for every YAML and JSON file in it."""
    texts: dict[str, str | bytes] = {str(path): path.read_bytes() for path in files_in([Path(one) for one in paths])}
    in_folders = texts.keys() - {str(Path(path)) for path in paths}
    return apply_texts(actor, texts, in_folders=in_folders, dry_run=dry_run, now=now)


def apply_texts(
    actor: Actor,
    texts: Mapping[str, str | bytes],
    *,
    in_folders: Set[str] = frozenset(),
    dry_run: bool,
    reason: str = "",
    now: datetime,
) -> Plan:
    """Apply the contents of files by name: services, data sources, SLOs and priority maps.

    Of the files in `in_folders`, which nobody named, objects of other programs are passed over with a warning.

    `reason` stands in the history of every SLO that changes. In one transaction; with any error nothing is written. Raises NotAllowed when the actor lacks a right.
    """
    parsed = [parse(text, path, more_kinds=OUR_KINDS, in_folder=path in in_folders) for path, text in texts.items()]
    plan = Plan(
        errors=[FileProblem.of(one.path, problem) for one in parsed for problem in one.errors],
        warnings=[FileProblem.of(one.path, problem) for one in parsed for problem in one.warnings],
    )
    if plan.errors:
        return plan
    documents = [document for one in parsed for document in one.documents]
    plan.errors += _twice(documents)
    specs = objective_specs(documents)
    plan.errors += [FileProblem.of(file, problem) for file, problem in specs.errors]
    plan.warnings += [FileProblem.of(file, problem) for file, problem in specs.warnings]
    if not plan.errors:
        _write(_Bench(actor, plan, reason, now), specs, documents, plan, dry_run=dry_run)
    plan.errors.sort()
    return plan


def _twice(documents: Sequence[Document]) -> Iterator[FileProblem]:
    seen: dict[tuple[str, str], Document] = {}
    for document in documents:
        former = seen.setdefault((document.kind, document.name), document)
        if former is not document:
            message = f"{document.kind} {document.name} is defined in {former.origin} already"
            yield FileProblem(document.file, document.line, message)


def _write(bench: _Bench, specs: Specs, documents: Sequence[Document], plan: Plan, *, dry_run: bool) -> None:
    with transaction.atomic():
        bench.services(specs.services)
        bench.sources(specs.sources)
        bench.missing_services(specs.objectives)
        bench.mapped(documents)
        bench.objectives(specs.objectives)
        for document in documents:
            if document.kind == PRIORITY_MAP and document.api_version == OUR_VERSION:
                bench.priority_map(document)
        for document in documents:  # after the priorities they are compared with
            if document.kind == consumer_views.KIND and document.api_version == OUR_VERSION:
                bench.consumer_view(document)
        if plan.errors or dry_run:
            transaction.set_rollback(True)


class _Bench:
    """Applies one object after the other and notes in the plan what became of it."""

    def __init__(self, actor: Actor, plan: Plan, reason: str, now: datetime) -> None:
        self._actor = actor
        self._plan = plan
        self._reason = reason
        self._mapped: set[str] = set()
        self._now = now
        self._warned: set[str] = set()

    @contextmanager
    def _at(self, origin: str) -> Iterator[None]:
        """A refusal becomes an error at the document's line; the others are still looked at."""
        file, _, line = origin.rpartition(":")
        try:
            with transaction.atomic():
                yield
        except NotAllowed:
            raise
        except Invalid as error:
            for field, message in error.fields.items():
                text = f"{field}: {message}" if field else message
                self._plan.errors.append(FileProblem(file, int(line), text))
        except TocsinError as error:
            self._plan.errors.append(FileProblem(file, int(line), error.message))

    def _warn(self, origin: str, message: str) -> None:
        file, _, line = origin.rpartition(":")
        self._plan.warnings.append(FileProblem(file, int(line), message))

    def _do(self, title: str, origin: str, act: Callable[[], object], *, exists: bool) -> None:
        """Act, and sort the object by whether the event log grew: an action that changes nothing tells it nothing."""
        before = _log_length()
        errors = len(self._plan.errors)
        with self._at(origin):
            act()
        if len(self._plan.errors) > errors:
            return
        if _log_length() == before:
            self._plan.unchanged.append(title)
        elif exists:
            self._plan.changed.append(title)
        else:
            self._plan.created.append(title)

    def services(self, specs: Sequence[ServiceSpec]) -> None:
        known = {spec.name: services.find_service(spec.name) is not None for spec in specs}
        for spec in specs:  # all names first: services may need one another in any order
            if not known[spec.name]:
                with self._at(spec.origin):
                    catalog.save_service(self._actor, name=spec.name, team=spec.team, now=self._now)
        for spec in specs:
            self._do(f"Service {spec.name}", spec.origin, partial(self._service, spec), exists=known[spec.name])
            self._escalation(spec)
        for spec in specs:
            title = f"Service {spec.name}"
            if not known[spec.name] and title in self._plan.unchanged:
                self._plan.unchanged.remove(title)
                self._plan.created.append(title)

    def _service(self, spec: ServiceSpec) -> None:
        catalog.save_service(
            self._actor,
            name=spec.name,
            display_name=spec.display_name or None,
            team=spec.team,
            description=spec.description or None,
            runbook_url=spec.runbook_url or None,
            depends_on=spec.depends_on or None,
            labels=spec.labels or None,
            now=self._now,
        )

    def _escalation(self, spec: ServiceSpec) -> None:
        if not spec.escalation:
            return
        if not EscalationPolicy.objects.filter(name=spec.escalation).exists():
            self._warn(spec.origin, f"there is no escalation policy {spec.escalation!r}; import it and apply again")
            return
        tied = ServiceEscalation.objects.filter(service__name=spec.name, policy__name=spec.escalation)
        if not tied.exists():
            with self._at(spec.origin):
                oncall.set_service_escalation(self._actor, service=spec.name, policy=spec.escalation, now=self._now)

    def missing_services(self, specs: Sequence[ObjectiveSpec]) -> None:
        """OpenSLO lets an SLO name a service that no document is; such a service is made, and said so."""
        for spec in specs:
            if services.find_service(spec.service) is None:
                self._warn(spec.origin, f"service {spec.service!r} is in no file and was added without an owner")
                errors = len(self._plan.errors)
                with self._at(spec.origin):
                    catalog.save_service(self._actor, name=spec.service, now=self._now)
                if len(self._plan.errors) == errors:
                    self._plan.created.append(f"Service {spec.service}")

    def sources(self, specs: Sequence[SourceSpec]) -> None:
        for spec in specs:
            exists = DataSource.objects.filter(name=spec.name).exists()
            self._do(f"DataSource {spec.name}", spec.origin, partial(self._source, spec), exists=exists)

    def _source(self, spec: SourceSpec) -> None:
        slo.save_source(
            self._actor,
            name=spec.name,
            kind=spec.kind,
            url=spec.url,
            every=spec.every,
            headers=spec.headers,
            connection=spec.connection,
            now=self._now,
        )

    def objectives(self, specs: Sequence[ObjectiveSpec]) -> None:
        for spec in specs:
            exists = Objective.objects.filter(name=spec.name).exists()
            self._do(f"SLO {spec.name}", spec.origin, partial(self._objective, spec), exists=exists)

    def _objective(self, spec: ObjectiveSpec) -> None:
        saved = slo.save_objective(self._actor, spec, reason=self._reason, now=self._now)
        priority = targets.heard_by(spec, partial(self._tie, spec.service), self._warn)
        if priority is not None and spec.name not in self._mapped:
            with self._at(priority.origin or spec.origin):
                self._assign(saved, priority, priority.origin or spec.origin)

    def _tie(self, service: str, policy: str) -> None:
        oncall.set_service_escalation(self._actor, service=service, policy=policy, now=self._now)

    def mapped(self, documents: Sequence[Document]) -> None:
        """SLOs whose priority a map in these files decides: what their own files say of it does not count."""
        for document in documents:
            if document.kind == PRIORITY_MAP and document.api_version == OUR_VERSION:
                self._mapped |= {entry.text_at("slo") for entry in document.node.items_at("spec", "slos")}

    def priority_map(self, document: Document) -> None:
        team = document.node.text_at("metadata", "team")
        for entry in document.node.items_at("spec", "slos"):
            name = entry.text_at("slo")
            origin = f"{document.file}:{entry.line}"
            decided = PriorityAssignment.objects.filter(objective__name=name, valid_until=None).exists()
            self._do(
                f"priority of {name}", origin, partial(self._map_entry, entry, team, document.file), exists=decided
            )
        for title, origin, act, stands in resource_alerts.entries(self._actor, document, now=self._now):
            self._do(title, origin, act, exists=stands)

    def _map_entry(self, entry: Node, team: str, file: str) -> None:
        name = entry.text_at("slo")
        objective = Objective.objects.select_related("service__team").filter(name=name, retired_at=None).first()
        if objective is None:
            raise NotFound(f"There is no SLO called {name!r}.")
        owner = objective.service.team.name if objective.service.team else ""
        if team and owner and owner != team:
            raise Invalid({"slo": f"{name} belongs to team {owner}, not to {team}."})
        spec = entry_spec(entry)
        given, rank = entry.get("priority"), None
        with self._at(f"{file}:{given.line if given else entry.line}"):
            rank = process.rank_named(spec.code) if spec.code else None
        if spec.decision == "none" or rank is not None:
            self._assign(objective, replace(spec, priority=rank, code=""), f"{file}:{entry.line}")

    def consumer_view(self, document: Document) -> None:
        for title, origin, act, stands in consumer_views.entries(self._actor, document, now=self._now):
            self._do(title, origin, act, exists=stands)

    def _assign(self, objective: Objective, spec: PrioritySpec, origin: str) -> None:
        assignment = slo.assign_priority(
            self._actor,
            objective=objective,
            decision=spec.decision,
            priority=process.rank_named(spec.code) if spec.code else spec.priority,
            groups=spec.groups,
            reason=spec.reason,
            raise_rule=_with_rank(spec.raise_rule),
            assign_mode=spec.assign_mode,
            severity=spec.severity,
            escalation_policy=on_call.known_policy(spec.escalation_policy),
            now=self._now,
        )
        team = objective.service.team
        if assignment.valid_from == self._now and team is not None and team.name not in self._warned:
            self._warned.add(team.name)
            if warning := adopted.priority_warning(team, now=self._now):
                self._warn(origin, warning)


def _with_rank(rule: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if rule is None else {**rule, "to": process.rank_named(rule["to"])}


def _log_length() -> int:
    return Entry.objects.order_by("-seq").values_list("seq", flat=True).first() or 0
