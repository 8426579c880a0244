"""What the output says in plain words: titles, assumptions and the evidence for and against."""

from __future__ import annotations

from dataclasses import dataclass

GENERAL_ASSUMPTIONS = (
    "The population is closed: nobody becomes or stops being a victim within the period of the table.",
    "Linkage is right: one person is one row of the linked data, never two, and two persons are never one.",
    "Every victim could have come on every list; who can be on no list at all is outside every estimate.",
    "All lists use the same definition of victim, period and area.",
    "Lists depend on each other only in the ways the method's model allows.",
    (
        "There is no dependence of all lists at once, which no table can show: who is on no "
        "list follows the same rules as who is on some."
    ),
)

GENERAL_EVIDENCE = (
    (
        "Real coverage is below nominal: in an internal-consistency study intervals meant to hold 95 % of "
        "the time held 80 % (dga), 88 % (independence), 60 % (LCMCR) and 90 % (stepwise), and all were too "
        "low on average (mean log relative bias -0.34, -0.29, -0.52, -0.17; Binette and Steorts)."
    ),
    (
        "Whitehead, Jackson, Balch and Francis (2021, Journal of Human Trafficking 7:1) conclude that the "
        "method is not suitable for numbers on the United Kingdom: stepwise selection overstates reliability."
    ),
    (
        "Methods disagree by more than their intervals say. On the pooled Dutch table of 2010-2015 the same "
        "counts give 48,013 (BIC, pairs), 50,270 (dga) and 121,522 (stepwise)."
    ),
    "Few persons on several lists carry the whole estimate; one more can move it by a tenth (sensitivity).",
)

_INDEPENDENT = "The lists are independent of each other: being on one says nothing about being on another."
_SAME = "Persons have the same chance to be on a given list, or differ as the model's terms say."
_CHOSEN = "The pairs of lists chosen from the data are the ones that really depend on each other."
_TWICE = "Persons differ in visibility, but lists do not prefer or avoid each other's persons."


@dataclass(frozen=True)
class Words:
    """Title, assumptions beyond the general ones, evidence, and the method page under docs/mse."""

    title: str
    assumptions: tuple[str, ...]
    evidence: tuple[str, ...]
    page: str


WORDS: dict[str, Words] = {
    "independence": Words(
        "Independence of the lists (main effects only)",
        (_INDEPENDENT, _SAME),
        (
            (
                "Nearly always wrong for referral systems: lists that refer to each other make it too low, "
                "lists that exclude each other too high."
            ),
            "Nominal 95 % intervals held 88 % (Binette and Steorts).",
        ),
        "independence.md",
    ),
    "stepwise": Words(
        "Forward selection of pairs, p < 0.02, with BCa bootstrap",
        (_SAME, _CHOSEN),
        (
            "Nominal 95 % intervals held 90 % (Binette and Steorts).",
            "Selection is unstable: a single person can change the chosen pairs (Whitehead et al. 2021).",
        ),
        "stepwise.md",
    ),
    "aic-stepwise": Words(
        "Forward selection of pairs by AIC, with profile likelihood",
        (_SAME, _CHOSEN),
        (
            "The interval takes the chosen model as given, so it is too narrow.",
            "The search stops at a pair that nobody is on, whatever comes after it.",
            "Used for the estimate of 10,000 to 13,000 in the United Kingdom (2013).",
        ),
        "aic-stepwise.md",
    ),
    "bic": Words(
        "Best BIC among all hierarchical models, with BCa bootstrap",
        (_SAME, _CHOSEN),
        ("Three-list terms rest on very few persons; the leading models can differ by a factor two.",),
        "bic.md",
    ),
    "bic-pairs": Words(
        "Best BIC among all models of pairs, with BCa bootstrap",
        (_SAME, _CHOSEN),
        ("The leading models can differ by a factor two: on the five-list UK table 22,991 and 12,262.",),
        "bic.md",
    ),
    "bic-downhill": Words(
        "BIC search from main effects, with BCa bootstrap",
        (_SAME, _CHOSEN),
        ("The search finds a local best model, not always the best of all.",),
        "bic.md",
    ),
    "chao": Words(
        "Chao's estimator from persons on one and on two lists",
        (_TWICE,),
        ("With few, unequal lists it is not the lower bound it is often called; a descriptive check.",),
        "chao.md",
    ),
    "zelterman": Words(
        "Zelterman's estimator from persons on one and on two lists",
        (_TWICE,),
        ("Like Chao's: a descriptive check with few lists of unequal size.",),
        "chao.md",
    ),
    "mth-chao": Words(
        "Lower bound for different lists and different persons (Mth)",
        (_TWICE,),
        ("A lower bound only when dependence comes from differences between persons alone.",),
        "chao.md",
    ),
    "dga": Words(
        "Average over all decomposable graphs",
        (
            _SAME,
            "The truth is well described by some decomposable graph, all of them equally likely beforehand.",
        ),
        (
            "Nominal 95 % intervals held 80 % (Binette and Steorts).",
            "When graphs disagree the posterior has several peaks; its median may sit on one of them.",
        ),
        "dga.md",
    ),
    "bayes-threshold": Words(
        "Bayesian threshold of pairs, N(0, 1) prior",
        (
            _SAME,
            _CHOSEN,
            "Dependence between lists is moderate beforehand: a pair multiplies chances by 1/7 to 7.",
        ),
        (
            "The interval takes the retained pairs as given.",
            "A pair close to the threshold can fall either way and change the answer.",
        ),
        "bayes-threshold.md",
    ),
    "bayes-threshold-flat": Words(
        "Bayesian threshold of pairs, flat prior",
        (_SAME, _CHOSEN),
        (
            "The interval takes the retained pairs as given; pairs nobody is on are minus infinity.",
            "A pair close to the threshold can fall either way and change the answer.",
        ),
        "bayes-threshold.md",
    ),
    "lcmcr": Words(
        "Latent classes (Dirichlet process mixture)",
        ("Within unseen classes of persons the lists are independent.", "There are at most ten classes."),
        (
            "Nominal 95 % intervals held 60 % (Binette and Steorts).",
            "The sampler does not converge on sparse tables such as the Dutch one.",
        ),
        "lcmcr.md",
    ),
    "decomposable": Words(
        "Best decomposable graph, in closed form",
        (_SAME, _CHOSEN),
        ("The interval is conditional on the graph, so it is too narrow.",),
        "decomposable.md",
    ),
    "ipf": Words(
        "The stepwise model by proportional scaling (a check of the arithmetic)",
        (_SAME, _CHOSEN),
        ("Not a second opinion: the same model as `stepwise`, another algorithm. Conditional interval.",),
        "decomposable.md",
    ),
    "fixed": Words(
        "A model named beforehand",
        (_SAME, "The named terms are the dependencies there are."),
        ("The interval is conditional on the model; honest only if it was chosen before seeing the table.",),
        "fixed.md",
    ),
}
