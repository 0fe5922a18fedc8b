"""What alerting on SLOs adds to plain alerts; read without a server and without Django."""

from __future__ import annotations

from tocsin.adoption.defaults import document


def comparison() -> list[dict[str, str]]:
    """Lines of `asks`, `resource_alert` and `slo`, in the order people ask."""
    return [{str(key): str(value) for key, value in line.items()} for line in document("sli_vs_alert.yaml")]
