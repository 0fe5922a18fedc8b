"""Print the sizes of the house: files, functions, comments, tests to code (`python -m tests.sizes`)."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterable
from pathlib import Path

AIMS = {"file": (90, 350), "function": (8, 40)}


def main() -> None:
    code = sorted(path for path in Path("src").rglob("*.py") if "migrations" not in path.parts)
    tests = sorted(Path("tests").rglob("*.py"))
    files = [_lines(path) for path in code if _lines(path)]
    functions = [length for path in code for length in _functions(path)]
    _report("file, lines", files, AIMS["file"])
    _report("function, lines", functions, AIMS["function"])
    total = sum(files)
    comments = sum(_comments(path) for path in code)
    print(f"comments per 100 lines: {100 * comments / max(total, 1):.1f} (aim 5-15)")
    print(
        f"tests to code: {sum(map(_lines, tests)) / max(total, 1):.2f} (aim 1.2); code {total} lines in {len(files)} files"
    )
    for path in code:
        if _lines(path) > 500:
            print(f"long file: {path} ({_lines(path)} lines)")


def _report(name: str, values: list[int], aim: tuple[int, int]) -> None:
    ordered = sorted(values) or [0]
    p50, p95 = ordered[len(ordered) // 2], ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]
    print(
        f"{name}: median {p50} (aim {aim[0]}), 95th percentile {p95} (aim {aim[1]}), longest {ordered[-1]}, n {len(values)}"
    )


def _lines(path: Path) -> int:
    return path.read_text(encoding="utf-8").count("\n")


def _functions(path: Path) -> Iterable[int]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield (node.end_lineno or node.lineno) - node.lineno + 1


def _comments(path: Path) -> int:
    """Comment lines and docstring lines: both say why to the next reader."""
    source = path.read_text(encoding="utf-8")
    marks = sum(1 for token in tokenize.generate_tokens(io.StringIO(source).readline) if token.type == tokenize.COMMENT)
    docs = 0
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node, clean=False):
            docs += (node.body[0].end_lineno or 0) - node.body[0].lineno + 1
    return marks + docs


if __name__ == "__main__":
    main()
