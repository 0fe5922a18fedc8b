"""Standard Webhooks: signed posts, the same id at every try, old and new secret during a rotation."""

from __future__ import annotations

import json
from datetime import timedelta
from http import HTTPStatus

from standardwebhooks import Webhook
from standardwebhooks.webhooks import EmptyWebhookSecretError

from tocsin.channels.protocol import DeliveryFailed, Message
from tocsin.core.retries import Outcome, asked_wait, outcome_of_webhook
from tocsin.platform import db, http


class WebhookChannel:
    """Posts type, timestamp and data as JSON. Anything but 2xx is tried again; 410 ends the endpoint."""

    def send(self, message: Message, *, deadline: timedelta) -> str:
        body = body_of(message)
        status, asked = self._post(message, body, deadline)
        outcome = outcome_of_webhook(status)
        if outcome is Outcome.ACCEPTED:
            return f"answered {status}"
        raise DeliveryFailed(
            f"answered {status}",
            permanent=outcome is Outcome.PERMANENT,
            gone=status == HTTPStatus.GONE,
            retry_after=asked_wait(asked, now=message.at),
        )

    def _post(self, message: Message, body: str, deadline: timedelta) -> tuple[int, str | None]:
        """The status of the answer and its wish to wait; what the answer says beyond that is of no interest."""
        sent = headers(message, body)
        try:
            # The client applies the patience itself.
            span = deadline / db.patience()
            answer = http.request("POST", message.address, headers=sent, body=body.encode(), deadline=span)
        except http.HttpFailed as failed:
            if failed.status is not None:
                return failed.status, None
            raise DeliveryFailed(failed.detail, permanent=failed.permanent, unknown=failed.unknown) from failed
        return answer.status, answer.headers.get("retry-after")


def body_of(message: Message) -> str:
    """The JSON that is posted; the same text at every try."""
    said = {name: message.payload[name] for name in ("type", "timestamp", "data") if name in message.payload}
    return json.dumps(said, ensure_ascii=False, separators=(",", ":"))


def headers(message: Message, body: str) -> dict[str, str]:
    """The three headers of the standard, signed with every secret the message carries.

    Raises DeliveryFailed (for good) for a secret that is none.
    """
    found = {
        "Content-Type": "application/json",
        "User-Agent": "Tocsin",
        "webhook-id": message.key,
        "webhook-timestamp": str(int(message.at.timestamp())),
    }
    try:
        signatures = [Webhook(secret).sign(message.key, message.at, body) for secret in message.secrets]
    except (EmptyWebhookSecretError, RuntimeError, ValueError) as wrong:
        raise DeliveryFailed("the secret is not one of the form whsec_ and base64", permanent=True) from wrong
    return {**found, "webhook-signature": " ".join(signatures)} if signatures else found
