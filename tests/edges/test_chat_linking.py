"""Linking an account of a chat tool: at once by an administrator, by a code that the account says for anybody else."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from tests.domains import worlds
from tests.domains.incident_worlds import House
from tests.edges.api_client import Caller
from tests.edges.chat_fakes import SIGNING_SECRET, slack_command, slack_event
from tests.edges.test_cli import Shell
from tests.edges.web_client import has, read, signed_in, words
from tocsin.audit.models import Entry
from tocsin.comms import actions as comms
from tocsin.comms.models import ChatAccount, ChatLink
from tocsin.core.access import SYSTEM
from tocsin.core.chat_calls import Heard
from tocsin.core.chat_linking import LASTS, TRIES
from tocsin.incidents import queries
from tocsin.incidents.models import ChannelState, Incident, ResponseChannel
from tocsin.people import actions as people
from tocsin.platform import clock as clocks
from tocsin.process import queries as process

ADA, MARA = "@ada:hs.example", "maramaramaramaramaramarama"
ROOM = "!room:hs.example"
PATH = "/api/v1/chat/accounts"


@pytest.fixture
def house(clock: clocks.WoundClock, settings: Any) -> House:
    settings.CHAT_ADAPTER = "matrix"
    settings.CHAT = {"slack": {"signing_secret": SIGNING_SECRET}}
    settings.PUBLIC_URL = "https://tocsin.example"
    return House(now=clock.now())


@pytest.fixture
def incident(house: House) -> Incident:
    row = house.declare(severity=process.current().severities.severities[0].code)
    ResponseChannel.objects.filter(incident=row).update(reference=ROOM, state=ChannelState.OPEN)
    return row


@pytest.fixture
def ada(house: House) -> Caller:
    return Caller("ada", now=house.now)


def begin(caller: Caller, *, adapter: str = "matrix", account: str = ADA, user: str = "ada") -> dict[str, Any]:
    status, answer = caller.ask("POST", PATH, {"adapter": adapter, "account": account, "user": user})
    assert (status, answer["state"]) == (202, "pending"), answer
    return dict(answer)


def says(
    text: str, house: House, *, account: str = ADA, adapter: str = "matrix", ident: str = "$1", **more: Any
) -> str:
    """Somebody writes it in the incident's room; what they are answered there."""
    from tocsin.platform.models import OutboxMessage

    heard = Heard(ident=ident, room=ROOM, account=account, name=account, text=text, sent_seconds=0, **more)
    comms.take_message(adapter, heard, now=house.now)
    answer = OutboxMessage.objects.filter(kind="room.post", key__endswith=f"answer-{ident}").first()
    return str(answer.payload["text"]) if answer else ""


def linked() -> list[tuple[str, str, str]]:
    return list(ChatAccount.objects.values_list("adapter", "account", "person__username"))


def logged(kind: str) -> list[tuple[str, dict[str, Any]]]:
    return [(row.actor, row.data or {}) for row in Entry.objects.filter(kind=kind).order_by("seq")]


def chat(incident: Incident) -> list[str]:
    return [line.text for line in queries.timeline(SYSTEM, incident.ref) if line.kind == "chat"]


@pytest.mark.django_db
class TestInARoom:
    def test_a_person_begins_and_the_account_proves_it_once(
        self, house: House, incident: Incident, ada: Caller
    ) -> None:
        asked = begin(ada)
        assert asked["write"] == f"!link {asked['code']}"
        assert linked() == []
        assert "do not know whose" in says("!ack", house, ident="$0")
        assert "Linked" in says(asked["write"].lower(), house)
        assert linked() == [("matrix", ADA, "ada")]
        [(actor, told)] = logged("person.chat_account_linked")
        assert (actor, told["change"], told["by"]) == ("ada", "linked", "code")
        assert says("!ack", house, ident="$2") == f"Ada is on {incident.ref}."
        again = says(asked["write"], house, ident="$3", account="@eve:hs.example")
        assert "Nothing was changed" in again
        assert linked() == [("matrix", ADA, "ada")]

    def test_the_code_is_nowhere_afterwards(self, house: House, incident: Incident, ada: Caller) -> None:
        code = begin(ada)["code"]
        says(f"!link {code}", house)
        says(f"Corrected: !link {code}", house, ident="$2", command=False)
        assert chat(incident) == ["!link (the code is not kept)", "Corrected: !link (the code is not kept)"]
        bare = code.replace("-", "")
        told = [str(row.data) for row in Entry.objects.all()]
        assert not [text for text in told if code in text or bare in text]
        begin(ada, account="@second:hs.example")
        assert all(len(row.digest) == 64 for row in ChatLink.objects.all())

    def test_another_account_cannot_use_the_code(self, house: House, incident: Incident, ada: Caller) -> None:
        code = begin(ada)["code"]
        answer = says(f"!link {code}", house, account="@eve:hs.example")
        assert "Nobody asked to link @eve:hs.example" in answer
        assert "https://tocsin.example/me" in answer
        assert linked() == []
        assert "Linked" in says(f"!link {code}", house, ident="$2")

    def test_a_wrong_code_says_so_changes_nothing_and_few_end_it(
        self, house: House, incident: Incident, ada: Caller
    ) -> None:
        code = begin(ada)["code"]
        wrong = [says("!link AAAA-AAAA", house, ident=f"$w{turn}") for turn in range(TRIES)]
        assert "That is not the code. Nothing was changed; 4 tries are left." in wrong[0]
        assert "no try is left" in wrong[-1]
        assert "That code is over" in says(f"!link {code}", house)
        assert linked() == []
        assert [told["tries_left"] for _, told in logged("person.chat_link_refused")] == [4, 3, 2, 1, 0]

    def test_one_message_costs_one_try_however_often_it_is_read(
        self, house: House, incident: Incident, ada: Caller
    ) -> None:
        begin(ada)
        for _ in range(3):
            says("!link AAAA-AAAA", house)
        assert ChatLink.objects.get().tries_left == TRIES - 1

    def test_a_code_that_comes_too_late_is_over(self, house: House, incident: Incident, ada: Caller) -> None:
        code = begin(ada)["code"]
        house.now += LASTS
        assert "That code is over" in says(f"!link {code}", house)
        assert linked() == []

    def test_a_new_code_ends_the_one_before(self, house: House, incident: Incident, ada: Caller) -> None:
        first, second = begin(ada)["code"], begin(ada)["code"]
        assert "That is not the code" in says(f"!link {first}", house)
        assert "Linked" in says(f"!link {second}", house, ident="$2")

    def test_whoever_else_began_one_for_the_account_keeps_nobody_from_it(
        self, house: House, incident: Incident, ada: Caller
    ) -> None:
        eve = begin(Caller("eve", now=house.now), user="eve")["code"]
        code = begin(ada)["code"]
        says(f"!link {code}", house)
        assert linked() == [("matrix", ADA, "ada")]
        assert "Nothing was changed" in says(f"!link {eve}", house, ident="$2")
        assert linked() == [("matrix", ADA, "ada")]

    def test_a_person_who_was_disabled_meanwhile_gets_nothing(
        self, house: House, incident: Incident, ada: Caller
    ) -> None:
        code = begin(ada)["code"]
        people.disable_person(SYSTEM, username="ada", now=house.now)
        assert "Nothing was changed" in says(f"!link {code}", house)
        assert linked() == []

    def test_in_mattermost_a_name_is_proved_by_its_account(self, house: House, incident: Incident, ada: Caller) -> None:
        ResponseChannel.objects.update(adapter="mattermost")
        code = begin(ada, adapter="mattermost", account="mara")["code"]
        heard = Heard(ident="p1", room=ROOM, account=MARA, name="mara", text=f"!link {code}", sent_seconds=0)
        comms.take_message("mattermost", heard, now=house.now)
        assert linked() == [("mattermost", MARA, "ada")]
        assert not ChatLink.objects.exists()


@pytest.mark.django_db
class TestBySlash:
    def test_it_is_proved_outside_of_an_incident_s_channel(self, house: House, ada: Caller) -> None:
        asked = begin(ada, adapter="slack", account="U1")
        assert asked["write"] == f"/tocsin link {asked['code']}"
        text = asked["write"].removeprefix("/tocsin ")
        where = {"channel": "C-general", "at": house.now}
        assert "Nobody asked to link somebody (U2)" in slack_command(text, user="U2", **where).json()["text"]
        assert "Linked: somebody (U1) is Ada." in slack_command(text, user="U1", **where).json()["text"]
        assert linked() == [("slack", "U1", "ada")]

    def test_whoever_is_not_linked_learns_what_to_do(self, house: House) -> None:
        found = slack_command("ack INC-1", user="U9", channel="C-general", at=house.now).json()["text"]
        assert "https://tocsin.example/me" in found
        assert "tocsin chat link --adapter slack --account U9" in found
        assert "Write the code" in slack_command("link", user="U9", channel="C", at=house.now).json()["text"]

    def test_a_message_in_the_channel_does_as_well(self, house: House, incident: Incident, ada: Caller) -> None:
        ResponseChannel.objects.update(adapter="slack")
        asked = begin(ada, adapter="slack", account="U1")
        event = {"type": "message", "channel": ROOM, "user": "U1", "text": f"!link {asked['code']}", "ts": "1.0"}
        slack_event(event, at=house.now)
        assert linked() == [("slack", "U1", "ada")]
        assert chat(incident) == ["!link (the code is not kept)"]


@pytest.mark.django_db
class TestOverTheApi:
    def test_an_administrator_links_anybody_at_once(self, house: House) -> None:
        root = Caller("root", now=house.now)
        for user, account in (("ada", ADA), ("root", "@root:hs.example")):
            status, answer = root.ask("POST", PATH, {"adapter": "matrix", "account": account, "user": user})
            assert (status, answer) == (
                201,
                {"adapter": "matrix", "account": account, "user": user, "state": "linked"},
            )
        assert [told["by"] for _, told in logged("person.chat_account_linked")] == ["administrator"] * 2

    def test_what_waits_is_shown_to_its_person_and_to_administrators_without_the_code(
        self, house: House, ada: Caller
    ) -> None:
        code = begin(ada)["code"]
        for caller, seen in ((ada, 1), (Caller("root", now=house.now), 1), (Caller("ben", now=house.now), 0)):
            items = caller.must("GET", PATH)["items"]
            assert [one["state"] for one in items] == ["pending"] * seen
            assert code not in str(items)
            assert code.replace("-", "") not in str(items)

    def test_what_waits_can_be_taken_back(self, house: House, incident: Incident, ada: Caller) -> None:
        code = begin(ada)["code"]
        assert Caller("ben", now=house.now).ask("DELETE", f"{PATH}/matrix/{ADA}")[0] == 404
        assert ada.ask("DELETE", f"{PATH}/matrix/{ADA}")[0] == 204
        assert ada.must("GET", PATH)["items"] == []
        assert "Nobody asked" in says(f"!link {code}", house)

    def test_what_cannot_be_is_refused_and_begins_nothing(self, house: House, ada: Caller) -> None:
        comms.link_chat_account(SYSTEM, adapter="matrix", account=ADA, username="ben", now=house.now)
        good = {"adapter": "matrix", "account": "@x:hs.example", "user": "ada"}
        for wrong, status in (
            ({"account": ADA}, 409),
            ({"user": "ben"}, 403),
            ({"user": "nobody"}, 404),
            ({"adapter": "fax"}, 422),
            ({"account": "two words"}, 422),
        ):
            assert ada.ask("POST", PATH, good | wrong)[0] == status
        assert not ChatLink.objects.exists()
        assert logged("person.chat_link_begun") == []


@pytest.mark.django_db
class TestOnMyPage:
    @pytest.fixture
    def browser(self, house: House) -> Client:
        return signed_in("ada")

    def ask(self, browser: Client, adapter: str = "slack", account: str = "U1", status: int = 200) -> str:
        answer = browser.post("/me/chat-accounts", {"adapter": adapter, "account": account})
        assert answer.status_code == status
        return answer.content.decode()

    def test_one_asks_sees_the_code_once_proves_it_and_unlinks(self, house: House, browser: Client) -> None:
        assert "None is linked" in read(browser, "/me")
        page = self.ask(browser)
        write = words(page, "me-chat-write")
        assert write.startswith("/tocsin link ")
        assert "From U1 , in any channel, write until" in words(page, "me-chat-code")
        waits = read(browser, "/me")
        assert "U1 Slack. Waits until" in words(waits, "me-chat-waiting")
        assert write.rpartition(" ")[2] not in waits
        slack_command(write.removeprefix("/tocsin "), user="U1", channel="C", at=house.now)
        assert "U1 Slack, linked since" in words(read(browser, "/me"), "me-chat-linked")
        browser.post("/me/chat-accounts/end", {"adapter": "slack", "account": "U1"})
        assert linked() == []
        assert not has(read(browser, "/me"), "me-chat-linked")

    def test_the_page_with_the_code_is_kept_by_no_browser(self, browser: Client) -> None:
        answer = browser.post("/me/chat-accounts", {"adapter": "slack", "account": "U1"})
        assert "no-store" in answer.headers["Cache-Control"]

    def test_what_was_asked_can_be_taken_back(self, browser: Client) -> None:
        self.ask(browser)
        browser.post("/me/chat-accounts/end", {"adapter": "slack", "account": "U1"})
        assert not ChatLink.objects.exists()

    def test_what_is_wrong_stands_at_its_field(self, house: House, browser: Client) -> None:
        comms.link_chat_account(SYSTEM, adapter="slack", account="U2", username="ben", now=house.now)
        for account, said in (("U2", "linked to somebody else already"), ("two words", "as the tool names it")):
            page = self.ask(browser, account=account, status=422)
            assert said in page
            assert f'value="{account}"' in page
        assert "It is one of" in self.ask(browser, adapter="fax", status=422)
        assert not ChatLink.objects.exists()

    def test_an_administrator_is_linked_at_once(self, house: House) -> None:
        root = signed_in("root")
        assert root.post("/me/chat-accounts", {"adapter": "slack", "account": "U7"}).status_code == 302
        assert linked() == [("slack", "U7", "root")]

    def test_without_a_chat_tool_nothing_of_it_is_shown(self, browser: Client, settings: Any) -> None:
        settings.CHAT = {}
        assert not has(read(browser, "/me"), "me-chat")

    def test_nobody_ends_another_s(self, house: House, browser: Client) -> None:
        comms.link_chat_account(SYSTEM, adapter="slack", account="U2", username="ben", now=house.now)
        answer = browser.post("/me/chat-accounts/end", {"adapter": "slack", "account": "U2"})
        assert answer.status_code == 403
        assert linked() == [("slack", "U2", "ben")]


@pytest.mark.django_db(transaction=True)
def test_the_command_line_says_what_to_write(live_server: Any) -> None:
    now = clocks.now()
    worlds.process(now=now)
    worlds.person("ada", now=now)
    _, token = people.create_token(SYSTEM, username="ada", name="tests", now=now)
    shell = Shell(live_server.url, token)
    words = ("chat", "link", "--adapter", "slack", "--account", "U1", "--user", "ada")
    told = shell.run(*words)
    assert told.exit_code == 0
    assert "From U1, in any channel, write until" in told.stdout
    assert "    /tocsin link " in told.stdout
    [waiting] = shell.json("chat", "accounts")["items"]
    assert (waiting["state"], waiting["account"]) == ("pending", "U1")
    code = shell.json(*words)["code"]
    assert "Linked" in comms.prove_chat_account(comms.Speaker("slack", "U1"), code, now=now + timedelta(minutes=1))
    [one] = shell.json("chat", "accounts")["items"]
    assert one["state"] == "linked"
    assert "linked" in shell.run(*words).stdout
