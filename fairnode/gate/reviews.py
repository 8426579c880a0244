"""Two reviews of what cannot be recounted, in the states and words of OpenSAFELY's Airlock."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from fairnode.disclosure.rules import RuleSet


class Opinion(StrEnum):
    """What one reviewer thinks."""

    APPROVED = "approved"
    CHANGES_REQUESTED = "changes requested"


class ReviewState(StrEnum):
    """Where the reviews of a result stand."""

    SUBMITTED = "submitted"
    PARTIALLY_REVIEWED = "partially reviewed"
    APPROVED = "approved"
    REJECTED = "rejected"
    CONFLICTED = "conflicted"


@dataclass(frozen=True)
class Review:
    """One person's opinion on one result."""

    reviewer: str
    opinion: Opinion


def review_state(reviews: Collection[Review], excluded: Collection[str], rules: RuleSet) -> ReviewState:
    """Where a result stands. `excluded` are the requester and the author: nobody reviews their own.

    Each reviewer counts once. Not unanimous is a conflict, which only a third opinion of the custodian's
    own ends by a new submission.
    """
    valid = {review.reviewer: review.opinion for review in reviews if review.reviewer not in excluded}
    if not valid:
        return ReviewState.SUBMITTED
    if len(valid) < rules.count("class-b.reviews"):
        return ReviewState.PARTIALLY_REVIEWED
    opinions = set(valid.values())
    if len(opinions) > 1:
        return ReviewState.CONFLICTED
    return ReviewState.APPROVED if opinions == {Opinion.APPROVED} else ReviewState.REJECTED


def visible_reviews(reviews: Collection[Review], viewer: str, rules: RuleSet) -> tuple[Review, ...]:
    """The reviews that `viewer` may see: their own, and the others once all that are needed are in."""
    complete = len({review.reviewer for review in reviews}) >= rules.count("class-b.reviews")
    return tuple(review for review in reviews if complete or review.reviewer == viewer)
