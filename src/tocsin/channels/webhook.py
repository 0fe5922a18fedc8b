"""Standard Webhooks: signed posts, the same id at every try, old and new secret during a rotation."""

from __future__ import annotations

import json
from datetime import timedelta

from standardwebhooks import Webhook

from tocsin.channels.protocol import DeliveryFailed, Message
from tocsin.core.retries import Outcome, asked_wait, outcome_of_webhook
from tocsin.platform import http


class WebhookChannel:
    """Posts the payload as JSON. Anything but 2xx is tried again; 410 ends the endpoint."""

    def send(self, message: Message, *, deadline: timedelta) -> str:
        body = json.dumps(dict(message.payload), ensure_ascii=False, separators=(",", ":"))
        try:
            answer = http.request(
                "POST", message.address, headers=headers(message, body), body=body.encode(), deadline=deadline
            )
        except http.HttpFailed as failed:
            raise DeliveryFailed(failed.detail, permanent=failed.permanent, unknown=failed.unknown) from failed
        outcome = outcome_of_webhook(answer.status)
        if outcome is Outcome.ACCEPTED:
            return f"answered {answer.status}"
        raise DeliveryFailed(
            f"answered {answer.status}",
            permanent=outcome is Outcome.PERMANENT,
            gone=answer.status == 410,
            retry_after=asked_wait(answer.headers.get("retry-after"), now=message.at),
        )


def headers(message: Message, body: str) -> dict[str, str]:
    """The three headers of the standard, signed with every secret the message carries."""
    signatures = [Webhook(secret).sign(message.key, message.at, body) for secret in message.secrets]
    found = {
        "Content-Type": "application/json",
        "User-Agent": "Tocsin",
        "webhook-id": message.key,
        "webhook-timestamp": str(int(message.at.timestamp())),
    }
    return {**found, "webhook-signature": " ".join(signatures)} if signatures else found
