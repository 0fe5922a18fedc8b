"""What this installation can measure, and the SLI that could replace a resource alert."""

from __future__ import annotations

from functools import cache

from tocsin.adoption.defaults import document
from tocsin.core import sli_capabilities as core
from tocsin.core.sli_capabilities import Capability
from tocsin.slo.models import ResourceAlert


@cache
def capabilities() -> tuple[Capability, ...]:
    """The kinds of SLI and the ways to measure each, as the data list them."""
    return core.capabilities(document("capabilities.yaml"))


def sli_for(alert: ResourceAlert) -> Capability | None:
    """The SLI that could replace an alert; None where we can measure none that fits."""
    return core.replacement(capabilities(), alert.metric, alert.alert_name)
