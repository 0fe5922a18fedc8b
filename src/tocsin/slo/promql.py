"""PromQL as far as counters need it."""

from __future__ import annotations

import promql_parser


def query_problem(query: str) -> str | None:
    """What is wrong with a query, None when it parses."""
    try:
        promql_parser.parse(query)
    except ValueError as error:
        return f"is no PromQL: {error}"
    return None
