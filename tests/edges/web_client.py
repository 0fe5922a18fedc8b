"""Look at pages as people do: sign in, read by the marks on controls, press buttons by their forms."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from django.test import Client

from tocsin.people import queries as people

_VOID = {"area", "br", "hr", "img", "input", "link", "meta", "path", "rect", "circle", "line", "source", "wbr"}


def signed_in(username: str = "ada") -> Client:
    """A browser of `username`."""
    client = Client()
    client.force_login(people.person(username), backend="django.contrib.auth.backends.ModelBackend")
    return client


def read(client: Client, address: str, status: int = 200) -> str:
    """The page at `address`, whole."""
    answer = client.get(address)
    assert answer.status_code == status, answer.content.decode()
    return answer.content.decode()


class _Words(HTMLParser):
    def __init__(self, testid: str) -> None:
        super().__init__()
        self.testid, self.depth, self.found = testid, 0, list[str]()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _VOID:
            return
        if self.depth:
            self.depth += 1
        elif dict(attrs).get("data-testid") == self.testid:
            self.depth = 1

    def handle_endtag(self, tag: str) -> None:
        if self.depth and tag not in _VOID:
            self.depth -= 1

    def handle_data(self, data: str) -> None:
        if self.depth:
            self.found.append(data)


def words(page: str, testid: str) -> str:
    """The words inside the element marked `testid`, spaces joined. Fails when it is not there."""
    assert has(page, testid), f"{testid} is not on the page"
    parser = _Words(testid)
    parser.feed(page)
    return " ".join(" ".join(parser.found).split())


def has(page: str, testid: str) -> bool:
    return f'data-testid="{testid}"' in page


def marks(page: str, beginning: str) -> list[str]:
    """The rest of every mark that begins so, in the order of the page: marks(page, "incident-row-") gives numbers."""
    return re.findall(rf'data-testid="{re.escape(beginning)}([^"]*)"', page)
