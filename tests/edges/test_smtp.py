"""Mail through a real SMTP server: what it holds, and what each kind of refusal or silence leads to."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from tests.domains.delivery_worlds import queue
from tests.domains.incident_worlds import HOUR, House
from tests.edges.mail_server import HANG_UP, MailBox, mail_server
from tocsin.channels import registry
from tocsin.channels.email import EmailChannel, Server, compose
from tocsin.channels.protocol import DeliveryFailed, Message
from tocsin.comms import actions as comms
from tocsin.core.access import SYSTEM
from tocsin.engine import deliver
from tocsin.incidents import actions as incidents
from tocsin.platform.models import Delivery, OutboxMessage, OutboxState
from tocsin.process import actions as process

NOW = datetime(2026, 11, 23, 2, 12, tzinfo=UTC)
FROM = "Tocsin <tocsin@harbor.example>"
SOON = timedelta(seconds=5)


@pytest.fixture
def box() -> Iterator[MailBox]:
    with mail_server() as found:
        yield found


def message(address: str = "ada@harbor.example", **fields: Any) -> Message:
    values: dict[str, Any] = {
        "key": "page-1-1-0-0-0-page-2-2",
        "kind": "page",
        "address": address,
        "payload": {"subject": "P1 Log-on: fails", "text": "Take it: http://x.example/p/1", "to_name": "Ada"},
        "due_at": NOW,
        "at": NOW + HOUR,
    }
    return Message(**values | fields)


def send(box: MailBox, said: Message | None = None) -> str:
    channel = EmailChannel(box.url, FROM)
    try:
        return channel.send(said or message(), deadline=SOON)
    finally:
        channel.close()


def failure(box: MailBox, said: Message | None = None) -> DeliveryFailed:
    with pytest.raises(DeliveryFailed) as failed:
        send(box, said)
    return failed.value


class TestTheMail:
    def test_it_holds_what_a_filter_a_thread_and_a_reader_need(self, box: MailBox) -> None:
        headers = {
            "X-Incident-Id": "INC-1",
            "X-Update-Kind": "page",
            "References": "<INC-1@tocsin>",
            "In-Reply-To": "<INC-1@tocsin>",
            "List-Unsubscribe": "<http://x.example/unsubscribe/1>",
        }
        send(box, message(payload={**message().payload, "headers": headers}))
        [mail] = box.mails
        assert mail["Message-ID"] == "<page-1-1-0-0-0-page-2-2@tocsin>"
        assert parsedate_to_datetime(mail["Date"]) == NOW
        assert mail["Auto-Submitted"] == "auto-generated"
        assert {name: mail[name] for name in headers} == headers
        assert (mail["From"], mail["To"]) == (FROM, "Ada <ada@harbor.example>")
        assert mail.get_content_type() == "text/plain"
        assert mail.get_content().strip() == "Take it: http://x.example/p/1"
        assert mail["X-Tocsin-Repeat"] is None

    def test_a_repeat_keeps_its_message_id_and_says_that_it_is_one(self, box: MailBox) -> None:
        send(box)
        send(box, message(repeat=True))
        first, again = box.mails
        assert first["Message-ID"] == again["Message-ID"]
        assert again["X-Tocsin-Repeat"]

    def test_letters_of_all_the_world_arrive_as_they_were_written(self, box: MailBox) -> None:
        text = "Größe 漢字 🔥\n" + "x" * 3000
        said = message(payload={"subject": "Störung 漢字", "text": text, "to_name": "Zoë"})
        send(box, said)
        [mail] = box.mails
        assert mail["Subject"] == "Störung 漢字"
        assert mail.get_content().splitlines() == text.splitlines()
        assert box.envelopes[0].content.isascii()  # type: ignore[union-attr]

    def test_a_text_part_is_always_there_beside_html(self, box: MailBox) -> None:
        send(box, message(payload={"subject": "x", "text": "plain", "html": "<p>rich</p>"}))
        [mail] = box.mails
        assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]

    @pytest.mark.req("R-X-8")
    def test_lines_in_a_subject_a_name_or_a_header_do_not_make_headers_of_their_own(self, box: MailBox) -> None:
        evil = "x\r\nBcc: everybody@harbor.example\r\n\r\nanother body\x00\u202e"
        payload = {"subject": evil, "text": evil, "to_name": evil, "headers": {"X-Incident-Id": evil}}
        send(box, message(payload=payload))
        [mail] = box.mails
        assert mail["Bcc"] is None
        assert mail["Subject"] == "x Bcc: everybody@harbor.example another body"
        assert mail["X-Incident-Id"] == "x Bcc: everybody@harbor.example another body"
        assert box.envelopes[0].rcpt_tos == ["ada@harbor.example"]
        assert "another body" in mail.get_content()

    @pytest.mark.req("R-X-8")
    def test_a_text_that_looks_like_the_end_of_the_mail_is_not_its_end(self, box: MailBox) -> None:
        send(box, message(payload={"subject": "x", "text": "before\r\n.\r\nMAIL FROM:<evil@x.example>\r\nafter"}))
        [mail] = box.mails
        assert mail.get_content().splitlines() == ["before", ".", "MAIL FROM:<evil@x.example>", "after"]
        assert len(box.envelopes) == 1

    @pytest.mark.parametrize(
        "address", ["", "nobody", "a@b.example, c@d.example", "a@b.example>\r\nRCPT TO:<c@d.example", "a b@c.example"]
    )
    def test_what_is_no_single_address_is_refused_for_good_and_nothing_is_sent(
        self, box: MailBox, address: str
    ) -> None:
        assert failure(box, message(address)).permanent is True
        assert box.envelopes == []

    def test_a_header_that_we_set_ourselves_cannot_be_set_from_outside(self) -> None:
        mail: EmailMessage = compose(
            message(payload={"subject": "x", "text": "x", "headers": {"From": "evil@x.example", "Date": "never"}}),
            sender=FROM,
        )
        assert (mail["From"], parsedate_to_datetime(mail["Date"])) == (FROM, NOW)


class TestTheAnswers:
    @pytest.mark.parametrize("answer", ["450 busy", "451 greylisted, come back", "452 full"])
    def test_4xx_is_tried_again(self, box: MailBox, answer: str) -> None:
        box.on_rcpt = [answer]
        refused = failure(box)
        assert (refused.permanent, refused.unknown) == (False, False)
        assert answer in refused.detail
        box.on_data = [answer]
        assert failure(box).permanent is False

    @pytest.mark.parametrize("answer", ["550 no such mailbox", "553 no", "554 we think it is spam"])
    def test_5xx_is_not(self, box: MailBox, answer: str) -> None:
        box.on_rcpt = [answer]
        assert failure(box).permanent is True
        box.on_data = [answer]
        assert failure(box).permanent is True

    def test_a_line_that_breaks_before_the_mail_leaves_no_doubt(self, box: MailBox) -> None:
        box.on_rcpt = [HANG_UP]
        lost = failure(box)
        assert (lost.unknown, lost.permanent) == (False, False)

    def test_a_line_that_breaks_after_the_mail_leaves_one(self, box: MailBox) -> None:
        box.on_data = [HANG_UP]
        lost = failure(box)
        assert (lost.unknown, lost.permanent) == (True, False)
        assert len(box.envelopes) == 1

    def test_no_server_is_a_temporary_trouble(self) -> None:
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            port = closed.getsockname()[1]
        with pytest.raises(DeliveryFailed) as failed:
            EmailChannel(f"smtp://127.0.0.1:{port}", FROM).send(message(), deadline=SOON)
        assert (failed.value.permanent, failed.value.unknown) == (False, False)

    def test_a_password_the_server_refuses_is_our_trouble_and_never_the_recipients(self, box: MailBox) -> None:
        url = f"smtp://user:wrong@127.0.0.1:{box.port}"
        with pytest.raises(DeliveryFailed) as failed:
            EmailChannel(url, FROM).send(message(), deadline=SOON)
        assert failed.value.permanent is False
        assert "wrong" not in failed.value.detail

    def test_encryption_that_the_server_does_not_offer_is_never_done_without(self, box: MailBox) -> None:
        with pytest.raises(DeliveryFailed) as failed:
            EmailChannel(f"smtp+starttls://127.0.0.1:{box.port}", FROM).send(message(), deadline=SOON)
        assert failed.value.permanent is False
        assert box.envelopes == []

    def test_a_server_that_never_says_a_word_is_given_up_at_the_deadline(self) -> None:
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            silent.listen()
            url = f"smtp://127.0.0.1:{silent.getsockname()[1]}"
            with pytest.raises(DeliveryFailed) as failed:
                EmailChannel(url, FROM).send(message(), deadline=timedelta(seconds=0.2))
        assert failed.value.unknown is False

    def test_a_deadline_that_has_passed_sends_nothing(self, box: MailBox) -> None:
        channel = EmailChannel(box.url, FROM)
        channel.send(message(), deadline=SOON)
        with pytest.raises(DeliveryFailed):
            channel.send(message(), deadline=timedelta(0))
        assert len(box.envelopes) == 1

    def test_letters_beyond_ascii_are_fine_in_a_domain_and_refused_before_the_at_sign(self, box: MailBox) -> None:
        send(box, message("ada@häfen.example"))
        assert box.envelopes[0].rcpt_tos == ["ada@xn--hfen-loa.example"]
        assert failure(box, message("zoë@harbor.example")).permanent is True


class TestTheLine:
    def test_one_line_serves_many_mails_and_a_refusal_in_between(self, box: MailBox) -> None:
        channel = EmailChannel(box.url, FROM)
        channel.send(message("a@harbor.example"), deadline=SOON)
        box.on_rcpt = ["550 no such mailbox"]
        with pytest.raises(DeliveryFailed):
            channel.send(message("b@harbor.example"), deadline=SOON)
        channel.send(message("c@harbor.example"), deadline=SOON)
        assert [envelope.rcpt_tos for envelope in box.envelopes] == [["a@harbor.example"], ["c@harbor.example"]]
        assert box.sessions == 1

    def test_a_line_that_broke_is_opened_anew(self, box: MailBox) -> None:
        channel = EmailChannel(box.url, FROM)
        box.on_data = [HANG_UP]
        with pytest.raises(DeliveryFailed):
            channel.send(message(), deadline=SOON)
        channel.send(message(), deadline=SOON)
        assert (len(box.envelopes), box.sessions) == (2, 2)

    def test_each_thread_has_a_line_of_its_own(self, box: MailBox) -> None:
        channel = EmailChannel(box.url, FROM)
        threads = [
            threading.Thread(target=channel.send, args=[message(f"t{n}@harbor.example")], kwargs={"deadline": SOON})
            for n in range(3)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (len(box.envelopes), box.sessions) == (3, 3)

    @pytest.mark.parametrize(
        ("url", "port"),
        [("smtp://m.example", 25), ("smtps://m.example", 465), ("smtp+starttls://m.example:2525", 2525)],
    )
    def test_the_address_of_the_server_is_one_url(self, url: str, port: int) -> None:
        assert Server.parse(url).port == port

    def test_user_and_password_may_hold_any_letter(self) -> None:
        server = Server.parse("smtps://us%40er:p%3Ass@m.example")
        assert (server.username, server.password) == ("us@er", "p:ss")

    @pytest.mark.parametrize("url", ["m.example:25", "http://m.example", "smtp://"])
    def test_another_url_is_refused_at_the_start(self, url: str) -> None:
        with pytest.raises(ValueError, match="TOCSIN_SMTP_URL"):
            EmailChannel(url, FROM)


@pytest.mark.django_db
class TestFromTheOutbox:
    @pytest.fixture
    def house(self) -> House:
        return House()

    def deliver(self, box: MailBox, now: datetime) -> int:
        return deliver.turn(registry.build(smtp_url=box.url, mail_from=FROM), now=now, limit=50)

    def test_4xx_is_tried_again_5xx_is_not(self, box: MailBox) -> None:
        queue("later")
        box.on_rcpt = ["451 greylisted"]
        self.deliver(box, NOW)
        row = OutboxMessage.objects.get()
        assert (row.state, row.not_before > NOW) == (OutboxState.QUEUED, True)
        self.deliver(box, row.not_before)
        assert OutboxMessage.objects.get().state == OutboxState.SENT
        queue("never", now=row.not_before)
        box.on_rcpt = ["550 no such mailbox"]
        self.deliver(box, row.not_before)
        assert OutboxMessage.objects.get(key="never").state == OutboxState.FAILED
        assert self.deliver(box, row.not_before + timedelta(days=1)) == 0
        assert len(box.envelopes) == 1

    def test_a_line_lost_after_the_mail_leads_to_a_repeat_that_says_so(self, box: MailBox) -> None:
        queue()
        box.on_data = [HANG_UP]
        self.deliver(box, NOW)
        self.deliver(box, NOW + timedelta(minutes=1))
        first, again = box.mails
        assert first["Message-ID"] == again["Message-ID"]
        assert (first["X-Tocsin-Repeat"], bool(again["X-Tocsin-Repeat"])) == (None, True)
        assert list(Delivery.objects.order_by("id").values_list("outcome", flat=True)) == ["unknown", "accepted"]

    def test_page_status_update_and_end_make_one_thread_with_one_recipient_a_mail(
        self, box: MailBox, house: House
    ) -> None:
        comms.add_subscriber(SYSTEM, email="sub@harbor.example", service="log-on", now=house.now)
        for email in ("help@harbor.example", "desk@harbor.example"):
            process.add_group_member(SYSTEM, group="customer-support", email=email, now=house.now)
        incident = house.declare(groups=["customer-support"])
        comms.send_update(house.ada, incident.number, text="We look.", next_update_at=house.now + HOUR, now=house.now)
        comms.advance_status_mails(now=house.now)
        self.deliver(box, house.now)
        house.pass_time(timedelta(minutes=20))
        incidents.resolve(house.ada, incident.number, category="deploy", now=house.now)
        comms.advance_status_mails(now=house.now)
        self.deliver(box, house.now)
        told = {(mail["X-Update-Kind"], mail["To"]) for mail in box.mails}
        assert told >= {
            ("page", "Ada <ada@harbor.example>"),
            ("status", "sub@harbor.example"),
            ("resolved", "sub@harbor.example"),
            ("update", "help@harbor.example"),
            ("update", "desk@harbor.example"),
        }
        assert all(len(envelope.rcpt_tos) == 1 for envelope in box.envelopes)
        assert {mail["References"] for mail in box.mails} == {"<INC-1@tocsin>"}
        assert {mail["X-Incident-Id"] for mail in box.mails} == {"INC-1"}
        assert len({mail["Message-ID"] for mail in box.mails}) == len(box.mails)
        assert {mail["Auto-Submitted"] for mail in box.mails} == {"auto-generated"}
        listed = {mail["X-Update-Kind"] for mail in box.mails if mail["List-Unsubscribe"]}
        assert listed == {"status", "resolved"}

    def test_a_status_mail_carries_the_date_it_is_for_however_late_it_leaves(self, box: MailBox, house: House) -> None:
        comms.add_subscriber(SYSTEM, email="sub@harbor.example", service="log-on", now=house.now)
        began = house.now
        house.declare()
        comms.advance_status_mails(now=began)
        comms.advance_status_mails(now=began + 2 * HOUR + timedelta(seconds=30))
        OutboxMessage.objects.exclude(kind="status").delete()
        self.deliver(box, began + HOUR)
        self.deliver(box, began + 3 * HOUR)
        assert [parsedate_to_datetime(mail["Date"]) for mail in box.mails] == [began, began + 2 * HOUR]

    @pytest.mark.req("R-X-8")
    def test_the_title_of_an_alert_cannot_add_a_header_to_any_mail(self, box: MailBox, house: House) -> None:
        comms.add_subscriber(SYSTEM, email="sub@harbor.example", service="log-on", now=house.now)
        house.declare("Fails\r\nBcc: everybody@harbor.example\r\n\r\n<script>")
        comms.advance_status_mails(now=house.now)
        self.deliver(box, house.now)
        assert len(box.mails) == 2
        for mail in box.mails:
            assert mail["Bcc"] is None
            assert "Fails Bcc: everybody@harbor.example" in mail["Subject"]


def test_without_a_mail_server_messages_go_to_the_console_and_are_not_lost_silently(
    capsys: pytest.CaptureFixture[str],
) -> None:
    channels = registry.build(smtp_url="", mail_from=FROM)
    assert set(channels) == {"email", "webhook"}
    channels["email"].send(message(payload={"subject": "P1 \x1b[31mred", "text": "x"}), deadline=SOON)
    shown = capsys.readouterr().err
    assert "page to ada@harbor.example" in shown
    assert "\x1b" not in shown
