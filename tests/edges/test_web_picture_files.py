"""Pictures as files of an address: nobody without the right sees them, and the same one is not sent twice."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from tests.domains.worlds import NOW
from tests.edges.test_web_slos import burning, house, part, signed_in, slo
from tocsin.platform.clock import WoundClock
from tocsin.web import slo_pictures

__all__ = ["house"]

pytestmark = pytest.mark.django_db

ADDRESS = "/slos/log-on/log-on-availability/burn-down"
EMBED = "/embed/log-on/log-on-availability/burn-down.svg"
PNG = b"\x89PNG\r\n\x1a\n"


def test_a_reader_gets_the_picture_whose_title_is_its_finding(client: Client) -> None:
    burning()
    answer = signed_in(client).get(f"{ADDRESS}.svg")
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("image/svg+xml")
    assert "<title>People can log on: " in answer.content.decode()
    rate = client.get("/slos/log-on/log-on-availability/burn-rate.svg?windows=1&theme=dark&size=phone")
    assert "30 min" in rate.content.decode()


def test_the_same_picture_is_not_sent_twice(client: Client) -> None:
    burning()
    first = signed_in(client).get(f"{ADDRESS}.svg")
    again = client.get(f"{ADDRESS}.svg", headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
    other = client.get(f"{ADDRESS}.svg?theme=dark", headers={"If-None-Match": first["ETag"]})
    assert other.status_code == 200


def test_the_png_is_a_png(client: Client) -> None:
    burning()
    answer = signed_in(client).get(f"{ADDRESS}.png")
    assert (answer["Content-Type"], answer.content[:8]) == ("image/png", PNG)


@pytest.mark.parametrize("address", [f"{ADDRESS}.gif", "/slos/log-on/log-on-availability/pie.svg"])
def test_a_picture_that_does_not_exist_is_not_found(client: Client, address: str) -> None:
    slo()
    assert signed_in(client).get(address).status_code == 404


def test_an_slo_without_data_is_hatched_in_the_file_as_well(client: Client) -> None:
    slo()
    drawn = signed_in(client).get(f"{ADDRESS}.svg").content.decode()
    assert "we cannot tell" in drawn
    assert 'fill="url(#' in drawn


def test_strangers_see_nothing_even_with_the_secret_while_it_is_off(client: Client) -> None:
    secret = slo_pictures.key_of(slo())
    assert client.get(EMBED).status_code in {302, 401, 403}
    assert client.get(f"{EMBED}?key={secret}").status_code in {302, 401, 403}


def test_the_secret_opens_one_slo_once_it_is_on(client: Client, settings: Any) -> None:
    settings.EMBED_BY_KEY = True
    secret = slo_pictures.key_of(slo())
    slo("other", display_name="Other")
    assert client.get(f"{EMBED}?key={secret}").status_code == 200
    assert client.get(f"{EMBED}?key={secret}x").status_code in {302, 401, 403}
    assert client.get(f"/embed/log-on/other/burn-down.svg?key={secret}").status_code in {302, 401, 403}
    assert client.get(f"{ADDRESS}.svg?key={secret}").status_code == 302


def test_people_who_signed_in_need_no_secret(client: Client, clock: WoundClock) -> None:
    slo()
    assert signed_in(client).get(EMBED).status_code == 200
    assert "key=" not in slo_pictures.embed_url(slo("second"))
    assert clock.now() == NOW


def test_the_page_offers_each_picture_as_files_and_as_a_link(client: Client) -> None:
    slo()
    page = signed_in(client).get("/slos/log-on/log-on-availability").content.decode()
    for name in slo_pictures.NAMES:
        for form in ("svg", "png"):
            assert f'href="/slos/log-on/log-on-availability/{name}.{form}' in part(page, f"{name}-files", "</p>")
    assert f'data-copy="{slo_pictures.settings.PUBLIC_URL}/embed/' in page


@pytest.mark.parametrize("query", ["", "?size=phone", "?theme=dark", "?span=year", "?span=nothing", "?windows=99"])
@pytest.mark.parametrize("name", slo_pictures.NAMES)
def test_every_picture_stands_alone_in_every_form(client: Client, name: str, query: str) -> None:
    burning()
    answer = signed_in(client).get(f"/slos/log-on/log-on-availability/{name}.svg{query}")
    assert answer.status_code == 200
    assert len(answer.content) <= 30_000
    assert b"<title>People can log on: " in answer.content


def test_the_strip_says_how_many_days_were_over_and_how_many_nobody_knows(client: Client) -> None:
    burning()
    page = signed_in(client).get("/slos/log-on/log-on-availability").content.decode()
    assert part(page, "days-finding").endswith("One day of 2 spent more than a day&#x27;s budget, 88 of 90 unknown")
    assert part(page, "days-table", "</details>").count("<tr>") == 91


def test_a_strip_without_any_data_says_so(client: Client) -> None:
    slo()
    page = signed_in(client).get("/slos/log-on/log-on-availability").content.decode()
    assert part(page, "days-finding").endswith("No data in any of the last 90 days")
