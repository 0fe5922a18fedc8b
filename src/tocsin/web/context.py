"""What every template may rely on."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest


def page(request: HttpRequest) -> dict[str, Any]:
    return {"now": getattr(request, "now", None), "actor": getattr(request, "actor", None)}
