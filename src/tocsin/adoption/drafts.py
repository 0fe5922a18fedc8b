"""The draft of an SLO for a use case that nothing watches yet: an OpenSLO file to finish, check and apply."""

from __future__ import annotations

import yaml

from tocsin.core.sli_capabilities import Capability
from tocsin.platform.text import slug

FIRST_TARGET = 0.99
_HEAD = """# A draft. Before you apply it: choose the target with those who use the service, and say where the
# events are counted (here: pushed by the service itself). Check it with `tocsin slo validate`.
"""


def slo_draft(*, use_case: str, service: str, sli: Capability) -> str:
    """An OpenSLO document (YAML) for the use case, valid as it stands."""
    name = slug(f"{service}-{sli.code}-{use_case}", limit=60)
    counted = {
        side: {"metricSource": {"type": "push", "spec": {"name": name, "events": side}}} for side in ("good", "total")
    }
    document = {
        "apiVersion": "openslo/v1",
        "kind": "SLO",
        "metadata": {
            "name": name,
            "displayName": use_case[:60],
            "annotations": {"tocsin.dev/use-case": use_case, "tocsin.dev/sli-kind": sli.code},
        },
        "spec": {
            "service": service,
            "indicator": {"metadata": {"name": f"{name}"}, "spec": {"ratioMetric": {"counter": True, **counted}}},
            "timeWindow": [{"duration": "28d", "isRolling": True}],
            "budgetingMethod": "Occurrences",
            "objectives": [{"displayName": sli.question, "target": FIRST_TARGET}],
        },
    }
    return _HEAD + yaml.safe_dump(document, sort_keys=False, allow_unicode=True)
