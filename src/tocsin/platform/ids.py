"""Numbers that never repeat and secrets that cannot be guessed."""

from __future__ import annotations

import hashlib
import secrets

from django.db import connection, transaction

from tocsin.platform.models import Counter


def next_number(name: str) -> int:
    """The next number of the gapless sequence `name` (1, 2, 3, ...). Inside a transaction: a rollback gives it back."""
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("a gapless number is taken inside the transaction that uses it")
    table = Counter._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} (name, value) VALUES (%s, 1) "  # noqa: S608 - the table's name is ours
            f"ON CONFLICT (name) DO UPDATE SET value = {table}.value + 1 RETURNING value",
            [name],
        )
        return int(cursor.fetchone()[0])


def new_secret(size: int = 32) -> str:
    """A random text of URL-safe characters carrying `size` bytes of chance."""
    return secrets.token_urlsafe(size)


def new_key() -> str:
    """A random key of exactly 32 lower-case hexadecimal characters, the length PagerDuty's clients insist on."""
    return secrets.token_hex(16)


def new_code(signs: str, length: int) -> str:
    """A random code that people can type, made of these signs. Short, so it needs an end and few tries."""
    return "".join(secrets.choice(signs) for _ in range(length))


def digest(secret: str) -> str:
    """What is stored of a secret of ours (SHA-256, hex). The secrets are long and random, so no salt or stretching."""
    return hashlib.sha256(secret.encode()).hexdigest()
