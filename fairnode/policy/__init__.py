"""A dataset's usage policy against a study: granted, to be asked about, or refused. Pure: no I/O.

Deny without a policy; a prohibition comes before everything; a policy grants alone only what it names
completely (design 4.5), everything else that it permits is a question for people.
"""

from fairnode.policy.decide import Constraint, Decision, Effect, Policy, Rule, Wish, decide

__all__ = ["Constraint", "Decision", "Effect", "Policy", "Rule", "Wish", "decide"]
