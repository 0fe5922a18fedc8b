"""The kinds of entries in the event log, complete, with the words people read.

A kind is "thing.happened". The text takes the entry's data by name ("{reason}"); a missing name prints nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    INCIDENT_OPENED = "incident.opened"
    INCIDENT_DECLARED = "incident.declared"
    INCIDENT_ACKNOWLEDGED = "incident.acknowledged"
    INCIDENT_UNACKNOWLEDGED = "incident.unacknowledged"
    INCIDENT_INVESTIGATING = "incident.investigating"
    INCIDENT_IDENTIFIED = "incident.identified"
    INCIDENT_MITIGATED = "incident.mitigated"
    INCIDENT_RESOLVED = "incident.resolved"
    INCIDENT_CLOSED = "incident.closed"
    INCIDENT_REOPENED = "incident.reopened"
    INCIDENT_MERGED = "incident.merged"
    INCIDENT_UNMERGED = "incident.unmerged"
    INCIDENT_CONTROL_STATED = "incident.control_stated"
    INCIDENT_CANCELLED = "incident.cancelled"
    INCIDENT_SNOOZED = "incident.snoozed"
    INCIDENT_SNOOZE_ENDED = "incident.snooze_ended"
    INCIDENT_NOTED = "incident.noted"
    INCIDENT_CORRECTED = "incident.corrected"
    INCIDENT_CATEGORIZED = "incident.categorized"
    INCIDENT_UNDONE = "incident.undone"
    INCIDENT_LINKED = "incident.linked"
    INCIDENT_CONTINUED = "incident.continued"
    INCIDENT_DEPENDED_ON = "incident.depended_on"
    GROUPS_CHOSEN = "incident.groups_chosen"
    INCIDENT_ESCALATED = "incident.escalated_functional"
    INCIDENT_ESCALATED_UP = "incident.escalated_hierarchic"
    INCIDENT_PASSED_ON = "incident.passed_on"
    ESCALATION_ACKNOWLEDGED = "incident.escalation_acknowledged"
    INCIDENT_CAUSE_STATED = "incident.cause_stated"
    INCIDENT_WORKAROUND_STATED = "incident.workaround_stated"
    INCIDENT_IMPACT_CHANGED = "incident.impact_changed"
    CHANNEL_ASKED = "channel.asked"
    CHANNEL_OPENED = "channel.opened"
    CHANNEL_FAILED = "channel.failed"
    CHANNEL_INVITED = "channel.invited"
    CHANNEL_NOT_INVITED = "channel.not_invited"
    CUSTOMER_REPORTED = "incident.customer_reported"
    REGULATORY_CLASSIFIED = "regulatory.classified"
    REGULATORY_REPORTED = "regulatory.reported"
    REGULATORY_LATE = "regulatory.late"
    PRIORITY_CHANGED = "priority.changed"
    SEVERITY_CHANGED = "severity.changed"
    SEVERITY_CONFIRMED = "severity.confirmed"
    SCOPE_STATED = "classification.scope_stated"
    TEAM_NAMED = "classification.team_named"
    COMPLEX_STATED = "classification.complex_stated"
    SUGGESTION_MADE = "classification.suggested"
    SUGGESTION_ANSWERED = "classification.suggestion_answered"
    ALERT_ATTACHED = "alert.attached"
    ALERT_REPEATED = "alert.repeated"
    ALERT_GREW = "alert.grew"
    ALERT_ENDED = "alert.ended"
    ALERT_SUPPRESSED = "alert.suppressed"
    BREACH_ATTACHED = "breach.attached"
    CHANGE_REPORTED = "change.reported"
    PAGE_CREATED = "page.created"
    PAGE_ACCEPTED = "page.accepted"
    PAGE_FAILED = "page.failed"
    PAGE_TAKEN = "page.taken"
    PAGE_PASSED = "page.passed"
    PAGE_ANSWERED_LATE = "page.answered_late"
    ESCALATION_EXHAUSTED = "escalation.exhausted"
    ESCALATION_STEP_SKIPPED = "escalation.step_skipped"
    FALLBACK_TOLD = "escalation.fallback_told"
    ROLE_TAKEN = "role.taken"
    ROLE_RELEASED = "role.released"
    ROLE_ASKED = "role.asked"
    ROLE_UNFILLED = "role.unfilled"
    TAKEOVER_ASKED = "takeover.asked"
    TAKEOVER_ANSWERED = "takeover.answered"
    RANK_REFUSED = "rank.refused"
    RANK_OVERRIDDEN = "rank.overridden"
    PERSON_PULLED_IN = "person.pulled_in"
    PERSON_INTRODUCED = "person.introduced"
    GROUND_RULES_POSTED = "response.ground_rules_posted"
    HANDOVER_OFFERED = "handover.offered"
    HANDOVER_RECORDED = "handover.recorded"
    HANDOVER_WITHDRAWN = "handover.withdrawn"
    WELLBEING_ANSWERED = "wellbeing.answered"
    TEAM_DISSOLVED = "response.team_dissolved"
    CONFLICT_NOTED = "facts.conflict_noted"
    CONFLICT_SETTLED = "facts.conflict_settled"
    DECISION_RECORDED = "decision.recorded"
    DECISION_ACKNOWLEDGED = "decision.acknowledged"
    DECISION_MOVED = "decision.execution_changed"
    DECISION_REPORTED = "decision.reported"
    DECISION_REMINDED = "decision.reminded"
    QUESTION_ASKED = "question.asked"
    QUESTION_ANSWERED = "question.answered"
    TASK_GIVEN = "task.given"
    TASK_ENDED = "task.ended"
    SUB_TEAM_FORMED = "sub_team.formed"
    SUB_TEAM_ENDED = "sub_team.ended"
    CONDITION_REPORTED = "condition.reported"
    OBLIGATION_FULFILLED = "obligation.fulfilled"
    OBLIGATION_WAIVED = "obligation.waived"
    OBLIGATION_LATE = "obligation.late"
    OBLIGATION_REASSIGNED = "obligation.reassigned"
    CHECK_WAIVED = "check.waived"
    CHECK_WAIVER_WITHDRAWN = "check.waiver_withdrawn"
    UPDATE_SENT = "update.sent"
    UPDATE_DRAFTED = "update.drafted"
    UPDATE_APPROVED = "update.approved"
    UPDATE_DRAFT_DROPPED = "update.draft_dropped"
    STATUS_MAIL_QUEUED = "update.status_mail_queued"
    CONSUMER_TOLD = "update.consumer_told"
    POSTMORTEM_DRAFTED = "postmortem.drafted"
    POSTMORTEM_EDITED = "postmortem.edited"
    POSTMORTEM_MOVED = "postmortem.moved"
    POSTMORTEM_ITEM_DONE = "postmortem.item_done"
    POSTMORTEM_ITEM_EXPLAINED = "postmortem.item_explained"
    POSTMORTEM_ITEM_REOPENED = "postmortem.item_reopened"
    PEOPLE_ISSUE_NOTED = "people_issue.noted"
    PEOPLE_ISSUE_SETTLED = "people_issue.settled"
    ACTION_ADDED = "action.added"
    ACTION_CHANGED = "action.changed"
    ACTION_REVIEWED = "action.reviewed"
    SLO_APPLIED = "slo.applied"
    SLO_RETIRED = "slo.retired"
    SLO_DATA_LOST = "slo.data_lost"
    SLO_DATA_BACK = "slo.data_back"
    PRIORITY_ASSIGNED = "slo.priority_assigned"
    CONSUMER_VIEW_SAVED = "slo.consumer_view_saved"
    CONSUMER_ROUND_CLOSED = "slo.consumer_round_closed"
    FEEDBACK_SESSION_HELD = "slo.feedback_session_held"
    RESOURCE_ALERT_SAVED = "slo.resource_alert_saved"
    SOURCE_SAVED = "slo.source_saved"
    BUDGET_POLICY_SAVED = "budget_policy.saved"
    BUDGET_POLICY_CLAUSE_BEGAN = "budget_policy.clause_began"
    BUDGET_POLICY_CLAUSE_ENDED = "budget_policy.clause_ended"
    BUDGET_POLICY_ANSWERED = "budget_policy.answered"
    BUDGET_POLICY_REVIEW_DUE = "budget_policy.review_due"
    BUDGET_POLICY_ENDED = "budget_policy.ended"
    SERVICE_SAVED = "service.saved"
    SERVICE_REMOVED = "service.removed"
    SERVICE_MAINTENANCE_BEGAN = "service.maintenance_began"
    SERVICE_MAINTENANCE_ENDED = "service.maintenance_ended"
    TEAM_SAVED = "team.saved"
    TEAM_POLICY_ACTIVATED = "team.policy_activated"
    TEAM_POLICY_ENDED = "team.policy_ended"
    TEAM_POINT_STATED = "team.point_stated"
    WISH_ADDED = "wish.added"
    WISH_RANKED = "wish.ranked"
    WISH_CHANGED = "wish.changed"
    WALK_BEGUN = "walk.begun"
    WALK_USE_CASES_NAMED = "walk.use_cases_named"
    WALK_USE_CASE_SEEN = "walk.use_case_seen"
    WALK_FIND_ANSWERED = "walk.find_answered"
    SESSION_RECORDED = "coaching.session_recorded"
    PERSON_SAVED = "person.saved"
    PERSON_SIGNED_IN = "person.signed_in"
    ADAPTER_TRIED = "adapter.tried"
    CHAT_ACCOUNT_LINKED = "person.chat_account_linked"
    CHAT_LINK_BEGUN = "person.chat_link_begun"
    CHAT_LINK_REFUSED = "person.chat_link_refused"
    CONTACT_SAVED = "person.contact_saved"
    TRAINING_RECORDED = "person.training_recorded"
    TRAINING_REMOVED = "person.training_removed"
    TOKEN_CREATED = "token.created"  # noqa: S105 - a kind of event, no secret
    TOKEN_REVOKED = "token.revoked"  # noqa: S105
    LOGIN_LINK_CREATED = "person.login_link_created"
    INTEGRATION_CREATED = "integration.created"
    INTEGRATION_REVOKED = "integration.revoked"
    SILENCE_SAVED = "silence.saved"
    SILENCE_EXPIRED = "silence.expired"
    ROTATION_SAVED = "rotation.saved"
    OVERRIDE_ADDED = "rotation.override_added"
    OVERRIDE_REMOVED = "rotation.override_removed"
    ESCALATION_POLICY_SAVED = "escalation_policy.saved"
    SERVICE_ESCALATION_SET = "escalation_policy.set_for_service"
    PROCESS_PUBLISHED = "process.published"
    PROCESS_PROPOSED = "process.proposed"
    PROCESS_REVIEW_ASKED = "process.review_asked"
    PROCESS_REMARKED = "process.remarked"
    PROCESS_SCHEDULED = "process.scheduled"
    PROCESS_WITHDRAWN = "process.withdrawn"
    PROCESS_ACKNOWLEDGED = "process.acknowledged"
    PROCESS_REVIEW_DUE = "process.review_due"
    PROCESS_REVIEWED = "process.reviewed"
    PROCESS_SIZED = "process.sized"
    SURVEY_OPENED = "process.survey_opened"
    SURVEY_ANSWERED = "process.survey_answered"
    LEADER_BRIEFED = "process.leader_briefed"
    BRIEFING_ACKNOWLEDGED = "process.briefing_acknowledged"
    GROUP_SAVED = "stakeholder_group.saved"
    SUBSCRIBER_ADDED = "subscriber.added"
    SUBSCRIBER_ENDED = "subscriber.ended"
    WEBHOOK_SAVED = "webhook.saved"
    WEBHOOK_DISABLED = "webhook.disabled"
    SETTING_CHANGED = "setting.changed"
    ENTRY_REDACTED = "log.entry_redacted"


class _Gaps(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return ""


TEXTS: Mapping[Kind, str] = {
    Kind.INCIDENT_OPENED: "{title}",
    Kind.INCIDENT_DECLARED: "Declared: {title}",
    Kind.INCIDENT_ACKNOWLEDGED: "{person} is on it",
    Kind.INCIDENT_UNACKNOWLEDGED: "Acknowledgement taken back. {reason}",
    Kind.INCIDENT_MITIGATED: "Mitigated: users no longer feel it",
    Kind.INCIDENT_RESOLVED: "Working again. {note}",
    Kind.INCIDENT_INVESTIGATING: "Investigating",
    Kind.INCIDENT_IDENTIFIED: "Cause identified",
    Kind.INCIDENT_CLOSED: "Closed",
    Kind.INCIDENT_REOPENED: "Reopened. {reason}",
    Kind.INCIDENT_CANCELLED: "Cancelled: {reason}",
    Kind.INCIDENT_MERGED: "{merged} merged into {into}",
    Kind.INCIDENT_UNMERGED: "{merged} taken out of {into} again. {reason}",
    Kind.INCIDENT_CONTROL_STATED: "{finding}. {reason}",
    Kind.INCIDENT_UNDONE: "Taken back: {what}{stays}",
    Kind.INCIDENT_LINKED: "Caused upstream by {upstream}",
    Kind.INCIDENT_CONTINUED: "{before} goes on as {after}: {reason}",
    Kind.INCIDENT_DEPENDED_ON: "{service} has {dependent} because of this",
    Kind.INCIDENT_PASSED_ON: "The next in the chain was asked",
    Kind.INCIDENT_ESCALATED: "Another team was asked: {to}. {reason}",
    Kind.INCIDENT_ESCALATED_UP: "Management was asked: {to}. {reason}",
    Kind.ESCALATION_ACKNOWLEDGED: "{person} answered for {to}",
    Kind.INCIDENT_CAUSE_STATED: "Cause {state}. {text} {work_item}",
    Kind.INCIDENT_WORKAROUND_STATED: "Workaround {state}. {text}",
    Kind.INCIDENT_IMPACT_CHANGED: "Impact {old} -> {new}: {reason}",
    Kind.INCIDENT_CATEGORIZED: "Category: {category}",
    Kind.ADAPTER_TRIED: "A test was sent through {adapter}",
    Kind.CHAT_ACCOUNT_LINKED: "{account} of {adapter} {change}: {person}",
    Kind.CHAT_LINK_BEGUN: "{person} asked to link {account} of {adapter}",
    Kind.CHAT_LINK_REFUSED: "A wrong code came from {account} of {adapter}; {tries_left} tries are left",
    Kind.CHANNEL_ASKED: "Asked for a channel in {adapter}",
    Kind.CHANNEL_OPENED: "Channel: {url} {bridge}",
    Kind.CHANNEL_FAILED: "The channel in {adapter} could not be opened: {detail}",
    Kind.CHANNEL_INVITED: "{person} was invited to the room in {adapter}",
    Kind.CHANNEL_NOT_INVITED: "{person} ({account}) could not be invited to the room in {adapter}: {detail}",
    Kind.CUSTOMER_REPORTED: "A customer reported it at {reported_at}. {text}",
    Kind.REGULATORY_CLASSIFIED: "{name}: {finding}. {reason}",
    Kind.REGULATORY_REPORTED: "{name}: {report} report sent at {sent_at}. {reference}",
    Kind.REGULATORY_LATE: "Late: the {report} report to {name}, due {due}",
    Kind.INCIDENT_SNOOZE_ENDED: "The snooze ended",
    Kind.GROUPS_CHOSEN: "Stakeholder groups: {groups}",
    Kind.ROLE_ASKED: "Asked to join: {role} {team}",
    Kind.ROLE_UNFILLED: "Still nobody holds {role}; asked: {asked}",
    Kind.TAKEOVER_ASKED: "{taker} asks {giver} for {role}: {reason}",
    Kind.TAKEOVER_ANSWERED: "{role}: {answer}",
    Kind.RANK_REFUSED: "{person} was not let {what}: {why}",
    Kind.RANK_OVERRIDDEN: "{person} did {what} from outside the response: {why}",
    Kind.PERSON_PULLED_IN: "{person} asked to help, not being on call: {reason}",
    Kind.PERSON_INTRODUCED: "{person} joins: {card}",
    Kind.GROUND_RULES_POSTED: "Ground rules: {rules}",
    Kind.HANDOVER_OFFERED: "{giver} offers {role} to {taker}",
    Kind.HANDOVER_RECORDED: "{role} handed over from {giver} to {taker}. Done: {done} Open: {open} Risks: {risks}",
    Kind.HANDOVER_WITHDRAWN: "{giver} keeps {role}",
    Kind.WELLBEING_ANSWERED: "A well-being prompt was answered",
    Kind.TEAM_DISSOLVED: "The response team is dissolved. {thanks}",
    Kind.CONFLICT_NOTED: "Entries {entries} contradict each other",
    Kind.CONFLICT_SETTLED: "Entries {entries}: {settled}",
    Kind.ALERT_REPEATED: "Still true: {summary}",
    Kind.ALERT_GREW: "Worse: {summary}",
    Kind.SLO_DATA_LOST: "No data, so nobody can tell",
    Kind.SLO_DATA_BACK: "Data is back",
    Kind.INCIDENT_NOTED: "{text}",
    Kind.INCIDENT_SNOOZED: "Snoozed until {until}",
    Kind.PRIORITY_CHANGED: "Priority {old} -> {new}: {reason}",
    Kind.SEVERITY_CHANGED: "Severity {old} -> {new}: {reason}",
    Kind.SEVERITY_CONFIRMED: "Severity {severity} confirmed. {reason}",
    Kind.SCOPE_STATED: "Size: {said}",
    Kind.TEAM_NAMED: "{team} is needed. {reason}",
    Kind.COMPLEX_STATED: "{said}. {reason}",
    Kind.SUGGESTION_MADE: "Suggested: {subject} {value}. {basis}",
    Kind.SUGGESTION_ANSWERED: "{answer}: {subject} {value}. {reason}",
    Kind.ALERT_ATTACHED: "Alert: {name}",
    Kind.ALERT_ENDED: "The alert ended: {name}",
    Kind.BREACH_ATTACHED: "Breach: {bad} of {valid} events failed in {window}",
    Kind.CHANGE_REPORTED: "Changed: {summary} ({source})",
    Kind.PAGE_CREATED: "{person} is being paged",
    Kind.PAGE_ACCEPTED: "Page to {person} handed to {channel}",
    Kind.PAGE_FAILED: "Page to {person} by {channel} did not arrive: {detail}",
    Kind.PAGE_TAKEN: "{person} took it from the page",
    Kind.PAGE_PASSED: "{person} passed it on",
    Kind.PAGE_ANSWERED_LATE: "{person} answered after somebody else",
    Kind.ESCALATION_EXHAUSTED: "Nobody has answered; the chain is at its end",
    Kind.ESCALATION_STEP_SKIPPED: "Step {step} passed over: {reason}",
    Kind.FALLBACK_TOLD: "Fallback contact told: {address}",
    Kind.ROLE_TAKEN: "{person} holds {role}",
    Kind.ROLE_RELEASED: "{person} no longer holds {role}",
    Kind.DECISION_RECORDED: "Decision {number} for {to}: {text}",
    Kind.DECISION_ACKNOWLEDGED: "{person} took in decision {number}",
    Kind.DECISION_MOVED: "Decision {number}: {state}",
    Kind.DECISION_REPORTED: "Decision {number}, {state}: {report}",
    Kind.DECISION_REMINDED: "Reminded: decision {number}, {duty}, due {due}",
    Kind.QUESTION_ASKED: "Question {number}: {text} {for_whom}",
    Kind.QUESTION_ANSWERED: "Question {number} answered: {answer}",
    Kind.TASK_GIVEN: "Task {number}: {text} {for_whom}",
    Kind.TASK_ENDED: "Task {number} {state}. {result}",
    Kind.SUB_TEAM_FORMED: "Sub-team {name}, led by {leader}: {task}",
    Kind.SUB_TEAM_ENDED: "Sub-team {name} ended. {result}",
    Kind.CONDITION_REPORTED: "{about}. Condition: {condition} Actions: {actions} Needs: {needs}",
    Kind.OBLIGATION_FULFILLED: "Done: {obligation} {reference}",
    Kind.OBLIGATION_WAIVED: "Waived: {obligation}, because {reason}",
    Kind.OBLIGATION_REASSIGNED: "{obligation} goes from {giver} to {taker} ({role})",
    Kind.OBLIGATION_LATE: "Late: {obligation}, due {due}",
    Kind.CHECK_WAIVED: "{check} is not held against it: {reason}",
    Kind.CHECK_WAIVER_WITHDRAWN: "{check} counts again: {reason}",
    Kind.UPDATE_SENT: "Update sent to {groups}: {text}",
    Kind.UPDATE_DRAFTED: "{person} wrote a draft of an update: {text}",
    Kind.UPDATE_APPROVED: "{person} approved the draft of {author}: {text}",
    Kind.UPDATE_DRAFT_DROPPED: "{person} dropped the draft of {author}",
    Kind.STATUS_MAIL_QUEUED: "{recipients} subscribers told ({kind})",
    Kind.CONSUMER_TOLD: "{consumer} told its own people ({recipients}) that it {what}",
    Kind.POSTMORTEM_DRAFTED: "Postmortem drafted",
    Kind.POSTMORTEM_EDITED: "Postmortem edited: {section}",
    Kind.POSTMORTEM_MOVED: "Postmortem: {old} -> {new}",
    Kind.POSTMORTEM_ITEM_DONE: "{item} done: {do}",
    Kind.POSTMORTEM_ITEM_EXPLAINED: "{item} left out ({do}): {reason}",
    Kind.POSTMORTEM_ITEM_REOPENED: "{item} still to be done: {do}",
    Kind.PEOPLE_ISSUE_NOTED: "A tension between people was noted",
    Kind.PEOPLE_ISSUE_SETTLED: "A tension between people was settled",
    Kind.ACTION_REVIEWED: "Reviewed with {participants}: {title} is {verdict}. {note}",
    Kind.PROCESS_PROPOSED: "Version {number} of the process proposed: {note}",
    Kind.PROCESS_REVIEW_ASKED: "Version {number} of the process is in review",
    Kind.PROCESS_REMARKED: "{side} on version {number} of the process: {text}",
    Kind.PROCESS_SCHEDULED: "Version {number} of the process takes effect at {effective_at}",
    Kind.PROCESS_WITHDRAWN: "Version {number} of the process withdrawn: {reason}",
    Kind.PROCESS_ACKNOWLEDGED: "{person} has read version {number} of the process",
    Kind.PROCESS_REVIEW_DUE: "Version {number} of the process is due for its yearly review",
    Kind.PROCESS_REVIEWED: "Version {number} of the process looked at again: {note}",
    Kind.PROCESS_SIZED: "Version {number} of the process fitted to the organisation: {reason}",
    Kind.SURVEY_OPENED: "{count} people asked how it went so far, for version {number} of the process",
    Kind.SURVEY_ANSWERED: "{person} said how it went so far, for version {number} of the process",
    Kind.LEADER_BRIEFED: "{leader} briefed on what a response expects of leaders",
    Kind.BRIEFING_ACKNOWLEDGED: "{leader} acknowledged the briefing for leaders",
    Kind.BUDGET_POLICY_SAVED: "Error budget policy of {team} saved, revision {revision}",
    Kind.BUDGET_POLICY_CLAUSE_BEGAN: "{clause} of {team} holds for {slo}: {why} {consequence}",
    Kind.BUDGET_POLICY_CLAUSE_ENDED: "{clause} of {team} no longer holds for {slo}",
    Kind.BUDGET_POLICY_ANSWERED: "{clause} of {team} for {slo}: {note}",
    Kind.BUDGET_POLICY_REVIEW_DUE: "The error budget policy of {team} is due for its review",
    Kind.BUDGET_POLICY_ENDED: "Error budget policy of {team} ended: {reason}",
    Kind.ACTION_ADDED: "Action: {title}, driver {driver}",
    Kind.ACTION_CHANGED: "Action {status}: {title}",
    Kind.ALERT_SUPPRESSED: "Alert {name} is kept quiet",
}
SILENT_TEXTS: Mapping[Kind, str] = {
    Kind.ALERT_ENDED: "{note}: {name}",
    Kind.INCIDENT_RESOLVED: "{note}",
}
"""Instead of those above where `silent` is true: nobody said that it works again, the source was just not heard of."""
EXCEPTION_TEXTS: Mapping[Kind, str] = {
    Kind.PRIORITY_CHANGED: "Priority {old} -> {new}, an exception to the rule: {reason}",
    Kind.SEVERITY_CHANGED: "Severity {old} -> {new}, an exception to the rule: {reason}",
    Kind.SEVERITY_CONFIRMED: "Severity {severity} kept, an exception to the rule: {reason}",
    Kind.INCIDENT_DECLARED: "Declared as an exception to the rule: {title}",
}
"""Instead of those above where `exception` is true: a person decided against the rule and said why."""


def sentence(kind: str, data: Mapping[str, Any] | None) -> str:
    """What a person reads for an entry of `kind` with `data`; redacted data reads as such."""
    if data is None:
        return "(redacted)"
    texts = {**TEXTS, **SILENT_TEXTS} if data.get("silent") is True else TEXTS
    texts = {**texts, **EXCEPTION_TEXTS} if data.get("exception") is True else texts
    template = texts.get(Kind(kind)) if kind in Kind.__members__.values() else None
    if template is None:
        return str(data.get("text") or kind.replace(".", " ").replace("_", " "))
    return template.format_map(_Gaps({key: "" if value is None else value for key, value in data.items()})).strip()
