"""The whole process as one frozen value, read from one JSON-able document.

A process version is stored as its document; incidents pin the version of their time. `problems` says everything that is
wrong with a document, `parse_process` reads one that is right.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tocsin.core.document_reading import Cursor, Level, Problem
from tocsin.core.errors import Invalid
from tocsin.core.postmortem_section import read_postmortem
from tocsin.core.process_parts import (
    Lifecycle,
    Matrix,
    MessageSettings,
    PostmortemSettings,
    PriorityCatalogue,
    Question,
    QuestionCode,
    Ring,
    RoleScheme,
    SeverityScheme,
    StakeholderGroup,
)
from tocsin.core.process_problems import rule_problems
from tocsin.core.process_sections import (
    read_catalogue,
    read_groups,
    read_lifecycle,
    read_matrix,
    read_messages,
    read_questions,
    read_rings,
    read_roles,
    read_severities,
)
from tocsin.core.regulatory_settings import Regime, read_regimes
from tocsin.core.wellbeing_settings import WellbeingSettings, read_wellbeing


@dataclass(frozen=True)
class ProcessDefinition:
    """One version of the process. `document` is what it was read from; do not change it, ask `to_document`.

    `wellbeing` is None where a process says nothing about it; then no limit of hours is assumed.
    """

    catalogue: PriorityCatalogue
    severities: SeverityScheme
    matrix: Matrix
    roles: RoleScheme
    questions: tuple[Question, ...]
    lifecycle: Lifecycle
    postmortem: PostmortemSettings
    rings: tuple[Ring, ...]
    groups: tuple[StakeholderGroup, ...]
    messages: MessageSettings
    wellbeing: WellbeingSettings | None
    regimes: tuple[Regime, ...]
    document: Mapping[str, Any] = field(repr=False, compare=False)

    def answer(self, code: QuestionCode) -> Mapping[str, Any]:
        """The answer the software acts on; empty when the question is not answered."""
        for question in self.questions:
            if question.code is code:
                return question.machine
        return {}


def parse_process(document: Mapping[str, Any]) -> ProcessDefinition:
    """Read a process document (section name to content). Raises `Invalid` with a sentence for each faulty place."""
    process, found = _read(document)
    faults = {problem.where: problem.message for problem in found if problem.level is Level.ERROR}
    if faults:
        raise Invalid(faults)
    return process


def problems(document: Mapping[str, Any]) -> list[Problem]:
    """Everything wrong with a process document and every piece of advice, errors first."""
    return sorted(_read(document)[1], key=lambda problem: problem.level is Level.WARNING)


def to_document(process: ProcessDefinition) -> dict[str, Any]:
    """A new JSON-able document that reads as the same process; safe to edit."""
    return copy.deepcopy(dict(process.document))


def _read(document: Mapping[str, Any]) -> tuple[ProcessDefinition, list[Problem]]:
    root = Cursor(document)
    process = _sections(root, document)
    if not root.found or all(problem.level is Level.WARNING for problem in root.found):
        # The rules compare parts with each other; on a document that could not be read they would only add noise.
        root.found.extend(rule_problems(process))
    if not _is_json(document):
        root.note("json", "the document holds something that JSON cannot say")
    return process, root.found


def _sections(root: Cursor, document: Mapping[str, Any]) -> ProcessDefinition:
    catalogue = read_catalogue(root.at("priorities"))
    ranks = {priority.code: priority.rank for priority in catalogue.priorities}
    severities = read_severities(root.at("severities"))
    return ProcessDefinition(
        catalogue=catalogue,
        severities=severities,
        matrix=read_matrix(root.at("matrix"), ranks),
        roles=read_roles(root.at("roles")),
        questions=read_questions(root.at("questions")),
        lifecycle=read_lifecycle(root.at("lifecycle")),
        postmortem=read_postmortem(root.at("postmortem"), ranks),
        rings=read_rings(root.at("stakeholders")),
        groups=read_groups(root.at("stakeholders")),
        messages=read_messages(root.at("messages"), ranks),
        wellbeing=read_wellbeing(root, severities),
        regimes=read_regimes(root),
        document=document,
    )


def _is_json(document: Mapping[str, Any]) -> bool:
    try:
        json.dumps(document, allow_nan=False)
    except (TypeError, ValueError):
        return False
    return True
