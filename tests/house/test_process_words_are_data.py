"""No priority, severity or role is named in code: the words of the process live in its data and in tests."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tocsin.core.process_definition import parse_process
from tocsin.process.defaults import default_document

SOURCE = Path(__file__).resolve().parents[2] / "src/tocsin"
DATA = ("process/defaults", "demo")  # Harbor Tickets is data, too: it names its own people, rotations and answers

ORDINARY_WORDS = {
    "alerts/posted_events.py": "the severities of another tool's wire format",
    "api/adapters.py": "what went wrong at another tool",
    "channels/matrix.py": "a field of another tool's wire format",
    "channels/slack.py": "a field of another tool's wire format",
    "channels/teams.py": "a field of another tool's wire format",
    "cli/chat.py": "what went wrong at another tool",
    "core/document_reading.py": "levels of remarks about a document",
    "engine/fold.py": "the name of a column",
    "insights/adapter_trials.py": "an example in another tool's wire format",
    "slo/openslo/alert_rules.py": "what other tools call alerts that can wait",
}
"""Places where a word that is also a severity means something else."""


def process_words() -> set[str]:
    """The codes the shipped process gives to priorities, severities and roles."""
    process = parse_process(default_document())
    priorities = {priority.code for priority in process.catalogue.priorities}
    return priorities | set(process.severities.codes) | {role.code for role in process.roles.roles}


def named_in(source: str, words: set[str]) -> list[str]:
    """String constants in `source` that are exactly a word of the process; docstrings are prose and do not count."""
    tree = ast.parse(source)
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    constants = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in prose]
    return [f"{node.lineno}: {node.value}" for node in constants if isinstance(node.value, str) and node.value in words]


def test_code_names_no_priority_severity_or_role() -> None:
    words = process_words()
    found = []
    for path in sorted(SOURCE.rglob("*.py")):
        place = str(path.relative_to(SOURCE))
        if not place.startswith(DATA) and place not in ORDINARY_WORDS and "migrations" not in path.parts:
            found += [f"{place}:{line}" for line in named_in(path.read_text(encoding="utf-8"), words)]
    assert found == []


@pytest.mark.parametrize("word", ["P1", "critical", "incident_coordinator"])
def test_a_word_of_the_process_in_code_would_be_found(word: str) -> None:
    assert named_in(f'if code == "{word}":\n    pass\n', process_words()) == [f"1: {word}"]
