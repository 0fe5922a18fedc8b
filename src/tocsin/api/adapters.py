"""Adapters and chat accounts over JSON."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema, Status

from tocsin.api import shapes
from tocsin.api.auth import actor
from tocsin.api.listing import listing
from tocsin.comms import actions, chat_queries
from tocsin.comms.actions.trying import SUBJECT
from tocsin.core import chat_linking
from tocsin.core.access import Right, require
from tocsin.core.errors import NotFound
from tocsin.insights import adapter_trials, adapters
from tocsin.platform import clock
from tocsin.platform.models import OutboxMessage

router = Router(tags=["adapters"])


class NewChatAccount(Schema):
    adapter: str
    account: str
    user: str


@router.get("/adapters")
def all_adapters(request: HttpRequest) -> dict[str, Any]:
    """Everything that connects with other tools, and what it last came to."""
    return listing(adapters.states(actor(request)), _shown)


@router.get("/adapters/{code}/dry-run")
def dry_run(request: HttpRequest, code: str) -> dict[str, Any]:
    """What a test of it would send; nothing is sent."""
    shown = adapter_trials.dry_run(actor(request), code, now=clock.now())
    return {"adapter": code, "items": adapter_trials.as_rows(shown)}


@router.post("/adapters/{code}/test", response={202: dict[str, Any]})
def send_test(request: HttpRequest, code: str) -> Status[dict[str, Any]]:
    """Send a test; `GET /adapters/tests/KEY` says what became of it."""
    keys = actions.try_adapter(actor(request), code, now=clock.now())
    return Status(202, {"adapter": code, "keys": keys})


@router.get("/adapters/tests/{key}")
def test_outcome(request: HttpRequest, key: str) -> dict[str, Any]:
    """What became of a test: its state, and each try."""
    require(actor(request), Right.SETTINGS_WRITE)
    rows = OutboxMessage.objects.prefetch_related("deliveries")
    row = rows.filter(key=key, subject_kind__in=[SUBJECT, "webhook"]).first()
    if row is None:
        raise NotFound(f"There is no test {key}.")
    tries = [{"at": shapes.at(one.at), "outcome": one.outcome, "detail": one.detail} for one in row.deliveries.all()]
    return {"key": key, "state": row.state, "error": row.last_error, "tries": tries}


@router.get("/chat/accounts")
def chat_accounts(request: HttpRequest) -> dict[str, Any]:
    """Whose account is whose, and the links that wait for their code: one's own, an administrator's view everybody's."""
    asking = actor(request)
    waiting = [_account(row) | _waiting(row) for row in chat_queries.begun_links(asking, now=clock.now())]
    return listing([*map(_account, chat_queries.accounts(asking)), *waiting], dict)


@router.post("/chat/accounts", response={201: dict[str, Any], 202: dict[str, Any]})
def link(request: HttpRequest, body: NewChatAccount) -> Status[dict[str, Any]]:
    """Let what an account commands be done as a person.

    201 when it is linked: an administrator's word suffices. 202 when the account has to prove it by writing `write`
    until `expires_at`; the code is told this once.
    """
    asked = actions.ask_for_chat_account(
        actor(request), adapter=body.adapter, account=body.account, username=body.user, now=clock.now()
    )
    shown = {"adapter": asked.adapter, "account": asked.account, "user": asked.username, "state": "linked"}
    if not asked.code:
        return Status(201, shown)
    proof = {
        "state": "pending",
        "code": chat_linking.shown(asked.code),
        "write": chat_linking.what_to_write(asked.adapter, asked.code),
        "where": chat_linking.where_to_write(asked.adapter),
        "expires_at": shapes.at(asked.expires_at),
    }
    return Status(202, shown | proof)


@router.delete("/chat/accounts/{adapter}/{account}", response={204: None})
def unlink(request: HttpRequest, adapter: str, account: str) -> Status[None]:
    actions.unlink_chat_account(actor(request), adapter=adapter, account=account, now=clock.now())
    return Status(204, None)


def _account(row: Any) -> dict[str, Any]:
    return {"adapter": row.adapter, "account": row.account, "user": row.person.username, "state": "linked"}


def _waiting(row: Any) -> dict[str, Any]:
    return {"state": "pending", "expires_at": shapes.at(row.expires_at), "tries_left": row.tries_left}


def _shown(one: adapters.State) -> dict[str, Any]:
    outcome = one.outcome
    return {
        "code": one.adapter.code,
        "name": one.adapter.name,
        "serves": one.adapter.serves,
        "way": one.adapter.way.value,
        "built_in": one.adapter.built_in,
        "set_up": one.set_up,
        "in_use": one.chosen,
        "set_up_by": one.adapter.set_up_by,
        "waiting": one.waiting,
        "last_at": shapes.at(outcome.at) if outcome else None,
        "last_good": outcome.good if outcome else None,
        "last_detail": outcome.detail if outcome else None,
    }
