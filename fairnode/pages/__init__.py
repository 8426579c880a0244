"""The HTML door: pages for people, made on the server, complete without JavaScript.

Reads through the functions of the steps and calls them with the person that is logged in; every form carries
the word of that log-in, and a decision is signed with the password typed for it.
"""

from fairnode.pages.door import make_blueprint

__all__ = ["make_blueprint"]
