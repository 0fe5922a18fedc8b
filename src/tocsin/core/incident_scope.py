"""Where an incident is: its environment, and which regions or tenants feel it, as the labels of its signal tell."""

from __future__ import annotations

from collections.abc import Mapping

ENVIRONMENT = ("environment", "env", "deployment_environment")
SCOPE = ("region", "tenant", "zone", "cluster")
"""What senders call these things, the usual name first."""

LONGEST_ENVIRONMENT, LONGEST_SCOPE = 63, 150


def environment_of(labels: Mapping[str, object]) -> str:
    """The environment that the labels name; "" where they name none."""
    return next((text for name in ENVIRONMENT if (text := _text(labels, name))), "")[:LONGEST_ENVIRONMENT]


def scope_of(labels: Mapping[str, object]) -> str:
    """The regions and tenants that the labels name, for people: "region eu, tenant acme"."""
    return ", ".join(f"{name} {text}" for name in SCOPE if (text := _text(labels, name)))[:LONGEST_SCOPE]


def _text(labels: Mapping[str, object], name: str) -> str:
    value = labels.get(name)
    return value.strip() if isinstance(value, str) else ""
