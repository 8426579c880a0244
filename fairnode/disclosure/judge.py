"""A recount in, a verdict out: the rules in their order.

Same input, same verdict; the order of rows, tables and cells does not matter; nothing is read or kept.
"""

from __future__ import annotations

from collections import defaultdict

from fairnode.disclosure.audit import Audit, Question, needs_search
from fairnode.disclosure.cells import sensitive_cells, threshold
from fairnode.disclosure.history import EarlierRelease, History, narrows, query_of
from fairnode.disclosure.links import link
from fairnode.disclosure.magnitudes import hide_linked_magnitudes
from fairnode.disclosure.rounding import public_table
from fairnode.disclosure.rules import RuleSet
from fairnode.disclosure.told import tell
from fairnode.records.result import CellReason, Key, Outcome, Recount, Verdict

Hidden = dict[tuple[str, Key], str]


def judge(recount: Recount, rules: RuleSet, history: History, audit: Audit) -> Verdict:
    """May this recount leave, and what of it?

    `history` holds the earlier releases of the same lineage and how the recount differs from them;
    `audit` does the complementary suppression (`fairnode.jobs.lp_audit.audit`, or a child running it).
    """
    if recount.universe < rules.count("universe.persons"):
        return _refused("universe", rules)
    stored = repeats(recount, history, rules)
    if stored:
        return Verdict(Outcome.STORED, rules.hash, stored_release=stored.id)
    if universe_too_alike(recount, history, rules):
        return _refused("differencing", rules)
    hidden = hidden_for_themselves(recount, rules, history)
    notes = _hide_complements(recount, rules, history, audit, hidden)
    hide_linked_magnitudes(recount, history, hidden)
    hidden_of: defaultdict[str, set[Key]] = defaultdict(set)
    for name, key in hidden:
        hidden_of[name].add(key)
    tables = tuple(public_table(table, hidden_of[table.spec.id], rules) for table in recount.tables)
    reasons = tuple(CellReason(table, key, rule) for (table, key), rule in sorted(hidden.items()))
    return Verdict(Outcome.RELEASED, rules.hash, tables, reasons, notes=notes)


def repeats(recount: Recount, history: History, rules: RuleSet) -> EarlierRelease | None:
    """The earlier local release whose answer is given again: same question, and no change that may show.

    A new answer is made only if in every cell no person changed, or at least k did, and in some cell
    they did. Without person sets nothing is known of changes, and the old answer stands.
    """
    query = query_of(recount.contract, recount.filter)
    same = [release for release in history.releases if release.query == query and release.local]
    if not same:
        return None
    last = max(same, key=lambda release: (release.day, release.id))
    changed = [
        difference.persons
        for difference in history.differences
        if difference.release == last.id
        and (difference.table, difference.key) == (difference.earlier_table, difference.earlier_key)
    ]
    changed += [entered.persons for entered in history.entered if entered.release == last.id]
    return None if changed and min(changed) >= rules.k else last


def _refused(rule: str, rules: RuleSet) -> Verdict:
    return Verdict(Outcome.REFUSED, rules.hash, refusals=(rule,))


def universe_too_alike(recount: Recount, history: History, rules: RuleSet) -> bool:
    """Whether another filter on the same data left out, or took in, only a few persons."""
    for universe in history.universes:
        earlier = history.release(universe.release)
        differ = universe.only_now + universe.only_then
        if set(earlier.filter) != set(recount.filter) and 0 < differ < rules.k:
            return True
    return False


def hidden_for_themselves(recount: Recount, rules: RuleSet, history: History) -> Hidden:
    """The cells hidden by a rule about them alone, or about them and an earlier shown cell."""
    hidden: Hidden = {}
    shown = {
        (release.id, table.spec.id, cell.key)
        for release in history.releases
        for table in release.tables
        for cell in table.cells
        if cell.shown
    }
    for difference in history.differences:
        then = (difference.release, difference.earlier_table, difference.earlier_key)
        if difference.persons < rules.k and then in shown:
            hidden[difference.table, difference.key] = "differencing"
    for entered in history.entered:
        if narrows(recount.filter, history.release(entered.release).filter):
            hidden[entered.table, entered.key] = "differencing"
    for table in recount.tables:
        for key, rule in sensitive_cells(table, rules).items():
            hidden[table.spec.id, key] = rule
    return hidden


def _hide_complements(
    recount: Recount, rules: RuleSet, history: History, audit: Audit, hidden: Hidden
) -> tuple[str, ...]:
    """Hide more cells until the hidden ones cannot be found out; what to tell the custodian about it."""
    keyed = all(cell.persons is not None for table in recount.tables for cell in table.cells)
    k = threshold(rules, keyed=keyed)
    links, joints = link(recount, hidden, history, k), tell(recount, hidden, history, k)
    question = Question(links, k, rules.number("complementary.seconds"), joints)
    if not needs_search(question):
        return ()
    answer = audit(question)
    for owner in answer.hide:
        hidden.setdefault(owner, "complementary")
    if answer.in_time:
        return ()
    return ("The search for the fewest cells to hide ran out of time; all linked cells are hidden.",)
