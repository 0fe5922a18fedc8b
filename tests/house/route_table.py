"""Every route of the house with the verbs it serves, and an address and a body that reach it in the world of the matrix."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

from tocsin.api.urls import api

SIGN_IN = "accounts/"
VALUES: Mapping[str, str] = {
    "ref": "INC-1",
    "number": "1",
    "name": "checkout",
    "team": "tickets",
    "service": "checkout",
    "slo": "checkout",
    "state": "mitigated",
    "code": "AC01",
    "check": "AC01",
    "verb": "review",
    "ending": "csv",
    "form": "svg",
    "uuid": "6f2d7a52-8a3e-4c1e-9d53-0c1f5d0f2a11",
    "secret": "nobodys",
    "token": "nobodys",
}
"""What stands for a parameter of a path; a one where nothing is said."""
OF_TEAMS = ("teams/", "api/v1/teams/")
BODY: Mapping[str, Any] = {
    "title": "Slow",
    "name": "new-one",
    "code": "new-one",
    "role": "observer",
    "person": "responder",
    "to": "responder",
    "username": "responder",
    "team": "payments",
    "service": "checkout",
    "severity": "error",
    "priority": 2,
    "seconds": 60,
    "email": "who@harbor.example",
    "url": "https://hooks.harbor.example/x",
    "state": "mitigated",
    "answer": "done",
    "category": "deploy",
    "impact_state": "potential",
    "next_in_seconds": 3600,
    "on": True,
    "kind": "",
}
"""What stands for a field of a body, where its type alone does not do."""


def patterns(found: list[URLPattern | URLResolver] | None = None, before: str = "") -> Iterator[str]:
    """Every pattern of the URLconf, as written."""
    for one in get_resolver().url_patterns if found is None else found:
        written = before + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from patterns(one.url_patterns, written)
        else:
            yield written


def table() -> list[tuple[str, str]]:
    """(verb, route) of everything but the pages of signing in: what the API declares, GET and POST of the rest."""
    declared = {path.strip("/").replace("{", "<").replace("}", ">"): verbs for path, verbs in _paths().items()}
    found = set()
    for route in patterns():
        if route.startswith(SIGN_IN):
            continue
        verbs = [verb.upper() for verb in declared[route]] if route in declared else ["GET", "POST"]
        found |= {(verb, route) for verb in verbs}
    return sorted(found, key=lambda pair: (pair[1], pair[0]))


@cache
def _described() -> dict[str, Any]:
    return dict(api.get_openapi_schema())


def _paths() -> dict[str, Any]:
    paths: dict[str, Any] = _described()["paths"]
    return paths


def address(route: str) -> str:
    """A path that leads to the route, to things that are there where the world has them."""

    def value(match: re.Match[str]) -> str:
        name = match[2]
        if name == "name" and route.startswith(OF_TEAMS):
            return "tickets"
        if name == "code" and "adherence" not in route:
            return "summary"
        return VALUES.get(name, "1")

    return "/" + re.sub(r"<(?:(\w+):)?(\w+)>", value, route)


def body(verb: str, route: str) -> dict[str, Any]:
    """What is sent along: for the API by its own description, for pages the fields that forms have."""
    operation = _paths().get("/" + route.replace("<", "{").replace(">", "}"), {}).get(verb.lower())
    if operation is None:
        return {**BODY, "reason": "Because", "text": "Words", "version": "", "note": "Words"}
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    return _sample(content)


def _sample(schema: Mapping[str, Any]) -> dict[str, Any]:
    reference = schema.get("$ref")
    if reference:
        schema = _described()["components"]["schemas"][reference.rpartition("/")[2]]
    fields: Mapping[str, Any] = schema.get("properties", {})
    return {
        name: _value(name, one)
        for name, one in fields.items()
        if name not in {"version", "groups", "kind", "caused_by", "draft"}
    }


def _value(name: str, field: Mapping[str, Any]) -> Any:
    kinds = [field, *field.get("anyOf", [])]
    types = [kind.get("type") for kind in kinds if kind.get("type")]
    if name in BODY and "array" not in types:
        return BODY[name]
    if any(kind.get("format") == "date-time" for kind in kinds):
        return None if "null" in types else "2026-11-23T03:00:00Z"
    if any(kind.get("format") == "date" for kind in kinds):
        return "2026-11-30"
    simple: Mapping[str, Any] = {"string": "x", "integer": 1, "number": 1, "boolean": True, "array": [], "object": {}}
    return next((simple[kind] for kind in types if kind in simple), "x")


def as_json(sent: Mapping[str, Any]) -> str:
    return json.dumps(sent)
