"""Whatever people and clocks do to an escalation, the invariants of the paging path hold after every event."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tocsin.core.escalation import (
    FALLBACK_SOUGHT_AGAIN,
    Cause,
    Decision,
    Escalation,
    EscalationReason,
    PageKind,
    Phase,
    Policy,
    Step,
    acknowledge,
    at_once,
    begin,
    decide,
    end,
    end_quiet,
    escalate_by_hand,
    raise_priority,
    snooze,
    step_unreachable,
)

START = datetime(2026, 11, 23, 2, 12, tzinfo=UTC)
TARGETS = ["user:a", "user:b", "user:c", "schedule:s"]
FORCED = {
    Cause.STARTED,
    Cause.BY_HAND,
    Cause.STEP_UNREACHABLE,
    Cause.ACKNOWLEDGEMENT_TIMED_OUT,
    Cause.SNOOZE_ENDED,
    Cause.QUIET_ENDED,
}
minutes = st.integers(0, 90).map(lambda amount: timedelta(minutes=amount))
steps = st.builds(
    Step,
    st.sampled_from([0, 1, 5, 30]).map(lambda wait: timedelta(minutes=wait)),
    st.lists(st.sampled_from(TARGETS), max_size=2).map(tuple),
)
policies = st.builds(
    Policy,
    st.just("chain"),
    st.lists(steps, max_size=4).map(tuple),
    st.integers(0, 2),
    st.lists(st.sampled_from(TARGETS), max_size=1).map(tuple),
)
reachables = st.fixed_dictionaries(
    {target: st.lists(st.sampled_from(["ann", "bob", "cy"]), unique=True, max_size=2) for target in TARGETS}
)


def hold_for_half_hours(now: datetime) -> datetime:
    """A priority that may page only in the second half of each hour."""
    return now if now.minute >= 30 else now.replace(minute=30, second=0, microsecond=0)


class EscalationMachine(RuleBasedStateMachine):
    """Drives one incident; `policy` is its snapshot, `reachable` changes under its feet."""

    @initialize(
        policy=policies,
        reachable=reachables,
        admins=st.lists(st.just("root"), max_size=1),
        quiet=st.booleans(),
        held=st.booleans(),
    )
    def an_incident(
        self, policy: Policy, reachable: dict[str, list[str]], admins: list[str], quiet: bool, held: bool
    ) -> None:
        self.now = START
        self.policy, self.reachable, self.admins = policy, reachable, admins
        self.hold = hold_for_half_hours if held else at_once
        self.state: Escalation = begin(policy, now=self.now, quiet=quiet)
        self.keys: set[tuple[int, int | None, str]] = set()
        self.last: Decision | None = None
        self.tick()

    def tick(self) -> None:
        """Decide until the moment has nothing more to give, as the loop of the engine does over several turns."""
        for _ in range(1 + (self.policy.repeat + 2) * (len(self.policy.steps) + 1)):
            before = self.state
            decision = decide(
                before, self.policy, self.reachable, now=self.now, last_resort=self.admins, hold=self.hold
            )
            self.check(before, decision)
            self.state = decision.state
            if decision.pages and decision.reason is EscalationReason.STEP_PAGED:
                self.last = decision
            if decision.reason is EscalationReason.NOTHING_DUE:
                return
        raise AssertionError("one moment must not page for ever")

    def check(self, before: Escalation, decision: Decision) -> None:
        after = decision.state
        assert decision.reason is not EscalationReason.NOTHING_DUE or (not decision.pages and after == before)
        assert after.next_at is None or after.next_at >= self.now or decision.reason is EscalationReason.NOTHING_DUE
        for page in decision.pages:
            # I04: no (loop, step, person) is ever paged twice.
            assert (page.loop, page.step, page.person) not in self.keys
            self.keys.add((page.loop, page.step, page.person))
        if decision.reason is EscalationReason.STEP_PAGED:
            self.check_page(before, decision)
        if decision.reason in {EscalationReason.EXHAUSTED, EscalationReason.NOBODY_TO_TELL}:
            # I18: the end of a policy tells somebody, or looks again within the minute.
            assert bool(decision.pages) == (decision.reason is EscalationReason.EXHAUSTED)
            assert decision.pages or after.next_at == self.now + FALLBACK_SOUGHT_AGAIN
            assert all(page.kind is PageKind.FALLBACK for page in decision.pages)
            # I17: nobody reachable was left out.
            assert (
                before.phase is Phase.EXHAUSTED
                or before.step is not None
                or not any(self.reachable[t] for s in self.policy.steps for t in s.targets)
            )

    def check_page(self, before: Escalation, decision: Decision) -> None:
        assert before.phase not in {Phase.ENDED, Phase.QUIET, Phase.EXHAUSTED}
        after = decision.state
        assert after.step is not None
        # I08: between the former position and this one every step was passed over with a reason, and none went back.
        restarted = before.phase in {Phase.ACKNOWLEDGED, Phase.SNOOZED}
        position = (before.loop + 1, -1) if restarted else (before.loop, -1 if before.step is None else before.step)
        for passed in [*((one.loop, one.step) for one in decision.passed_over), (after.loop, after.step)]:
            follows = (
                (position[0], position[1] + 1) if position[1] + 1 < len(self.policy.steps) else (position[0] + 1, 0)
            )
            assert passed == follows
            position = passed
        # I17: whoever could be reached in a step that was passed over would have been paged.
        assert not any(
            self.reachable[target] for one in decision.passed_over for target in self.policy.steps[one.step].targets
        )
        # I09: a step never comes sooner than its wait after the one before, unless something forced it.
        if decision.cause not in FORCED:
            assert before.paged_at is not None
            assert before.step is not None
            assert self.now - before.paged_at >= self.policy.steps[before.step].wait
        assert self.hold(self.now) == self.now or decision.cause is Cause.BY_HAND
        assert after.next_at == self.hold(self.now + self.policy.steps[after.step].wait)

    @rule(by=minutes)
    def time_goes_by(self, by: timedelta) -> None:
        self.now += by
        self.tick()

    @rule(reachable=reachables)
    def people_come_and_go(self, reachable: dict[str, list[str]]) -> None:
        self.reachable = reachable

    @precondition(lambda self: self.state.phase is not Phase.ENDED)
    @rule(timeout=st.none() | minutes)
    def somebody_acknowledges(self, timeout: timedelta | None) -> None:
        self.state = acknowledge(self.state, now=self.now, timeout=timeout)
        if timeout is None or timeout > timedelta(0):
            assert not decide(self.state, self.policy, self.reachable, now=self.now).pages

    @precondition(lambda self: self.state.phase is not Phase.ENDED)
    @rule()
    def somebody_escalates(self) -> None:
        self.state = escalate_by_hand(self.state, self.policy, now=self.now)
        before = self.state
        decision = decide(before, self.policy, self.reachable, now=self.now, last_resort=self.admins, hold=self.hold)
        assert decision.reason in {
            EscalationReason.STEP_PAGED,
            EscalationReason.EXHAUSTED,
            EscalationReason.NOBODY_TO_TELL,
        }
        self.tick()

    @precondition(lambda self: self.state.phase is not Phase.ENDED)
    @rule(length=minutes.filter(bool))
    def somebody_snoozes(self, length: timedelta) -> None:
        self.state = snooze(self.state, now=self.now, until=self.now + length)

    @rule()
    def maintenance_ends(self) -> None:
        was_quiet = self.state.phase is Phase.QUIET
        self.state = end_quiet(self.state, self.policy, now=self.now)
        assert not was_quiet or self.state.next_at == self.now
        self.tick()

    @rule(timeout=st.none() | minutes)
    def the_priority_is_raised(self, timeout: timedelta | None) -> None:
        before = self.state
        self.hold = at_once
        self.state = raise_priority(before, self.policy, now=self.now, hold=self.hold, ack_timeout=timeout)
        # I19: never later than it was.
        assert before.next_at is None or (self.state.next_at is not None and self.state.next_at <= before.next_at)
        self.tick()

    @rule()
    def every_page_of_the_step_fails(self) -> None:
        if self.state.step is not None:
            self.state = step_unreachable(self.state, loop=self.state.loop, step=self.state.step, now=self.now)
            # I17: the next step is due in the same tick.
            assert self.state.phase is not Phase.WAITING or self.state.next_at == self.now
            self.tick()

    @rule(rarely=st.integers(0, 19))
    def the_incident_is_resolved(self, rarely: int) -> None:
        if rarely:
            return
        self.state = end(self.state)
        assert decide(self.state, self.policy, self.reachable, now=self.now + timedelta(days=9)).pages == ()

    @invariant()
    def an_open_incident_always_has_something_due(self) -> None:
        # I05: something is due, or the policy has ended and the fallback was told.
        if self.state.phase in {Phase.WAITING, Phase.SNOOZED}:
            assert self.state.next_at is not None
        if self.state.phase is Phase.EXHAUSTED:
            assert (self.state.next_at is None) == self.state.fallback_told
        if self.state.phase in {Phase.ENDED, Phase.QUIET}:
            assert self.state.next_at is None


EscalationMachine.TestCase.settings = settings(deadline=None, max_examples=120, stateful_step_count=40)
TestEscalation = EscalationMachine.TestCase
