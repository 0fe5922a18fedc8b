"""What happened to an alert, as the room above hears it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tocsin.alerts.models import Alert
from tocsin.slo.specs import SloSignal


class ChangeKind(StrEnum):
    """`noted` tells of something that neither starts nor ends it: a further breach, data lost or back; `acknowledged` that somebody has it in the sender's own tool."""

    OPENED = "opened"
    REPEATED = "repeated"
    RESOLVED = "resolved"
    SUPPRESSED = "suppressed"
    NOTED = "noted"
    ACKNOWLEDGED = "acknowledged"


@dataclass(frozen=True, slots=True)
class AlertChange:
    """One change of `alert`. `reason` is the code of the decision behind it; `signal` the SLO's evaluation, if one."""

    alert: Alert
    kind: ChangeKind
    reason: str
    signal: SloSignal | None = None
