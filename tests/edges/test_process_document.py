"""The complete process as one document on page, in files and by words: what it says, who stands behind it, since when."""

from __future__ import annotations

import builtins
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.core.process_samples import document_with
from tests.domains import worlds
from tests.domains.test_process_proposals import sections
from tests.edges.api_client import Caller
from tests.edges.test_cli import Shell, shell
from tests.edges.test_process_exports import read_html, rendered
from tests.edges.web_client import read, signed_in, words
from tocsin.core.access import SYSTEM, Role
from tocsin.core.errors import Invalid, NotFound, Refused
from tocsin.process import actions, document, proposal_actions, queries, review_actions
from tocsin.process.models import ProcessVersion

__all__ = ["shell"]

pytestmark = pytest.mark.django_db

WITHOUT = "NOT TESTED for want of the extra pdf: pip install 'tocsin[pdf]'"
HEADINGS = (
    "What each priority means",
    "What follows from each priority",
    "How often people hear",
    "Severities",
    "Which priority goes with which severity",
    "Roles",
    "The ten answers",
    "From breach to closed",
    "Who is woken, and who after them",
    "Stakeholder groups",
    "Learning from it",
    "Looking after people",
    "Versions",
)


def reviewed_version(now: Any = worlds.NOW) -> ProcessVersion:
    """A second version, agreed to by operations and looked at again later."""
    worlds.process()
    coach = worlds.actor("cora", role=Role.COACH.value, display_name="Cora Berg")
    ops = worlds.actor("ops", display_name="Odd Olsen")
    number = proposal_actions.propose(coach, sections(), note="Clearer words", now=now).number
    proposal_actions.ask_for_review(coach, number, now=now)
    proposal_actions.remark(ops, number, text="", agrees=True, now=now)
    proposal_actions.publish(coach, number, now=now + timedelta(hours=1))
    review_actions.look_again(coach, note="It fits", now=now + timedelta(days=40))
    return queries.current_version()


def text_of(form: str, number: int | None = None) -> str:
    """The words of the document, whatever the format."""
    content = document.written(worlds.administrator(), form=form, number=number).decode()
    page = rendered(content) if form == "md" else content
    return " ".join(" ".join(read_html(page).text).split())


@pytest.mark.req("R-9.1-10", "R-9.8-1")
@pytest.mark.parametrize("form", ["md", "html"])
def test_the_document_holds_the_whole_process_with_contents_version_approvers_and_dates(form: str) -> None:
    version = reviewed_version()
    process = queries.definition(version)
    text = text_of(form)
    for heading in HEADINGS:
        assert text.count(heading) >= 2, f"{heading} stands in the contents and over its part"
    for said in (
        "2, published, on top of version 1",
        "Clearer words",
        "Cora Berg",
        "Odd Olsen, 2026-11-23 02:12 UTC",
        "In force since 2026-11-23 03:12 UTC",
        "Last reviewed 2027-01-02 02:12 UTC by Cora Berg: It fits",
        "Next review due 2028-01-02 02:12 UTC",
        version.sha256,
    ):
        assert said in text, said
    parts = [
        *(one.meaning for one in process.catalogue.priorities),
        *(one.users_affected for one in process.severities.severities),
        *(rule.why for rule in process.matrix.rules),
        *(duty for role in process.roles.roles for duty in role.responsibilities),
        *(one.answer for one in process.questions),
        *process.lifecycle.states,
        "What the software does: it coordinates incidents of critical, error.",
        "communication",
    ]
    for part in parts:
        assert " ".join(part.split()) in text, part
    for row in ("15 min", "2 h", "4 h", "8 h"):
        assert row in text


def test_contents_lead_to_their_parts() -> None:
    worlds.process()
    content = document.written(worlds.administrator(), form="html").decode()
    for heading in HEADINGS:
        name = heading.lower().replace(" ", "-").replace(",", "")
        assert f'href="#{name}"' in content
        assert f'id="{name}"' in content


def test_what_people_wrote_is_text_on_page_and_paper() -> None:
    worlds.process()
    evil = '#panic("x") <script>alert(1)</script> $x$ \\ *b* @ref'
    changed = document_with("priorities.priorities.0.meaning", evil)
    actions.publish_version(SYSTEM, changed, note='"] #panic()', now=worlds.NOW)
    worlds.administrator()
    page = read(signed_in("ada"), "/process/document")
    assert "<script>alert" not in page
    pytest.importorskip("typst", reason=WITHOUT)
    assert document.written(worlds.administrator(), form="pdf").startswith(b"%PDF")


def test_the_pdf_is_the_same_twice_and_tagged_for_screen_readers() -> None:
    pytest.importorskip("typst", reason=WITHOUT)
    reviewed_version()
    once = document.written(worlds.administrator(), form="pdf")
    assert once == document.written(worlds.administrator(), form="pdf")
    assert once.startswith(b"%PDF")
    assert b"/MarkInfo" in once or b"/StructTreeRoot" in once


def test_without_the_printer_a_pdf_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    worlds.process()
    real = builtins.__import__

    def missing(name: str, *rest: Any, **more: Any) -> Any:
        if name == "typst":
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(Refused) as refused:
        document.written(worlds.administrator(), form="pdf")
    assert "pip install 'tocsin[pdf]'" in (refused.value.remedy or "")


def test_an_older_version_and_what_there_is_not() -> None:
    reviewed_version()
    assert "1, superseded" in text_of("md", 1)
    with pytest.raises(NotFound):
        text_of("md", 9)
    with pytest.raises(Invalid):
        document.written(worlds.administrator(), form="docx")


def test_the_page_has_facts_contents_and_files(clock: Any) -> None:
    reviewed_version()
    worlds.administrator()
    client = signed_in("ada")
    page = read(client, "/process/document")
    assert "The ten answers" in words(page, "document-contents")
    assert "Approved by Odd Olsen" in words(page, "document-facts")
    assert "not in force" in read(client, "/process/document?version=1")
    read(client, "/process/document?version=9", 404)
    answer = client.get("/process/document.md?version=2")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="process.md"'
    assert answer.content.startswith(b"# Incident response process")
    read(client, "/process/document.docx", 404)
    assert Caller().ask("GET", "/api/v1/process/document")[0] == 401
    assert Caller("rita").ask("GET", "/api/v1/process/document?format=docx")[0] == 422


@pytest.mark.django_db(transaction=True)
@pytest.mark.req("R-9.1-10")
def test_one_command_prints_it(shell: Shell, tmp_path: Path) -> None:
    done = shell.run("process", "print")
    assert done.exit_code == 0
    assert done.stdout.startswith("# Incident response process\n")
    target = tmp_path / "process.html"
    done = shell.run("process", "print", "--format", "html", "-o", str(target))
    assert (done.exit_code, done.stdout) == (0, "")
    assert read_html(target.read_text(encoding="utf-8")).seen >= {"nav", "table"}
    assert shell.run("process", "print", "--version", "v9").exit_code == 1
    assert shell.run("process", "print", "--format", "docx").exit_code == 2
