"""Every route of the house with the verbs it may serve, and what is sent along."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from django.urls import URLPattern, URLResolver, get_resolver

from tocsin.api.urls import api

SIGN_IN = "accounts/"
NO_SCHEMA = {"api/v2/silence/<str:uuid>": ["GET", "POST", "DELETE"]}
"""What the API does not declare and more than GET and POST may do."""
SENT: Mapping[str, dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("bodies.yaml").read_text(encoding="utf-8"))
BODY: Mapping[str, Any] = {
    "title": "Slow",
    "name": "new-one",
    "code": "new-one",
    "role": "observer",
    "person": "responder",
    "to": "responder",
    "username": "responder",
    "team": "tickets",
    "line": "Words",
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
        verbs = (
            [verb.upper() for verb in declared[route]] if route in declared else NO_SCHEMA.get(route, ["GET", "POST"])
        )
        found |= {(verb, route) for verb in verbs}
    return sorted(found, key=lambda pair: (pair[1], pair[0]))


@cache
def _described() -> dict[str, Any]:
    return dict(api.get_openapi_schema())


def _paths() -> dict[str, Any]:
    paths: dict[str, Any] = _described()["paths"]
    return paths


def body(verb: str, route: str) -> dict[str, Any]:
    """What is sent along: for the API by its own description, for pages the fields that forms have."""
    if f"{verb} {route}" in SENT:
        return SENT[f"{verb} {route}"]
    operation = _paths().get("/" + route.replace("<", "{").replace(">", "}"), {}).get(verb.lower())
    if operation is None and verb == "GET":
        return {}
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
