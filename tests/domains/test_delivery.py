"""From the outbox to the far side: who may send what when, and what is written down about it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError

from tests.domains import incident_worlds as world
from tests.domains.delivery_worlds import NOW, FarSide, queue, temporary
from tests.domains.incident_worlds import House
from tocsin.audit.models import Entry
from tocsin.channels.fake import FakePhone
from tocsin.channels.protocol import DeliveryFailed
from tocsin.core.access import SYSTEM
from tocsin.core.facts import Kind
from tocsin.engine import deliver, outcomes
from tocsin.engine.workers import Workers
from tocsin.incidents.models import Page
from tocsin.people import actions as people
from tocsin.people.models import ContactMethod
from tocsin.platform import db
from tocsin.platform.models import Delivery, OutboxMessage, OutboxState

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)


def fresh(message: OutboxMessage) -> OutboxMessage:
    return OutboxMessage.objects.get(pk=message.pk)


def tries(message: OutboxMessage) -> list[str]:
    return list(Delivery.objects.filter(message=message).order_by("id").values_list("outcome", flat=True))


class TestClaims:
    def test_two_that_look_at_once_share_the_work_and_send_nothing_twice(self) -> None:
        for number in range(5):
            queue(f"m{number}")
        first = deliver.claim_due(now=NOW, limit=3)
        second = deliver.claim_due(now=NOW, limit=3)
        keys = [message.key for message in first + second]
        assert (len(first), len(second)) == (3, 2)
        assert len(set(keys)) == 5
        assert deliver.claim_due(now=NOW, limit=3) == []

    def test_a_claim_carries_the_number_of_the_attempt_and_a_lease(self) -> None:
        queue()
        [message] = deliver.claim_due(now=NOW, limit=1)
        assert (message.attempt, message.claimed_by, message.state) == (1, db.node(), OutboxState.CLAIMED)
        assert message.lease_until == NOW + deliver.LEASE * db.patience()

    def test_whoever_lost_the_claim_meanwhile_may_not_write_the_outcome(self) -> None:
        message = queue()
        [slow] = deliver.claim_due(now=NOW, limit=1)
        OutboxMessage.objects.filter(pk=message.pk).update(attempt=2)
        assert outcomes.mark_sent(slow, "taken", now=NOW) is False
        assert outcomes.mark_failed(slow, temporary(), now=NOW) is False
        assert fresh(message).state == OutboxState.CLAIMED
        assert tries(message) == []

    def test_a_lease_that_ran_out_is_taken_over_only_where_other_nodes_can_be(self) -> None:
        from django.db import connection

        queue()
        deliver.claim_due(now=NOW, limit=1)
        later = NOW + deliver.LEASE * db.patience() + SECOND
        taken = deliver.claim_due(now=later, limit=1)
        if connection.vendor == "postgresql":
            assert [(message.attempt, message.repeat) for message in taken] == [(2, True)]
        else:
            assert taken == []

    def test_what_a_killed_process_held_is_sent_again_under_the_same_key_and_says_so(self) -> None:
        queue()
        [first] = deliver.claim_due(now=NOW, limit=1)
        db.release_all([OutboxMessage])
        far_side = FarSide()
        assert deliver.turn({"email": far_side}, now=NOW) == 1
        [again] = far_side.got
        assert (again.key, again.repeat) == (first.key, True)

    def test_a_message_is_never_sent_before_its_time(self) -> None:
        queue(not_before=NOW + SECOND)
        assert deliver.claim_due(now=NOW, limit=1) == []
        assert len(deliver.claim_due(now=NOW + SECOND, limit=1)) == 1

    def test_what_is_queued_twice_under_one_key_leaves_once(self) -> None:
        queue()
        queue()
        far_side = FarSide()
        assert deliver.turn({"email": far_side}, now=NOW) == 1
        assert len(far_side.got) == 1


class TestOrder:
    def test_the_lowest_lane_goes_first_then_what_waited_longest(self) -> None:
        queue("update", lane=21)
        queue("page-of-p2", lane=2)
        queue("later-page-of-p1", lane=1, not_before=NOW + SECOND)
        queue("page-of-p1", lane=1)
        far_side = FarSide()
        deliver.turn({"email": far_side}, now=NOW + SECOND)
        assert [message.key for message in far_side.got] == ["page-of-p1", "later-page-of-p1", "page-of-p2", "update"]

    def test_one_far_side_never_takes_more_than_its_share_of_the_senders(self) -> None:
        for number in range(6):
            queue(f"slow{number}", channel="webhook", destination="webhook:slow.example", lane=1)
        queue("fine", channel="webhook", destination="webhook:fine.example", lane=30)
        taken = deliver.claim_due(now=NOW, limit=8)
        assert [message.key for message in taken] == ["slow0", "slow1", "fine"]

    def test_a_far_side_whose_share_is_on_its_way_is_passed_over(self) -> None:
        queue("slow", destination="webhook:slow.example", lane=1)
        queue("fine", destination="webhook:fine.example", lane=30)
        busy = deliver.Busy({"webhook:slow.example": deliver.PER_DESTINATION}, {"webhook": 2})
        assert [message.key for message in deliver.claim_due(now=NOW, limit=8, busy=busy)] == ["fine"]

    def test_a_hanging_mail_server_leaves_room_for_the_other_channels(self) -> None:
        for number in range(20):
            queue(f"mail{number}", lane=0)
        queue("hook", channel="webhook", lane=30)
        taken = deliver.claim_due(now=NOW, limit=deliver.IN_FLIGHT)
        assert [message.channel for message in taken].count("email") == deliver.PER_CHANNEL
        assert "hook" in [message.key for message in taken]


class TestOutcomes:
    def test_what_was_taken_is_sent_and_stands_on_the_ladder(self) -> None:
        message = queue()
        deliver.turn({"email": FarSide()}, now=NOW)
        after = fresh(message)
        assert (after.state, after.sent_at, after.claimed_by, after.lease_until) == ("sent", NOW, "", None)
        assert tries(message) == ["accepted"]

    def test_a_temporary_refusal_is_tried_again_later_each_time(self) -> None:
        message = queue()
        far_side = FarSide([temporary() for _ in range(4)])
        waits, now = [], NOW
        for _ in range(4):
            assert deliver.turn({"email": far_side}, now=now) == 1
            waits.append(fresh(message).not_before - now)
            now = fresh(message).not_before
        assert waits == sorted(waits)
        assert waits[0] < waits[-1]
        assert deliver.turn({"email": far_side}, now=now) == 1
        assert fresh(message).state == OutboxState.SENT
        assert tries(message) == ["temporary"] * 4 + ["accepted"]
        assert {got.key for got in far_side.got} == {"one"}
        assert [got.repeat for got in far_side.got] == [False] * 5

    def test_a_refusal_for_good_is_not_tried_again(self) -> None:
        message = queue()
        far_side = FarSide([DeliveryFailed("550 no such mailbox", permanent=True)])
        deliver.turn({"email": far_side}, now=NOW)
        assert (fresh(message).state, fresh(message).last_error) == ("failed", "550 no such mailbox")
        assert deliver.turn({"email": far_side}, now=NOW + timedelta(days=1)) == 0

    def test_what_may_have_arrived_is_sent_again_and_says_so(self) -> None:
        message = queue()
        far_side = FarSide([temporary(unknown=True)])
        deliver.turn({"email": far_side}, now=NOW)
        assert fresh(message).repeat is True
        deliver.turn({"email": far_side}, now=NOW + timedelta(minutes=1))
        assert [got.repeat for got in far_side.got] == [False, True]
        assert tries(message) == ["unknown", "accepted"]

    def test_a_far_side_may_ask_for_a_longer_wait(self) -> None:
        message = queue()
        deliver.turn({"email": FarSide([temporary(retry_after=timedelta(seconds=12))])}, now=NOW)
        assert NOW + timedelta(seconds=12) <= fresh(message).not_before < NOW + timedelta(seconds=14)

    def test_an_absurd_wish_to_wait_is_not_granted(self) -> None:
        message = queue()
        deliver.turn({"email": FarSide([temporary(retry_after=timedelta(days=30))])}, now=NOW)
        assert fresh(message).not_before < NOW + timedelta(minutes=1)

    def test_what_comes_too_late_to_be_of_use_is_put_away_unsent(self) -> None:
        message = queue(expires_at=NOW + timedelta(minutes=1))
        far_side = FarSide()
        assert deliver.turn({"email": far_side}, now=NOW + timedelta(minutes=1)) == 0
        assert (fresh(message).state, far_side.got) == (OutboxState.EXPIRED, [])

    def test_a_next_try_that_would_come_too_late_is_not_waited_for(self) -> None:
        message = queue(expires_at=NOW + SECOND)
        deliver.turn({"email": FarSide([temporary()])}, now=NOW)
        assert fresh(message).state == OutboxState.EXPIRED

    def test_without_a_channel_of_that_name_it_fails_and_says_so(self) -> None:
        message = queue(channel="pigeon")
        deliver.turn({}, now=NOW)
        assert fresh(message).last_error == "no pigeon channel is set up"

    def test_a_message_that_breaks_its_channel_is_put_aside_and_the_next_one_goes_out(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        poison, good = queue("poison", lane=0), queue("good", lane=1)
        deliver.turn({"email": FarSide([ValueError("cannot be encoded")])}, now=NOW)
        assert (fresh(poison).state, fresh(good).state) == (OutboxState.QUEUED, OutboxState.SENT)
        assert fresh(poison).not_before > NOW
        assert fresh(poison).last_error == "ValueError: cannot be encoded"
        assert "the channel broke" in caplog.text

    def test_a_mail_that_waits_carries_the_date_it_was_meant_for(self) -> None:
        later = NOW + timedelta(minutes=5)
        queue(not_before=later)
        far_side = FarSide([temporary()])
        deliver.turn({"email": far_side}, now=later)
        deliver.turn({"email": far_side}, now=later + timedelta(hours=1))
        assert [got.due_at for got in far_side.got] == [later, later]
        assert [got.at for got in far_side.got] == [later, later + timedelta(hours=1)]

    def test_the_age_of_the_oldest_unsent_message_is_known(self) -> None:
        assert deliver.oldest_unsent_seconds(now=NOW) == 0.0
        queue()
        queue("later", not_before=NOW + timedelta(hours=1))
        assert deliver.oldest_unsent_seconds(now=NOW + timedelta(seconds=90)) == 90.0


class TestPages:
    @pytest.fixture
    def house(self) -> House:
        return House()

    def test_a_page_that_was_taken_over_is_a_line_in_the_incidents_log(self, house: House) -> None:
        incident = house.declare()
        deliver.turn({"email": FarSide()}, now=house.now)
        [told] = world.entries(incident, Kind.PAGE_ACCEPTED)
        assert (told["person"], told["channel"]) == ("Ada", "email")

    def test_trying_again_is_no_news_but_a_doubt_is(self, house: House) -> None:
        incident = house.declare()
        deliver.turn({"email": FarSide([temporary()])}, now=house.now)
        assert world.entries(incident, Kind.PAGE_FAILED) == []
        deliver.turn({"email": FarSide([temporary(unknown=True)])}, now=house.now + timedelta(seconds=10))
        [told] = world.entries(incident, Kind.PAGE_FAILED)
        assert told["final"] is False

    def test_the_next_way_is_tried_at_once_when_one_is_refused_for_good(self, house: House) -> None:
        people.add_contact_method(
            SYSTEM, username="ada", channel="webhook", address="https://hooks.example/ada", now=house.now
        )
        house.declare()
        mail = OutboxMessage.objects.get(channel="email", kind="page")
        assert mail.not_before > house.now
        far_side = FarSide([DeliveryFailed("410", permanent=True, gone=True)])
        deliver.turn({"webhook": far_side}, now=house.now)
        assert fresh(mail).not_before == house.now
        assert world.paged() == ["ada"]

    def test_a_way_that_was_refused_is_passed_over_until_it_works_again(self, house: House) -> None:
        house.declare()
        deliver.turn({"email": FarSide([DeliveryFailed("550", permanent=True)])}, now=house.now)
        method = ContactMethod.objects.get(person__username="ada")
        assert method.failing_since == house.now
        page = Page.objects.filter(person__username="ada").latest("id")
        told = {"kind": "page", "subject_kind": "page", "subject_id": str(page.pk), "address": method.address}
        queue("again", now=house.now, **told)
        deliver.turn({"email": FarSide()}, now=house.now)
        method.refresh_from_db()
        assert method.failing_since is None

    def test_an_unannounced_message_fails_the_fake_phone(self, house: House) -> None:
        house.declare()
        phone = FakePhone()
        deliver.turn({"email": phone}, now=house.now)
        with pytest.raises(AssertionError, match="nobody announced"):
            phone.settle()
        phone = FakePhone()
        phone.expect(to="ada@harbor.example", containing="log-ons", kind="page")
        with pytest.raises(AssertionError, match="did not come"):
            phone.settle()


@pytest.mark.django_db(transaction=True)
class TestWorkers:
    @pytest.fixture
    def worker(self) -> Iterator[deliver.Deliverer]:
        worker = deliver.Deliverer({"email": FarSide()}, now=lambda: NOW)
        yield worker
        worker.close()

    def test_workers_deliver_beside_each_other_and_count_themselves_free_again(self, worker: deliver.Deliverer) -> None:
        for number in range(4):
            queue(f"m{number}")
        assert worker.turn(now=NOW) == 4
        worker.close()
        assert set(OutboxMessage.objects.values_list("state", flat=True)) == {OutboxState.SENT}
        assert worker._channels.total() == worker._destinations.total() == 0

    def test_claimers_that_really_run_at_once_never_take_the_same_message(self) -> None:
        for number in range(30):
            queue(f"m{number}", destination=f"email:{number}")
        taken: list[str] = []

        def claim_all() -> None:
            while messages := deliver.claim_due(now=NOW, limit=3):
                taken.extend(message.key for message in messages)

        claimers = Workers(4, "claim")
        for _ in range(4):
            claimers.submit(claim_all)
        claimers.close()
        assert sorted(taken) == sorted(f"m{number}" for number in range(30))

    def test_when_all_are_busy_nothing_more_is_taken(self, worker: deliver.Deliverer) -> None:
        queue()
        worker._channels["email"] = deliver.IN_FLIGHT
        assert worker.turn(now=NOW) == 0
        worker._channels.clear()

    def test_a_claim_whose_outcome_could_not_be_written_is_given_back(
        self, worker: deliver.Deliverer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        message = queue()

        def locked(*args: Any, **fields: Any) -> bool:
            raise OperationalError("database is locked")

        monkeypatch.setattr(outcomes, "mark_sent", locked)
        worker.turn(now=NOW)
        worker.close()
        after = fresh(message)
        assert (after.claimed_by, after.lease_until) == ("", None)
        assert after.not_before == NOW + deliver.AFTER_TROUBLE
        assert "broke" in caplog.text
        monkeypatch.undo()
        far_side = FarSide()
        deliver.turn({"email": far_side}, now=NOW + deliver.AFTER_TROUBLE)
        assert [got.repeat for got in far_side.got] == [True]


def test_nothing_is_delivered_from_within_the_transaction_of_its_cause() -> None:
    """The outbox row is all that an action leaves; the log says nothing of a delivery before there was one."""
    house = House()
    house.declare()
    assert OutboxMessage.objects.filter(kind="page").exists()
    assert not Entry.objects.filter(kind=Kind.PAGE_ACCEPTED).exists()
