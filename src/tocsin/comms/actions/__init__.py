"""The only writers of updates, subscriptions and webhooks."""

from tocsin.comms.actions.chat_accounts import Asked, ask_for_chat_account, link_chat_account, unlink_chat_account
from tocsin.comms.actions.chat_commands import obey
from tocsin.comms.actions.chat_hearing import claim_place, note_silence, take_message, take_news
from tocsin.comms.actions.chat_proof import Speaker, prove_chat_account
from tocsin.comms.actions.consumer_notices import tell_consumers
from tocsin.comms.actions.drafts import approve_draft, drop_draft, write_draft
from tocsin.comms.actions.room_guests import invite_responders, note_absent_guest, note_guest
from tocsin.comms.actions.status_mails import advance_status_mails, begin_clocks
from tocsin.comms.actions.subscriptions import (
    add_subscriber,
    end_subscription,
    remove_subscriber,
    subscribe_oneself,
    unsubscribe_secret,
)
from tocsin.comms.actions.trying import try_adapter
from tocsin.comms.actions.updates import Draft, draft_update, send_update
from tocsin.comms.actions.webhooks import add_webhook, disable_webhook, enqueue_events, rotate_webhook

__all__ = [
    "Asked",
    "Draft",
    "Speaker",
    "add_subscriber",
    "add_webhook",
    "advance_status_mails",
    "approve_draft",
    "ask_for_chat_account",
    "begin_clocks",
    "claim_place",
    "disable_webhook",
    "draft_update",
    "drop_draft",
    "end_subscription",
    "enqueue_events",
    "invite_responders",
    "link_chat_account",
    "note_absent_guest",
    "note_guest",
    "note_silence",
    "obey",
    "prove_chat_account",
    "remove_subscriber",
    "rotate_webhook",
    "send_update",
    "subscribe_oneself",
    "take_message",
    "take_news",
    "tell_consumers",
    "try_adapter",
    "unlink_chat_account",
    "unsubscribe_secret",
    "write_draft",
]
