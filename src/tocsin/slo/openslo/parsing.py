"""From the text of a file to its documents, or to every reason why it is refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tocsin.slo.openslo.checks import Check, Findings, shown
from tocsin.slo.openslo.json_reading import read_json
from tocsin.slo.openslo.nodes import Node, Problem, Shape, Unreadable
from tocsin.slo.openslo.schema import KINDS, OBJECTS
from tocsin.slo.openslo.schema_head import API_VERSION
from tocsin.slo.openslo.yaml_reading import read_yaml

OUR_API = "tocsin/"
_SUFFIXES = (".yaml", ".yml", ".json")

Kinds = Mapping[str, Check]


@dataclass(frozen=True, slots=True)
class Document:
    """One object of a file. `node` has the lines, `data` the plain values."""

    file: str
    line: int
    api_version: str
    kind: str
    name: str
    node: Node = field(repr=False)

    @property
    def data(self) -> dict[str, Any]:
        plain: dict[str, Any] = self.node.plain()
        return plain

    @property
    def origin(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class ParsedFile:
    """What a file holds. With any error the whole file is refused; `documents` are then for counting only."""

    path: str
    documents: Sequence[Document]
    errors: Sequence[Problem]
    warnings: Sequence[Problem]

    @property
    def valid(self) -> bool:
        return not self.errors

    def as_json(self, warnings: Sequence[Problem] = ()) -> dict[str, Any]:
        return {
            "path": self.path,
            "valid": self.valid,
            "documents": len(self.documents),
            "errors": [problem.as_json() for problem in self.errors],
            "warnings": [problem.as_json() for problem in sorted({*self.warnings, *warnings})],
        }


def parse(
    content: str | bytes, path: str, *, more_kinds: Mapping[str, Kinds] | None = None, in_folder: bool = False
) -> ParsedFile:
    """Read a file of OpenSLO v1: YAML or, by its name, JSON; several documents, or lists of them.

    `more_kinds` maps further API versions to their kinds. Of a file that was not named but lay `in_folder`, objects of
    other programs are passed over with a warning. Nothing is raised: what is wrong is in `errors`, in the
    order of lines.
    """
    findings = Findings()
    documents: list[Document] = []
    try:
        nodes = _objects(content, path)
        for node in nodes:
            if in_folder and _is_foreign(node):
                findings.warn(node.line, "apiVersion", "there is none; this is no OpenSLO and was passed over")
                continue
            documents.append(_document(node, path))
            _check(findings, documents[-1], more_kinds or {})
        if not nodes:
            findings.error(1, "", "holds no document")
    except Unreadable as error:
        findings.error(error.line, "", error.message)
    _check_names(findings, documents)
    return ParsedFile(path, documents, sorted(set(findings.errors)), sorted(set(findings.warnings)))


def _objects(content: str | bytes, path: str) -> list[Node]:
    text = _decoded(content) if isinstance(content, bytes) else content
    text = text.removeprefix("\ufeff")
    found = read_json(text) if path.lower().endswith(".json") else read_yaml(text)
    return [item for node in found for item in (node.items if node.shape is Shape.LIST else (node,))]


def _decoded(content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Unreadable(content.count(b"\n", 0, error.start) + 1, "is not UTF-8") from None


def _document(node: Node, path: str) -> Document:
    if node.shape is not Shape.MAP:
        return Document(path, node.line, "", "", "", node)
    return Document(
        path, node.line, node.text_at("apiVersion"), node.text_at("kind"), node.text_at("metadata", "name"), node
    )


def _is_foreign(node: Node) -> bool:
    """True without an API version; a kind of OpenSLO says that the version was merely forgotten."""
    return node.shape is Shape.MAP and node.get("apiVersion") is None and node.text_at("kind") not in KINDS


def _check(findings: Findings, document: Document, more_kinds: Mapping[str, Kinds]) -> None:
    node = document.node
    if node.shape is not Shape.MAP:
        findings.error(node.line, "", "an object is a map with apiVersion, kind, metadata and spec")
        return
    version = document.api_version
    kinds = OBJECTS if version == API_VERSION else more_kinds.get(version)
    if kinds is None:
        _wrong_version(findings, node, version)
    elif document.kind not in kinds:
        given = node.get("kind")
        known = KINDS if version == API_VERSION else tuple(kinds)
        what = (
            f"{shown(document.kind)} is not one of {', '.join(known)}" if given else "required field 'kind' is missing"
        )
        findings.error(given.line if given else node.line, "kind", what)
    else:
        kinds[document.kind](findings, node, "")


def _wrong_version(findings: Findings, node: Node, version: str) -> None:
    given = node.get("apiVersion")
    if given is None:
        findings.error(node.line, "apiVersion", "required field 'apiVersion' is missing")
    elif version.startswith(OUR_API):
        findings.warn(given.line, "apiVersion", f"{shown(version)} is not OpenSLO; it is checked when it is applied")
    else:
        findings.error(given.line, "apiVersion", f"{shown(version)} is not {API_VERSION}")


def _check_names(findings: Findings, documents: Sequence[Document]) -> None:
    seen: dict[tuple[str, str, str], int] = {}
    for document in documents:
        key = (document.api_version, document.kind, document.name)
        if document.name and key in seen:
            message = f"{document.kind} {shown(document.name)} is defined twice (first on line {seen[key]})"
            findings.error(document.line, "metadata.name", message)
        seen.setdefault(key, document.line)


def files_in(paths: Sequence[Path]) -> list[Path]:
    """The files that paths stand for: a folder stands for every YAML and JSON file in it, at any depth."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += sorted(one for one in path.rglob("*") if one.suffix.lower() in _SUFFIXES and one.is_file())
        else:
            found.append(path)
    return list(dict.fromkeys(found))
