"""The only writers of how teams come to SLOs."""

from tocsin.adoption.actions.policies import activate_policy, end_policy, state_point

__all__ = ["activate_policy", "end_policy", "state_point"]
