"""Read each section of a process document into its frozen part. Faults are noted on the cursor, never raised."""

from __future__ import annotations

import string
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from tocsin.core.authority import AuthorityPolicy, TakeOverRule
from tocsin.core.classification_inputs import check_inputs
from tocsin.core.document_reading import Cursor, Level, Problem
from tocsin.core.process_parts import (
    Area,
    BlameForm,
    ComplexitySign,
    EscalationStep,
    Lifecycle,
    Matrix,
    MessageSettings,
    NotificationSettings,
    PageRule,
    PageWhen,
    PairExceptions,
    PairRule,
    PriorityCatalogue,
    PriorityCriteria,
    PriorityDefinition,
    Question,
    QuestionCode,
    Ring,
    RoleDefinition,
    RoleNeed,
    RoleScheme,
    SeverityDefinition,
    SeverityScheme,
    StakeholderGroup,
    Urgency,
    Verdict,
)

MAX_CRITERIA = 5
MAX_CRITERION_WORDS = 12
UPDATE_KINDS = ("opening", "progress", "closing")
_CRITERIA = (
    "hotfix_immediately",
    "postmortem",
    "notify_management",
    "notify_stakeholder_groups",
    "update_every_minutes",
)
_EXPLICIT_NONE = "none"


def read_catalogue(at: Cursor) -> PriorityCatalogue:
    """The priority catalogue out of the section `priorities`."""
    _check_criteria_texts(at)
    priorities = tuple(sorted((_priority(item) for item in at.at("priorities").items()), key=lambda p: p.rank))
    ranks = {priority.code: priority.rank for priority in priorities}
    unset = at.at("unset")
    return PriorityCatalogue(
        priorities=priorities,
        notification=_notification(at.at("notification")),
        unset_rank=read_rank(unset.at("pages_as"), ranks),
        decide_within=unset.at("decide_within_minutes").minutes(),
        foreign_names={name: read_rank(place, ranks) for name, place in at.at("foreign_names").entries()},
        external_names={
            tool: {
                read_rank(Cursor(code, names.where, names.found), ranks): name.text() for code, name in names.entries()
            }
            for tool, names in at.at("external_names").entries()
        },
    )


def read_rank(at: Cursor, ranks: Mapping[str, int]) -> int:
    """The rank of the priority whose code stands here; an unknown code is noted.

    Without any priority that was read it is not the code's fault, and the catalogue has its own note.
    """
    code = at.text()
    if code and ranks and code not in ranks:
        at.note("known_priority", f"the catalogue has no priority {code!r}")
    return ranks.get(code, 0)


def _priority(at: Cursor) -> PriorityDefinition:
    page = at.at("page")
    return PriorityDefinition(
        rank=at.at("rank").number(),
        code=at.at("code").text(),
        name=at.at("name").text(),
        meaning=at.at("meaning").text(),
        criteria=_criteria(at.at("criteria")),
        work_item=at.at("work_item").flag(),
        page=PageRule(page.at("when").choice(PageWhen), page.at("urgency").choice(Urgency)),
        alert_end_asks=at.at("alert_end_asks").flag(),
        rings=at.at("rings").numbers(),
        generic_example=at.at("generic_example").text(),
        actions_none=at.has("actions") and at.at("actions").text() == _EXPLICIT_NONE,
        informed_none=at.has("informed") and at.at("informed").text() == _EXPLICIT_NONE,
        acknowledged_quiet=_interval(at, "acknowledged_quiet_minutes")
        if at.has("acknowledged_quiet_minutes")
        else None,
    )


def _criteria(at: Cursor) -> PriorityCriteria:
    names = [name for name, _ in at.entries()]
    if len(names) > MAX_CRITERIA:
        at.note(
            "max_criteria_per_priority", f"a priority has at most {MAX_CRITERIA} criteria, this one has {len(names)}"
        )
    for name in names:
        if name not in _CRITERIA:
            at.at(name).note("known_criterion", "is no criterion; the criteria are " + ", ".join(_CRITERIA))
    return PriorityCriteria(
        hotfix_immediately=at.at("hotfix_immediately").flag(),
        postmortem=at.at("postmortem").flag(),
        notify_management=at.at("notify_management").flag(),
        notify_stakeholder_groups=at.at("notify_stakeholder_groups").flag(),
        update_every=_interval(at, "update_every_minutes"),
    )


def _interval(parent: Cursor, key: str) -> timedelta | None:
    at = parent.at(key)
    if at.value is None:
        return None
    interval = at.minutes()
    if at.value == 0:
        at.note("kind", "an interval is longer than zero; null means none")
    return interval


def _check_criteria_texts(at: Cursor) -> None:
    ambiguous = {word.lower() for word in at.at("ambiguous_words").texts()}
    for _, place in at.at("criteria_texts").entries():
        words = place.text().replace(".", "").split()
        if len(words) > MAX_CRITERION_WORDS:
            message = f"has {len(words)} words; {MAX_CRITERION_WORDS} or fewer can be taken in on the spot"
            place.found.append(Problem(place.where, "criterion_length", message, Level.WARNING))
        for word in sorted({word.strip(string.punctuation).lower() for word in words} & ambiguous):
            message = f"{word!r} means something else to everyone; say what can be observed"
            place.found.append(Problem(place.where, "ambiguous_word", message, Level.WARNING))


def _notification(at: Cursor) -> NotificationSettings:
    return NotificationSettings(
        opening_within=at.at("opening_within_minutes").minutes(),
        overdue_grace=at.at("overdue_grace_minutes").minutes(),
        closing_required=at.at("closing_required").flag(),
        next_update_required=at.at("next_update_required").flag(),
    )


def read_severities(at: Cursor) -> SeverityScheme:
    """The severities out of the section `severities`."""
    check_inputs(at)
    severities = sorted((_severity(item) for item in at.at("severities").items()), key=lambda s: s.rank)
    switched_off = at.has("switched_off") and at.at("switched_off").flag()
    return SeverityScheme(
        severities=tuple(severities),
        # Without severities everything is the mildest, whatever else the document would begin with.
        start=severities[-1].code if switched_off and severities else at.at("start").text(),
        signs=_signs(at.at("complexity_signs")) if at.has("complexity_signs") else (),
        switched_off=switched_off,
    )


def _signs(at: Cursor) -> tuple[ComplexitySign, ...]:
    return tuple(ComplexitySign(item.at("code").text(), item.at("ask").text()) for item in at.items())


def _severity(at: Cursor) -> SeverityDefinition:
    criteria, bands = at.at("criteria"), at.at("bands")
    return SeverityDefinition(
        rank=at.at("rank").number(),
        code=at.at("code").text(),
        users_affected=criteria.at("users_affected").text(),
        teams_required=criteria.at("teams_required").text(),
        coordinator_required=criteria.at("coordinator_required").flag(),
        users_share_min=bands.at("users_share_min").share(),
        teams_min=bands.at("teams_min").number(),
        example=at.at("example").text(),
    )


def read_matrix(at: Cursor, ranks: Mapping[str, int]) -> Matrix:
    """The permutations of priority and severity out of the section `matrix`."""
    return Matrix(
        tuple(
            PairRule(
                priority=read_rank(item.at("priority"), ranks),
                severity=item.at("severity").text(),
                verdict=item.at("verdict").choice(Verdict),
                why=item.at("why").text(),
            )
            for item in at.at("permutations").items()
        ),
        exceptions=at.has("exceptions") and at.at("exceptions").choice(PairExceptions) is PairExceptions.WITH_REASON,
    )


def read_roles(at: Cursor) -> RoleScheme:
    """Roles and who is called by what out of the section `roles`."""
    policy = at.at("escalation_policy_default")
    return RoleScheme(
        roles=tuple(_role(item) for item in at.at("roles").items()),
        by_severity={
            severity: {role: need.choice(RoleNeed) for role, need in cells.entries()}
            for severity, cells in at.at("roles_by_severity").entries()
        },
        duties_when_absent={
            duty: {severity: role.text() for severity, role in cells.entries()}
            for duty, cells in at.at("duties_when_role_absent").entries()
        },
        fill_within={role: limit.minutes() for role, limit in at.at("fill_role_within_minutes").entries()},
        six_role_mapping={name: role.text() for name, role in at.at("six_role_mapping").entries()},
        escalation_steps=tuple(_step(step) for step in policy.at("steps").items()),
        escalation_repeats=policy.at("repeats").number(),
        after_exhaustion=_step(policy.at("after_exhaustion")),
        **_authority(at),
    )


def _authority(at: Cursor) -> dict[str, Any]:
    """What processes published earlier do not say stays as the software has it."""
    found: dict[str, Any] = {}
    if at.has("authority_policy"):
        found["authority"] = at.at("authority_policy").choice(AuthorityPolicy)
    if at.has("take_over"):
        rule = at.at("take_over")
        silence = rule.at("silence_gives").flag()
        found["take_over"] = TakeOverRule(rule.at("answer_within_minutes").minutes(), silence_gives=silence)
    return found


def _role(at: Cursor) -> RoleDefinition:
    return RoleDefinition(
        code=at.at("code").text(),
        display_name=at.at("display_name").text(),
        aka=at.at("aka").texts() if at.has("aka") else (),
        areas=tuple(area.choice(Area) for area in at.at("areas").items()),
        responsibilities=at.at("responsibilities").texts(),
        skills=at.at("skills").texts(),
        must_not=at.at("must_not").texts() if at.has("must_not") else (),
        rights=at.at("rights").texts(),
        per_team=at.has("per_team") and at.at("per_team").flag(),
        optional=at.has("optional") and at.at("optional").flag(),
    )


def _step(at: Cursor) -> EscalationStep:
    return EscalationStep(at.at("target").text(), at.at("acknowledge_within_minutes").minutes())


def read_questions(at: Cursor) -> tuple[Question, ...]:
    """The questions with their answers out of the section `questions`, by number."""
    found = [_question(item) for item in at.at("process_questions").items()]
    return tuple(sorted(found, key=lambda question: question.number))


def _question(at: Cursor) -> Question:
    machine = at.at("machine")
    return Question(
        number=at.at("n").number(),
        code=at.at("code").choice(QuestionCode),
        question=at.at("question").text(),
        answer=at.at("answer").text(),
        machine={key: place.value for key, place in machine.entries()},
    )


def read_lifecycle(at: Cursor) -> Lifecycle:
    """States, transitions and steps out of the section `lifecycle`."""
    return Lifecycle(
        states=at.at("states").texts(),
        transitions={state: targets.texts() for state, targets in at.at("transitions").entries()},
        status={word: states.texts() for word, states in at.at("status").entries()},
        reopen_within=at.at("reopen_within_minutes").minutes(),
        statuspage_state={state: word.text() for state, word in at.at("statuspage_state").entries()},
        steps=at.at("steps").texts(),
    )


def read_rings(at: Cursor) -> tuple[Ring, ...]:
    """The rings of information out of the section `stakeholders`, from the inside outward."""
    rings = [
        Ring(
            number=item.at("n").number(),
            name=item.at("name").text(),
            external=item.has("external") and item.at("external").flag(),
            needs_approval=item.has("needs_approval") and item.at("needs_approval").flag(),
        )
        for item in at.at("rings").items()
    ]
    return tuple(sorted(rings, key=lambda ring: ring.number))


def read_groups(at: Cursor) -> tuple[StakeholderGroup, ...]:
    """The stakeholder groups out of the section `stakeholders`."""
    return tuple(
        StakeholderGroup(
            code=item.at("code").text(),
            name=item.at("name").text(),
            ring=item.at("ring").number(),
            purpose=item.at("for").text(),
            management=item.has("management") and item.at("management").flag(),
        )
        for item in at.at("stakeholder_groups").items()
    )


def read_messages(at: Cursor, ranks: Mapping[str, int]) -> MessageSettings:
    """Templates and lint lists out of the section `messages`."""
    templates, lint = at.at("templates"), at.at("lint")
    return MessageSettings(
        variables=at.at("variables").texts(),
        templates={kind: _by_rank(templates.at(kind), ranks) for kind in UPDATE_KINDS},
        single_templates={name: place.text() for name, place in templates.entries() if name not in UPDATE_KINDS},
        max_characters=lint.at("max_characters").number(),
        max_characters_short=lint.at("max_characters_short").number(),
        min_between_updates=lint.at("min_minutes_between_updates").minutes(),
        whole_service_words=lint.at("whole_service_words").texts(),
        end_time_promises=lint.at("end_time_promises").texts(),
        blame=tuple(BlameForm(item.at("form").text(), item.at("instead").text()) for item in at.at("blame").items()),
    )


def _by_rank(at: Cursor, ranks: Mapping[str, int]) -> dict[int, str]:
    return {read_rank(Cursor(code, place.where, place.found), ranks): place.text() for code, place in at.entries()}
