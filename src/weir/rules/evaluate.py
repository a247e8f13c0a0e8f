"""The questions of the law in their order.

What the item is, whether a licence is needed, how an application would be reviewed, which
exceptions are open, what else to know.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from weir.catalog.law import Law, Provision
from weir.rules.logic import NO, UNKNOWN, YES, Truth, at, both, either, negate
from weir.rules.scene import Day, Scene

NO_POLICY = 0  # no licence is needed, so none is reviewed
NOT_YET = "not yet"
NONE = "none"
UNDETERMINED = "undetermined"


@dataclass
class Outcome:
    """What was found, each a truth value per row (or one for all rows).

    Attributes:
        scene: The evaluation, which remembers every condition.
        paragraphs: Classification by paragraph, for example "3A090.a".
        clauses: By provision id.
        excluded: By provision id of exclusions.
        grounds: Licence requirements by provision id.
        licence: Whether a licence is needed on any ground.
        policy_of: Policy code of each ground, were it to apply; see `policy_codes`.
        policy: The strictest policy among the grounds; 0 where no licence is needed.
        exceptions: By provision id: open, not open, unknown.
        warnings: By provision id.
        tariffs: By provision id.
        dormant: Requirements in the text that are not enforced, by provision id.
    """

    scene: Scene
    paragraphs: dict[str, Truth] = field(default_factory=dict)
    clauses: dict[str, Truth] = field(default_factory=dict)
    excluded: dict[str, Truth] = field(default_factory=dict)
    grounds: dict[str, Truth] = field(default_factory=dict)
    licence: Truth = NO
    policy_of: dict[str, NDArray[np.int8] | int] = field(default_factory=dict)
    policy: NDArray[np.int8] | int = NO_POLICY
    exceptions: dict[str, Truth] = field(default_factory=dict)
    warnings: dict[str, Truth] = field(default_factory=dict)
    tariffs: dict[str, Truth] = field(default_factory=dict)
    dormant: dict[str, Truth] = field(default_factory=dict)


@lru_cache(maxsize=64)
def policy_codes(law: Law) -> dict[int, str]:
    """Policy id by code: twice its rank, so that a stricter policy has a larger code."""
    return {2 * item.rank: item.id for item in law.policies.values()}


@lru_cache(maxsize=64)
def undetermined(law: Law) -> int:
    """The code of a policy that the inputs leave open: just below the strictest."""
    return 2 * max(item.rank for item in law.policies.values()) - 1


def evaluate(scene: Scene, *, with_notices: bool = True) -> Outcome:
    """Everything the law of one day says of one transaction with each of many chips.

    Args:
        scene: The law in force, the transaction, and one row per chip.
        with_notices: Leave out warnings, tariffs and text without effect where nobody reads them.
    """
    outcome = Outcome(scene)
    classify(outcome)
    require(outcome)
    if with_notices:
        notice(outcome)
    review(outcome)
    except_(outcome)
    return outcome


def classify(outcome: Outcome) -> None:
    """Presumptions, then clauses, less exclusions, less paragraphs that yield to another."""
    scene, day = outcome.scene, outcome.scene.day
    presumed: dict[str, Truth] = {}
    for item in day.of("presume"):
        value = scene.test(item.when)
        outcome.clauses[item.id] = value
        for word in item.result:
            presumed[word] = either(presumed.get(word, NO), value)
    scene.presumed = presumed
    found: dict[str, Truth] = {}
    yields: dict[str, str] = {}
    for item in day.of("classify"):
        value = scene.test(item.when)
        outcome.clauses[item.id] = value
        for paragraph in item.result:
            found[paragraph] = either(found.get(paragraph, NO), value)
            yields[paragraph] = item.yields_to
    for item in day.of("exclude"):
        value = scene.test(item.when)
        outcome.excluded[item.id] = value
        for paragraph in item.result:
            if paragraph in found:
                found[paragraph] = both(found[paragraph], negate(value))
    for paragraph in sorted(found, key=lambda name: (bool(yields[name]), name)):
        value = either(found[paragraph], presumed.get(paragraph, NO))
        other = yields[paragraph]
        if other and other in outcome.paragraphs:
            value = both(value, negate(outcome.paragraphs[other]))
        outcome.paragraphs[paragraph] = value
        scene.results[paragraph] = value


def require(outcome: Outcome) -> None:
    """Every licence requirement in force."""
    scene, day = outcome.scene, outcome.scene.day
    for item in day.of("require"):
        value = scene.test(item.when)
        if item.is_weak:
            value = both(value, UNKNOWN)
        outcome.grounds[item.id] = value
        scene.results[item.id] = value
        outcome.licence = either(outcome.licence, value)


def notice(outcome: Outcome) -> None:
    """Warnings, tariffs, and requirements that stand in the text without effect."""
    scene, day = outcome.scene, outcome.scene.day
    for effect, found in (("warn", outcome.warnings), ("tariff", outcome.tariffs)):
        for item in day.of(effect):
            found[item.id] = scene.test(item.when)
    for item in (*day.not_enforced, *day.not_yet_applied):
        if item.effect == "require":
            outcome.dormant[item.id] = scene.test(item.when)


def review(outcome: Outcome) -> None:
    """The review policy of each ground, and the strictest of those that apply."""
    scene, law = outcome.scene, outcome.scene.day.law
    open_code = undetermined(law)
    certain: NDArray[np.int8] | int = NO_POLICY
    possible: NDArray[np.int8] | int = NO_POLICY
    for ground, value in outcome.grounds.items():
        if isinstance(value, int) and value == NO:
            continue
        code = _cascade(scene, reviews(scene.day, ground), law, open_code)
        outcome.policy_of[ground] = code
        certain = np.maximum(certain, np.where(np.equal(value, YES), code, NO_POLICY))
        possible = np.maximum(possible, np.where(np.equal(value, NO), NO_POLICY, code))
    is_certain = np.equal(outcome.licence, YES)
    outcome.policy = np.where(is_certain, certain, possible).astype(np.int8)


def reviews(day: Day, ground: str) -> tuple[Provision, ...]:
    """The review policies of a requirement, in the order in which they are tried."""
    return tuple(item for item in day.of("review") if ground in item.answers)


def _cascade(
    scene: Scene, policies: tuple[Provision, ...], law: Law, open_code: int
) -> NDArray[np.int8] | int:
    remaining: Truth = YES
    code: NDArray[np.int8] | int = open_code
    is_open: NDArray[np.bool_] | bool = False
    for item in policies:
        value = both(remaining, scene.test(item.when))
        own = 2 * law.policies[item.result[0]].rank
        if isinstance(value, int):
            if value == NO:
                continue
            return own if value == YES else open_code  # one value: none was decided before
        is_open = np.logical_or(is_open, np.equal(value, UNKNOWN))
        code = np.where(np.equal(value, YES) & ~is_open, own, code)
        remaining = both(remaining, negate(value))
    return np.where(is_open, open_code, code).astype(np.int8)


def except_(outcome: Outcome) -> None:
    """Licence exceptions: open where their terms hold and they answer every ground there is."""
    scene = outcome.scene
    for item in scene.day.of("except"):
        terms = scene.test(item.when)
        if isinstance(terms, int) and terms == NO:
            outcome.exceptions[item.id] = NO
            continue
        answered: Truth = NO
        unanswered: Truth = NO
        for ground, value in outcome.grounds.items():
            if ground in item.answers:
                answered = either(answered, value)
            else:
                unanswered = either(unanswered, value)
        if isinstance(answered, int) and answered == NO:
            outcome.exceptions[item.id] = NO
            continue
        value = both(both(terms, answered), negate(unanswered))
        outcome.exceptions[item.id] = value


def eccn_of(paragraphs: Mapping[str, Truth], row: int = 0) -> str:
    """The paragraph that applies to a row.

    Returns:
        Its name; "none" where none applies, "undetermined" where the inputs leave it open,
        "not yet" before the first rule.
    """
    if not paragraphs:
        return NOT_YET
    values = {name: at(value, row) for name, value in paragraphs.items()}
    certain = [name for name, value in values.items() if value == YES]
    if certain:
        return certain[0]
    return UNDETERMINED if UNKNOWN in values.values() else NONE
