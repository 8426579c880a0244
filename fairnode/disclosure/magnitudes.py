"""Sums and means over parts: shown together with the whole only if every part is shown.

The audit looks at counts. For the numbers beside them a plain rule does: whoever has the whole and all
parts but one has that one, and for sums no interval is known to be wide enough.
"""

from __future__ import annotations

from fairnode.disclosure.history import History
from fairnode.disclosure.links import Item, Links, Relation, link
from fairnode.records.result import Key, Recount


def hide_linked_magnitudes(recount: Recount, history: History, hidden: dict[tuple[str, Key], str]) -> None:
    """Add to `hidden` until no shown whole has both shown and hidden parts of the same measure.

    The whole is hidden if it is of this release; if it was shown earlier, all its parts are.
    """
    if not any(table.spec.measure for table in recount.tables):
        return
    links = link(recount, hidden, history, 0)
    relations = [relation for relation in links.relations if _measured(relation, links)]
    shown = {i for i, item in enumerate(links.items) if not item.hidden}
    changed = True
    while changed:
        changed = False
        for relation in relations:
            if relation.whole not in shown or all(part in shown for part in relation.parts):
                continue
            for index in _to_hide(relation, links.items):
                owner = links.items[index].owner
                if owner is not None and index in shown:
                    hidden[owner] = "linked-magnitudes"
                    shown -= {i for i, item in enumerate(links.items) if item.owner == owner}
                    changed = True


def _measured(relation: Relation, links: Links) -> bool:
    """Whether whole and parts have a sum or mean of the same variable beside them."""
    measures = {links.items[index].measure for index in (relation.whole, *relation.parts)}
    return len(measures) == 1 and None not in measures


def _to_hide(relation: Relation, items: tuple[Item, ...]) -> tuple[int, ...]:
    """The whole, or the parts of a whole that can no longer be hidden."""
    return (relation.whole,) if items[relation.whole].owner is not None else relation.parts
