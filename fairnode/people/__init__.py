"""Who is at the door: accounts, roles, sessions in a browser, tokens of programs, and a person's signature.

The doors ask here who somebody is; what that person may decide is the steps' own rule. Passwords are kept as
argon2id hashes, cookies and tokens as SHA-256, and the private half of a person's signing key only sealed:
once under the password and once under each token. So nobody, the operator included, can sign for a person
without that person's password or token.
"""

from fairnode.people.accounts import (
    add_person,
    change_password,
    close_account,
    people_of,
    person_of,
)
from fairnode.people.roles import check_role, has_role
from fairnode.people.sessions import Visitor, check_csrf, log_in, log_out, who_session
from fairnode.people.signing import Signer, signer_with_password, signer_with_token
from fairnode.people.throttle import TooOften
from fairnode.people.tokens import make_token, revoke_token, tokens_of, who_token

__all__ = [
    "Signer",
    "TooOften",
    "Visitor",
    "add_person",
    "change_password",
    "check_csrf",
    "check_role",
    "close_account",
    "has_role",
    "log_in",
    "log_out",
    "make_token",
    "people_of",
    "person_of",
    "revoke_token",
    "signer_with_password",
    "signer_with_token",
    "tokens_of",
    "who_session",
    "who_token",
]
