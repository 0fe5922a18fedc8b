"""Named places at which a test may kill the process (`kill -9`), to prove what survives.

`TOCSIN_CRASH=after_claim_commit:3` kills at the third visit. Without the variable a visit costs one dictionary look-up.
The names say what has just happened. K10 (between "sent" and "next step scheduled") must not exist: the next step is
written by the transaction that creates the present one, so there is no such moment.
"""

from __future__ import annotations

import os
import signal
from enum import StrEnum


class CrashPoint(StrEnum):
    AFTER_REQUEST_READ = "after_request_read"  # K1: body read, nothing parsed
    AFTER_ALERT_INSERT = "after_alert_insert"  # K2: alert written, incident not yet
    BEFORE_ACCEPT_COMMIT = "before_accept_commit"  # K3: all written, not committed
    BEFORE_FOLD_COMMIT = "before_fold_commit"  # K4: folded into incident and outbox, not committed
    AFTER_ACCEPT_COMMIT = "after_accept_commit"  # K5: committed, 2xx not yet said
    AFTER_DUE_READ = "after_due_read"  # K6: due work read, not claimed
    AFTER_CLAIM_COMMIT = "after_claim_commit"  # K7: claimed, provider not called
    DURING_PROVIDER_CALL = "during_provider_call"  # K8: provider called, no answer yet
    AFTER_PROVIDER_OK = "after_provider_ok"  # K9: provider said yes, not yet marked
    DURING_INCIDENT_ACTION = "during_incident_action"  # K11: acknowledge, resolve or merge half written
    DURING_AUDIT_APPEND = "during_audit_append"  # K12: audit row written, not committed


_armed: dict[str, int] = {}


def arm(text: str) -> None:
    """Read `name:visit[,name:visit]`; an unknown name is refused, so that a test cannot pass by a typing error."""
    _armed.clear()
    for part in filter(None, text.split(",")):
        name, _, visit = part.partition(":")
        _armed[CrashPoint(name)] = int(visit or 1)


def crashpoint(point: CrashPoint) -> None:
    """Kill this process now if `point` is armed and this is the visit that counts."""
    if not _armed or point not in _armed:
        return
    _armed[point] -= 1
    if _armed[point] <= 0:
        os.kill(os.getpid(), signal.SIGKILL)


arm(os.environ.get("TOCSIN_CRASH", ""))
