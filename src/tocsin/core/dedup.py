"""Deduplication keys: what counts as the same cause.

A key is scoped to whoever may speak for it (an SLO, a rule, an integration's key), so that no sender can resolve or
swallow another's alert. Scopes and names are joined unambiguously; what would be too long is replaced by its digest.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

from tocsin.core.fingerprints import canonical_labels

LONGEST_KEY = 255


def slo_key(slo: str) -> str:
    """The key of an SLO's alerts: one incident per SLO is open at a time."""
    return _key("slo", slo)


def rule_key(rule: str, entity: Mapping[str, str]) -> str:
    """The key of a resource rule's alerts: the rule and the labels of the entity that it watches (R-9.2.11-1)."""
    return _key("rule", rule, *(part for pair in canonical_labels(entity) for part in pair))


def alertmanager_key(integration: str, fingerprint: str) -> str:
    """The key of an alert that arrived through Alertmanager's API: its labels, within the sender's key."""
    return _key("alertmanager", integration, fingerprint)


def event_key(integration: str, dedup_key: str) -> str:
    """The key of an event whose sender chooses the key itself (PagerDuty, Opsgenie, CloudEvents), within its key."""
    return _key("event", integration, dedup_key)


def _key(scope: str, *parts: str) -> str:
    # Escaped, so that no choice of names makes two different causes look the same.
    text = ":".join([scope, *(part.replace("%", "%25").replace(":", "%3A") for part in parts)])
    if len(text) <= LONGEST_KEY:
        return text
    return f"{scope}:sha256:{sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()}"
