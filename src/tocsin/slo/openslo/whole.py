"""An SLO with everything it refers to inside it, so that what is kept of it says all and can be written out again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tocsin.slo.openslo.parsing import Document
from tocsin.slo.openslo.schema_head import OUR_PREFIX

Book = Mapping[tuple[str, str], Document]

# A decision on a priority is no part of an SLO: it has a history of its own.
_DECISIONS = (OUR_PREFIX + "priority", OUR_PREFIX + "groups")


def whole(document: Document, book: Book) -> dict[str, Any]:
    """The plain values of an SLO; what a name leads to stands in its place, a name that leads nowhere stays."""
    data = document.data
    spec = data.get("spec") or {}
    for owner in (spec, *(spec.get("objectives") or ())):
        _inline(owner, "indicatorRef", "indicator", "SLI", book)
    if spec.get("alertPolicies"):
        spec["alertPolicies"] = [_policy(one, book) for one in spec["alertPolicies"]]
    _without_decisions(data.get("metadata") or {})
    return data


def _inline(owner: dict[str, Any], reference: str, key: str, kind: str, book: Book) -> None:
    found = book.get((kind, str(owner.get(reference))))
    if found is not None:
        del owner[reference]
        owner[key] = _inside(found)


def _policy(given: Any, book: Book) -> Any:
    name = given if not isinstance(given, dict) else given.get("alertPolicyRef")
    policy = _object(given, name, "AlertPolicy", book)
    if not isinstance(policy, dict) or "spec" not in policy:
        return policy
    spec = policy["spec"]
    for key, reference, kind in (
        ("conditions", "conditionRef", "AlertCondition"),
        ("notificationTargets", "targetRef", "AlertNotificationTarget"),
    ):
        spec[key] = [_object(one, one.get(reference), kind, book) for one in spec.get(key) or ()]
    return policy


def _object(given: Any, name: Any, kind: str, book: Book) -> Any:
    found = book.get((kind, str(name))) if name is not None else None
    return given if found is None else {"kind": kind, **_inside(found)}


def _inside(document: Document) -> dict[str, Any]:
    """An object as it stands inside another: without the version its owner has already."""
    data = document.data
    return {key: data[key] for key in ("metadata", "spec") if key in data}


def _without_decisions(metadata: dict[str, Any]) -> None:
    annotations = metadata.get("annotations")
    if isinstance(annotations, dict):
        metadata["annotations"] = {key: value for key, value in annotations.items() if key not in _DECISIONS}
        if not metadata["annotations"]:
            del metadata["annotations"]
