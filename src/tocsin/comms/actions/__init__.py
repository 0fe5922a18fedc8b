"""The only writers of updates, subscriptions and webhooks."""

from tocsin.comms.actions.subscriptions import add_subscriber, advance_status_mails, end_subscription
from tocsin.comms.actions.updates import Draft, draft_update, send_update
from tocsin.comms.actions.webhooks import add_webhook, disable_webhook, enqueue_events, rotate_webhook

__all__ = [
    "Draft",
    "add_subscriber",
    "add_webhook",
    "advance_status_mails",
    "disable_webhook",
    "draft_update",
    "end_subscription",
    "enqueue_events",
    "rotate_webhook",
    "send_update",
]
