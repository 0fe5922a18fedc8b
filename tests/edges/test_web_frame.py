"""What every page travels with: compressed, and at signed-in pages kept by nobody in between."""

from __future__ import annotations

import gzip
from datetime import datetime
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from tests.domains import worlds

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def static_folder() -> None:
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)


def test_files_of_the_pages_travel_compressed() -> None:
    client = Client(headers={"accept-encoding": "gzip"})
    answer = client.get("/static/tocsin/parts.css")
    assert answer["Content-Encoding"] == "gzip"
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content  # type: ignore[attr-defined]
    answer.close()
    assert b".btn" in gzip.decompress(body)


def test_a_signed_in_page_travels_compressed_and_is_kept_by_nobody_in_between(now: datetime) -> None:
    worlds.process(now=now)
    client = Client(headers={"accept-encoding": "gzip"})
    client.force_login(worlds.person("mara", now=now), "django.contrib.auth.backends.ModelBackend")
    answer = client.get("/help")
    assert answer["Cache-Control"] == "no-store"
    assert answer["Content-Encoding"] == "gzip"
    assert b"<h1" in gzip.decompress(answer.content)
