"""The only writers of updates, subscriptions and webhooks."""

from tocsin.comms.actions.consumer_notices import tell_consumers
from tocsin.comms.actions.status_mails import advance_status_mails, begin_clocks
from tocsin.comms.actions.subscriptions import (
    add_subscriber,
    end_subscription,
    remove_subscriber,
    unsubscribe_secret,
)
from tocsin.comms.actions.updates import Draft, draft_update, send_update
from tocsin.comms.actions.webhooks import add_webhook, disable_webhook, enqueue_events, rotate_webhook

__all__ = [
    "Draft",
    "add_subscriber",
    "add_webhook",
    "advance_status_mails",
    "begin_clocks",
    "disable_webhook",
    "draft_update",
    "end_subscription",
    "enqueue_events",
    "remove_subscriber",
    "rotate_webhook",
    "send_update",
    "tell_consumers",
    "unsubscribe_secret",
]
