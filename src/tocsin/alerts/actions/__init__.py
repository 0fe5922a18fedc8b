"""The only writers of alerts, integrations and silences."""

from tocsin.alerts.actions.events import take_events
from tocsin.alerts.actions.integrations import add_integration, revoke_integration
from tocsin.alerts.actions.overdue import end_overdue, hear_unsilenced
from tocsin.alerts.actions.silences import add_silence, expire_silence
from tocsin.alerts.actions.slo_signals import take_slo_signals
from tocsin.alerts.actions.taking import note_seen, take_alertmanager, tell_poisoned

__all__ = [
    "add_integration",
    "add_silence",
    "end_overdue",
    "expire_silence",
    "hear_unsilenced",
    "note_seen",
    "revoke_integration",
    "take_alertmanager",
    "take_events",
    "take_slo_signals",
    "tell_poisoned",
]
