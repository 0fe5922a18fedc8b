"""Checking OpenSLO files by themselves, without a server: their form, their references, and the queries in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from tocsin.slo.openslo.nodes import Problem
from tocsin.slo.openslo.objective_specs import objective_specs
from tocsin.slo.openslo.parsing import Document, ParsedFile, files_in, parse
from tocsin.slo.openslo.references import dangling

_OF_A_QUERY = "metricSource.spec.query"


def validate(paths: Sequence[Path | str]) -> dict[str, Any]:
    """The answer of `slo validate --json` (contract SLO-1) over files and folders."""
    named = {Path(path) for path in paths}
    parsed = [_parsed_file(path, in_folder=path not in named) for path in files_in([Path(path) for path in paths])]
    loose = dangling([document for one in parsed for document in one.documents])
    queries = _queries([document for one in parsed if one.valid for document in one.documents])
    return {"files": [one.as_json([*loose.get(one.path, ()), *queries.get(one.path, ())]) for one in parsed]}


def _queries(documents: Sequence[Document]) -> Mapping[str, list[Problem]]:
    """Queries that could not be asked, by file. The file is OpenSLO all the same, so each is a warning here."""
    found = sorted((file, one) for file, one in objective_specs(documents).errors if one.path.endswith(_OF_A_QUERY))
    return {file: [problem for _, problem in several] for file, several in groupby(found, key=lambda pair: pair[0])}


def _parsed_file(path: Path, *, in_folder: bool) -> ParsedFile:
    try:
        return parse(path.read_bytes(), str(path), in_folder=in_folder)
    except OSError as error:
        return ParsedFile(str(path), (), (Problem(1, "", f"cannot be read: {error.strerror}"),), ())
