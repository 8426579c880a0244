"""The one rule about roles, as a check that says no in words and as its boolean twin."""

from __future__ import annotations

from fairnode import errors
from fairnode.records.rows import Person, Role


def has_role(person: Person | None, *roles: Role | str) -> bool:
    """Whether this person has at least one of `roles` and an open account."""
    return person is not None and person.active and any(str(role) in person.roles for role in roles)


def check_role(person: Person | None, *roles: Role | str) -> None:
    """Raise `NotKnown` for nobody, and `NotAllowed` naming the roles for somebody without any of them."""
    if person is None or not person.active:
        raise errors.NotKnown("This is only for people with an account here.", to_do="Log in first.")
    if not has_role(person, *roles):
        wanted = " or ".join(str(role) for role in roles)
        raise errors.NotAllowed(
            f"This is for people with the role {wanted}.",
            to_do="The node's operator gives roles to people.",
        )


def check_roles_exist(roles: tuple[str, ...]) -> None:
    """Raise `NotValid` for a word that is not a role."""
    known = {str(role) for role in Role}
    wrong = tuple(errors.Finding("roles", f"'{r}' is not a role") for r in roles if r not in known)
    if wrong or not roles:
        raise errors.NotValid(
            "A person needs roles that exist here.",
            findings=wrong,
            to_do=f"Roles are: {', '.join(sorted(known))}.",
        )
