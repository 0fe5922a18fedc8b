"""Django's `migrate`, with a short way for a database that is still empty."""

from __future__ import annotations

from typing import Any

from django.core.management.commands import migrate
from django.db import connections

from tocsin.platform import schema


class Command(migrate.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        connection = connections[options["database"]]
        if not (options["app_label"] or options["plan"] or options["check_unapplied"]) and schema.is_empty(connection):
            schema.make_whole(connection)
        super().handle(*args, **options)
