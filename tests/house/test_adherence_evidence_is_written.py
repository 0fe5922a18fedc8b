"""What a check of the process decides on is written somewhere; what is not written yet is known, by name."""

from __future__ import annotations

import re
from pathlib import Path

from tocsin.core.adherence import CHECKS, RECORDED
from tocsin.core.facts import Kind

SOURCE = Path(__file__).resolve().parents[2] / "src" / "tocsin"
NOT_WRITTEN_YET: set[str] = set()
"""A part that begins to write one of these makes it a `Kind` and takes it out of here; its check then judges."""


def written() -> set[str]:
    """The kinds that some room uses by name, apart from core, which only knows them."""
    used: set[str] = set()
    for path in SOURCE.rglob("*.py"):
        if "core" not in path.relative_to(SOURCE).parts[:1]:
            used |= set(re.findall(r"\bKind\.([A-Z_]+)", path.read_text(encoding="utf-8")))
    return {Kind[name].value for name in used if name in Kind.__members__}


def test_a_check_reads_what_is_written_or_what_is_known_to_be_missing() -> None:
    read = {kind for check in CHECKS.values() for kind in check.reads}
    assert read - RECORDED == NOT_WRITTEN_YET
    assert not {kind for kind in read & RECORDED if kind not in written()}


def test_the_parts_that_are_not_built_are_the_ones_the_how_to_names() -> None:
    text = (SOURCE.parents[1] / "docs" / "how-to" / "prove-the-process-was-followed.md").read_text(encoding="utf-8")
    told = set(re.findall(r"AC\d\d", text.partition("## What is not checked yet")[2]))
    blind = {code for code, check in CHECKS.items() if check.needs and not check.needs & RECORDED}
    assert told == blind
