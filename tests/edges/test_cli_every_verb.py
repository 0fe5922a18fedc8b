"""Verbs of the command line that no story of their own uses: what they do, how they refuse, and what --help says."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from pytest_django.live_server_helper import LiveServer

from tests.house import one_of_each, visitors
from tocsin.core.access import SYSTEM
from tocsin.incidents.models import Obligation, ObligationState
from tocsin.platform.clock import WoundClock
from tocsin.process import queries as process
from tocsin.wiring.main import cli

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]

SECRET = "whsec_c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"
DONE: tuple[tuple[str, str, str], ...] = (
    # who, what, and a word that stands in what comes of it
    ("process_owner", "process schemes", "six-role"),
    ("process_owner", "process schemes six-role -o json", "roles"),
    ("process_owner", "process look --note 'It still fits'", "2027-11-23"),
    ("process_owner", "process people 2", "invited"),
    ("process_owner", "process size 2 --answer teams=40 --scheme three-role --reason 'Three are enough'", "three-role"),
    ("process_owner", "process survey show 2", "who-decided"),
    (
        "responder",
        "process survey answer {survey} --answer 'who-decided=Nobody did' --answer in-the-way=Mails",
        "Nobody did",
    ),
    ("process_owner", "process survey show 2", "Nobody did"),
    ("process_owner", "process propose {change} --note 'Say more'", "3"),
    ("process_owner", "process survey open 3 --until 2026-11-28T00:00:00Z", "owner"),
    ("process_owner", "process review 3", "in_review"),
    ("owner", "process remark 3 --agree", "owner"),
    ("process_owner", "process publish 3", "published"),
    ("owner", "process read 3", "read_at"),
    ("process_owner", "process brief list", "board@harbor.example"),
    ("process_owner", "process brief done board@harbor.example", "briefed_at"),
    ("process_owner", "process brief acknowledge board@harbor.example --at 2026-11-23T02:13:00Z", "02:13:00"),
    ("admin", "user training add responder incident_coordinator --on 2026-11-02 --valid-until 2027-11-02", "2027"),
    ("admin", "user training list --person responder", "incident_coordinator"),
    ("admin", "user training gaps", ""),
    ("owner", "user training add helper scribe --on 2026-11-02 --team tickets", "scribe"),
    ("responder", "action list", "Test it first"),
    ("admin", "adapter list", "email"),
    ("owner", "escalation list", "checkout"),
    ("process_owner", "group add press --name Press --ring 2", "press"),
    ("process_owner", "group list", "press"),
    ("process_owner", "group member press --email desk@press.example --name Desk", "desk@press.example"),
    ("responder", "incident note INC-1 'It is slower'", "INC-1"),
    ("responder", "incident priority INC-1 1 --reason 'all customers'", "1"),
    ("responder", "incident undo INC-1", "INC-1"),
    ("responder", "incident severity INC-1 error --reason 'two teams'", "error"),
    ("responder", "incident set-severity INC-1 warning --reason 'one team'", "warning"),
    ("responder", "incident size INC-1 --users 45% --teams 2", "INC-1"),
    ("responder", "incident suggestion INC-1 severity decline --reason 'It is small'", "INC-1"),
    ("responder", "incident role INC-1 technical_expert responder", "INC-1"),
    (
        "responder",
        "incident hand-over INC-1 technical_expert owner --done Logs --open Cause --risks None --next-update 04:00",
        "owner",
    ),
    ("responder", "incident pull-in INC-1 helper --reason 'Knows the database'", "helper"),
    ("reader", "incident observe INC-1", "INC-1"),
    ("reader", "incident observe INC-1 --leave", ""),
    ("reader", "incident summary INC-1", "Checkout fails"),
    ("responder", "incident waive {owed} --reason 'Nobody waits for it'", "waived"),
    ("owner", "incident accept-hand-over {hand_over}", "owner"),
    ("admin", "incident take-over INC-2 incident_coordinator --reason 'I know it'", "incident_coordinator"),
    ("admin", "incident take-overs INC-2", "admin"),
    ("owner", "incident answer-take-over {next_take_over} --keep --note 'We are nearly there'", "declined"),
    ("responder", "res INC-2 --category software --note 'Cache emptied'", "resolved"),
    ("responder", "incident declare --title Slow --service checkout --priority 4", "INC-4"),
    ("responder", "incident waive {owed} --reason 'Done by hand'", "waived"),
    ("responder", "res INC-4 --category software", "resolved"),
    ("responder", "incident close INC-4 --cause 'A full disk'", "closed"),
    ("admin", "integration list", "Prometheus"),
    ("owner", "integration revoke {integration}", ""),
    ("responder", "oncall now", "checkout"),
    ("responder", "oncall gaps --from 2026-11-23T00:00:00Z --to 2026-11-24T00:00:00Z", ""),
    ("responder", "oncall shifts checkout --from 2026-11-23T00:00:00Z --to 2026-11-30T00:00:00Z", "owner"),
    ("responder", "postmortem list", "INC-3"),
    ("responder", "postmortem show INC-3", "INC-3"),
    ("responder", "postmortem start INC-3", "INC-3"),
    ("responder", "postmortem write INC-3 summary 'Nobody could pay for an hour'", "Nobody could pay for an hour"),
    ("responder", "service list", "checkout"),
    ("owner", "service maintenance checkout on", "checkout"),
    ("responder", "slo list --team tickets", "checkout"),
    ("responder", "slo ledger checkout", ""),
    ("owner", "subscriber add --email shop@harbor.example --service checkout", "shop@harbor.example"),
    ("admin", "subscriber list", "shop@harbor.example"),
    ("responder", "team list", "payments"),
    ("owner", "team member tickets helper --owner", "helper"),
    ("admin", "token create laptop --user helper", "tocsin_"),
    ("responder", "update due", ""),
    ("responder", "update list INC-1", ""),
    ("responder", "update no-change INC-1 --next 60m", "no change"),
    ("admin", "user contact helper --channel email --address helper@home.example", "helper@home.example"),
    ("admin", "user fallback night@harbor.example", "night@harbor.example"),
    ("admin", "user list", "helper"),
    ("admin", f"webhook add --url https://hooks.harbor.example/y --secret {SECRET}", "hooks.harbor.example/y"),
    ("admin", "webhook deliveries {webhook}", ""),
    ("admin", f"webhook rotate {{webhook}} --secret {SECRET}", ""),
)
ANSWERED: tuple[tuple[str, str, int], ...] = (
    ("responder", "process look --note 'It fits'", 1),
    ("process_owner", "process look --note ' '", 1),
    ("process_owner", "process look", 2),
    ("responder", "process size 2 --scheme three-role --reason 'x'", 1),
    ("process_owner", "process size 2 --answer teams --scheme three-role --reason 'x'", 2),
    ("process_owner", "process size 404 --scheme three-role --reason 'x'", 1),
    ("process_owner", "process schemes nine-role", 1),
    ("process_owner", "process read 1", 1),
    ("process_owner", "process people 404", 1),
    ("responder", "process survey open 2 --until 2026-11-28T00:00:00Z", 1),
    ("process_owner", "process survey open 2 --until soon", 2),
    ("reader", "process survey answer {survey} --answer who-decided=Me", 1),
    ("responder", "process survey answer {survey} --answer whodunnit=Me", 1),
    ("responder", "process survey answer {survey} --answer Me", 2),
    ("responder", "adapter test email", 1),
    ("admin", "adapter test email --dry-run", 0),
    ("admin", "adapter test pigeon", 1),
    ("responder", "chat test --adapter slack --dry-run", 0),
    ("reader", "incident channel INC-1", 1),
    ("reader", "incident ask-role INC-1 incident_coordinator", 1),
    ("responder", "incident ask-role INC-1 nobody_knows", 1),
    ("other_team", "chat unlink --adapter slack --account U1", 1),
    ("admin", "chat unlink --adapter slack --account U1", 0),
    ("admin", "chat unlink --adapter slack --account U1", 1),
    ("responder", "process brief done board@harbor.example", 1),
    ("process_owner", "process brief done nobody@harbor.example", 1),
    ("responder", "incident close INC-3 --cause 'A full disk'", 1),
    ("process_owner", "process brief acknowledge board@harbor.example --at 2030-01-01T00:00:00Z", 1),
    ("responder", "user training add helper scribe --on 2026-11-02", 1),
    ("admin", "user training add helper scribe --on 2030-11-02", 1),
    ("admin", "user training add nobody scribe --on 2026-11-02", 1),
    ("admin", "user training add helper scribe --on yesterday", 2),
)


NUMBERED = {"survey", "hand_over", "take_over", "integration", "webhook"}


class Shell:
    """A terminal in which one of the house works."""

    def __init__(self, url: str, tokens: dict[str, str], there: dict[str, str]) -> None:
        self._url, self._tokens, self._there = url, tokens, there

    def run(self, who: str, line: str) -> Result:
        environment = {"TOCSIN_URL": self._url, "TOCSIN_TOKEN": self._tokens[who]}
        latest = Obligation.objects.filter(state=ObligationState.OPEN).latest("pk")
        return CliRunner().invoke(cli, shlex.split(line.format(**self._there, owed=latest.pk)), env=environment)


@pytest.fixture
def shell(live_server: LiveServer, clock: WoundClock, tmp_path: Path) -> Shell:
    people = visitors.everybody(clock.now())
    house = one_of_each.build(clock.now())
    clock.wind(timedelta(minutes=1))
    there = {name: to for _, name, to in house.ways if name in NUMBERED}
    there["next_take_over"] = str(int(there["take_over"]) + 1)
    change = tmp_path / "change.json"
    change.write_text(json.dumps({"priorities": process.version(SYSTEM, 2).document["priorities"]}))
    there["change"] = str(change)
    return Shell(live_server.url, {one.name: one.token for one in people}, there)


def test_each_verb_does_what_it_says(shell: Shell) -> None:
    """In one house, one after the other, read as a script reads them."""
    failed = []
    for who, line, word in DONE:
        result = shell.run(who, line if " -o " in line else f"{line} --json")
        try:
            found = json.dumps(json.loads(result.stdout), ensure_ascii=False) if result.stdout.strip() else ""
        except ValueError:
            found = f"no JSON: {result.stdout[:200]}"
        if result.exit_code != 0 or word not in found or found.startswith("no JSON"):
            failed.append(f"{who}: {line} -> {result.exit_code} {found[:300]} {result.stderr[:300]}")
    assert not failed, "\n".join(failed)


def test_a_refusal_is_one_line_and_an_exit_code(shell: Shell) -> None:
    failed = []
    for who, line, code in ANSWERED:
        result = shell.run(who, line)
        told = result.stderr.strip()
        one_line = code != 1 or (result.stdout == "" and told != "" and "\n" not in told)
        if result.exit_code != code or not one_line or "Traceback" in told:
            failed.append(f"{who}: {line} -> {result.exit_code} {result.stdout[:200]} {told[:300]}")
    assert not failed, "\n".join(failed)


def test_every_verb_explains_itself() -> None:
    """A sentence, and each of its options with the words that --help shows for them."""
    for words, command in verbs(cli):
        result = CliRunner().invoke(cli, [*words, "--help"])
        assert result.exit_code == 0, words
        assert result.output.startswith("Usage:"), words
        assert command.help, f"{' '.join(words)} says nothing of itself"


def verbs(command: click.Command, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    if isinstance(command, click.Group):
        for name, one in sorted(command.commands.items()):
            yield from verbs(one, (*words, name))
    yield words, command


def test_the_bench_prints_one_document_a_size() -> None:
    result = CliRunner().invoke(cli, shlex.split("slo bench --slos 50 --slos 100 --json"))
    assert [json.loads(line)["slos"] for line in result.stdout.splitlines()] == [50, 100]


def test_every_verb_is_used_by_a_test() -> None:
    """As words of one line or as a list of words, somewhere in the tests."""
    told = "\n".join(path.read_text(encoding="utf-8") for path in Path(__file__).parents[1].rglob("*.py"))
    unused = [
        " ".join(words)
        for words, command in verbs(cli)
        if not isinstance(command, click.Group)
        and words[0] != "import"  # tests/domains/test_imports.py puts that word first for all of them
        and " ".join(words) not in told
        and not re.search(r'",\s*"'.join(map(re.escape, words)) + '"', told)
    ]
    assert not unused, ", ".join(unused)
