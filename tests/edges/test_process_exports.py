"""The priorities and the process as pages for a wiki: from the version in force, in Markdown and HTML, and nothing breaks out."""

from __future__ import annotations

import copy
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from tests.core.process_samples import document_with
from tests.domains import worlds
from tests.edges.api_client import Caller
from tests.edges.test_cli import Shell, shell
from tests.edges.web_client import read, signed_in, words
from tocsin.core.access import ANONYMOUS, SYSTEM
from tocsin.core.errors import Invalid, NotAllowed
from tocsin.process import actions, exports, queries
from tocsin.process.defaults import default_document
from tocsin.process.exports import USING
from tocsin.process.models import ProcessVersion

__all__ = ["shell"]

pytestmark = pytest.mark.django_db


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def read_html(text: str) -> _Tags:
    """Tags and words of a page; fails when a tag is not closed in its place."""
    parser = _Tags()
    parser.feed(text)
    assert parser.open == []
    return parser


def rendered(markdown: str) -> str:
    """Markdown as a wiki would show it."""
    return MarkdownIt("commonmark").enable("table").render(markdown)


def both(part: str) -> list[str]:
    """The words of both formats."""
    actor = worlds.administrator()
    texts = [exports.export(actor, part=part, form=form) for form in ("markdown", "html")]
    return [" ".join("".join(read_html(page).text).split()) for page in (rendered(texts[0]), texts[1])]


@pytest.mark.req("R-9.2.3-15")
def test_the_definitions_are_a_page_for_the_wiki_and_say_how_to_use_them_for_an_slo() -> None:
    worlds.process()
    catalogue = queries.current().catalogue
    for text in both("priorities"):
        assert "How to use them when prioritising an SLO" in text
        for sentence in USING:
            assert sentence in text
        for one in catalogue.priorities:
            for said in (one.code, one.name, one.meaning, one.generic_example):
                assert said in text
        assert "An update at least every 2 h" in text
        assert "Version 1 of the process, in force since 2026-11-23 02:12 UTC" in text


@pytest.mark.parametrize("part", ["priorities", "process"])
def test_the_time_after_which_silence_pages_anew_is_written_out_where_there_is_one(part: str) -> None:
    worlds.process()
    said = "Taken and quiet for 45 min, its people are paged anew"
    assert all(said not in text for text in both(part))
    document = document_with("priorities.priorities.0.acknowledged_quiet_minutes", 45)
    actions.publish_version(SYSTEM, document, note="Nothing is forgotten", now=worlds.NOW)
    assert all(text.count(said) == 1 for text in both(part))


@pytest.mark.req("R-9.2.3-9")
def test_each_priority_carries_its_example_on_the_page_in_the_export_and_over_json(clock: Any) -> None:
    worlds.process()
    worlds.administrator()
    first, second = (one.generic_example for one in queries.current().catalogue.priorities[:2])
    assert first == "Nobody can log on to any application."
    assert "fall by more than 70 percent" in second
    page = read(signed_in("ada"), "/priorities")
    assert first in words(page, "priority-P1")
    assert second in words(page, "priority-P2")
    found = Caller("rita").must("GET", "/api/v1/priorities")["items"]
    assert [row["generic_example"] for row in found[:2]] == [first, second]
    assert all(first in text and second in text for text in both("priorities"))


@pytest.mark.req("R-9.2-5")
def test_the_names_other_tools_use_are_data_of_the_process_and_part_of_every_export(clock: Any) -> None:
    worlds.process()
    document = copy.deepcopy(default_document())
    document["priorities"]["external_names"] = {
        "pagerduty": {"P1": "SEV-One", "P2": "P2", "P3": "P3", "P4": "P5"},
        "jira-service-management": {"P1": "Highest", "P2": "High", "P3": "Medium"},
    }
    actions.publish_version(SYSTEM, document, note="Names of our tools", now=worlds.NOW)
    found = Caller("rita").must("GET", "/api/v1/priorities")["items"]
    assert [row["external_names"] for row in found] == [
        {"pagerduty": "SEV-One", "jira-service-management": "Highest"},
        {"pagerduty": "P2", "jira-service-management": "High"},
        {"pagerduty": "P3", "jira-service-management": "Medium"},
        {"pagerduty": "P5"},
    ]
    for text in both("priorities"):
        for said in ("pagerduty", "jira-service-management", "SEV-One", "Highest"):
            assert said in text


def test_the_whole_process_is_written_out_with_severities_pairs_roles_and_ten_answers() -> None:
    worlds.process()
    process = queries.current()
    for text in both("process"):
        assert all(one.answer in text for one in process.questions)
        assert all(role.display_name in text for role in process.roles.roles)
        assert all(one.users_affected in text for one in process.severities.severities)
        assert all(group.name in text for group in process.groups)


def test_what_people_wrote_is_text_in_both_formats() -> None:
    worlds.process()
    document = copy.deepcopy(default_document())
    evil = "<script>alert(1)</script> | a [b](javascript:x) *c*\n# d"
    document["priorities"]["priorities"][0]["meaning"] = evil
    actions.publish_version(SYSTEM, document, note="<b>x</b>", now=worlds.NOW)
    actor = worlds.administrator()
    for form in exports.Format:
        text = exports.export(actor, part="priorities", form=form)
        tags = read_html(rendered(text) if form == "markdown" else text)
        assert not tags.seen & {"script", "a", "em", "b"}
        assert "a [b](javascript:x) *c*" in " ".join("".join(tags.text).split())


def test_the_same_version_gives_the_same_text_and_an_older_one_can_be_asked_for() -> None:
    worlds.process()
    actor = worlds.administrator()
    before = exports.export(actor, part="process", form="markdown")
    assert exports.export(actor, part="process", form="markdown") == before
    document = copy.deepcopy(default_document())
    document["priorities"]["priorities"][0]["name"] = "Drop everything"
    actions.publish_version(SYSTEM, document, note="New name", now=worlds.NOW)
    assert "Drop everything" in exports.export(actor, part="priorities", form="html")
    assert "Drop everything" not in exports.export(actor, part="priorities", form="html", number=1)


def test_strangers_and_unknown_forms_are_refused(clock: Any) -> None:
    worlds.process()
    worlds.administrator()
    with pytest.raises(NotAllowed):
        exports.export(ANONYMOUS, part="process", form="html")
    for asked in ({"part": "secrets", "form": "html"}, {"part": "process", "form": "pdf"}):
        with pytest.raises(Invalid):
            exports.export(worlds.administrator(), **asked)
    assert Caller("rita").ask("GET", "/api/v1/process/export?format=pdf")[0] == 422
    read(signed_in("ada"), "/priorities/export.pdf", status=404)
    answer = signed_in("ada").get("/process/export.html")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="process.html"'


@pytest.mark.django_db(transaction=True)
@pytest.mark.req("R-9.2.3-15")
def test_the_exports_by_words(shell: Shell, tmp_path: Path) -> None:
    assert shell.run("priority", "export").stdout.startswith("# Incident priorities\n")
    target = tmp_path / "process.html"
    result = shell.run("process", "export", "--format", "html", "--to", str(target))
    assert (result.exit_code, result.stdout) == (0, "")
    assert read_html(target.read_text(encoding="utf-8")).seen >= {"table", "ol"}
    assert shell.run("process", "export", "--version", "9").exit_code == 1
    assert shell.json("process")["number"] == 1


@pytest.mark.req("R-9.3.12-5")
def test_the_hours_of_a_response_team_stand_in_the_process_document() -> None:
    worlds.process()
    text = exports.export(SYSTEM, part="process", form="markdown")
    assert "## Looking after people" in text
    assert "| Longest time in the response of one incident | 8 h |" in text
    assert "Works around the clock, nobody longer than 8 h; formed for one mission, and dissolved after it" in text
    worlds.person("vera")
    page = read(signed_in("vera"), "/process")
    assert "Longest time in the response of one incident</dt><dd>8 h" in page


def test_a_process_that_says_nothing_of_hours_says_so() -> None:
    version = worlds.process()
    document = {name: section for name, section in version.document.items() if name != "wellbeing"}
    silent = ProcessVersion.objects.create(
        number=2, state="superseded", document=document, author="ada", created_at=version.created_at
    )
    assert "does not say how long" in exports.export(SYSTEM, part="process", form="markdown", number=silent.number)
    worlds.person("vera")
    assert "does not say how long" in read(signed_in("vera"), f"/process/versions/{silent.number}")
