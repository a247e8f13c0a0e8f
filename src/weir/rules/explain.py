"""What an evaluation rests on, in words: steps, clauses, margins."""

from dataclasses import replace
from typing import Final

import numpy as np

from weir.catalog.law import METRICS, AllOf, AnyOf, Compare, Condition, NotThat, Provision
from weir.core.trace import Step
from weir.rules.determination import Clause, Margin
from weir.rules.evaluate import Outcome
from weir.rules.logic import NO, Truth, answer, at
from weir.rules.scene import Scene, comparisons
from weir.rules.wording import condition_text, interval, number, with_unit

PERCENT = 100


def bounds_at(scene: Scene, metric: str, row: int = 0) -> tuple[float, float]:
    """Lower and upper bound of a metric for one row, in the stored unit."""
    low, high = scene.bounds(metric)
    return (
        float(low[row]) if np.ndim(low) else float(low),
        float(high[row]) if np.ndim(high) else float(high),
    )


def margin(scene: Scene, clause: str, leaf: Compare) -> Margin:
    """How far the input of the first row is from a threshold."""
    known = scene.margins.get(id(leaf))
    if known is None:
        known = scene.margins[id(leaf)] = _margin(scene, clause, leaf)
    return known if known.clause == clause or not clause else replace(known, clause=clause)


def _margin(scene: Scene, clause: str, leaf: Compare) -> Margin:
    low, high, value = _quantity(scene, leaf)
    found = answer(scene.test(leaf))
    return Margin(
        clause=clause,
        metric=leaf.metric,
        label=METRICS[leaf.metric].label,
        comparison=leaf.comparison,
        threshold=leaf.value,
        unit=leaf.unit,
        low=low,
        high=high,
        gap_low=low - leaf.value,
        gap_high=high - leaf.value,
        answer=found,
        text=f"{_text(scene, leaf)}: {found} ({value}{_distance(leaf, low, high)})",
    )


def _quantity(scene: Scene, leaf: Compare) -> tuple[float, float, str]:
    """Bounds of the metric of a comparison in its unit, and in words; remembered."""
    key = leaf.metric, leaf.unit
    found = scene.quantities.get(key)
    if found is None:
        metric = METRICS[leaf.metric]
        factor = leaf.threshold / leaf.value if leaf.value else metric.factor
        low, high = (bound / factor for bound in bounds_at(scene, leaf.metric))
        text = f"{metric.label} {with_unit(interval(low, high), leaf.unit)}"
        found = scene.quantities[key] = low, high, text
    return found


def _distance(leaf: Compare, low: float, high: float) -> str:
    if low != high:
        return ""
    gap = low - leaf.value
    if gap == 0:
        return ", exactly on the line"
    side = "above" if gap > 0 else "below"
    share = f", {abs(gap) / leaf.value * PERCENT:.3g} %" if leaf.value else ""
    return f", {number(abs(gap))} {side}{share}"


def clause_of(outcome: Outcome, item: Provision) -> Clause:
    """A clause of the classification with its margins."""
    scene = outcome.scene
    values = outcome.excluded if item.effect == "exclude" else outcome.clauses
    return Clause(
        id=item.id,
        title=item.title,
        paragraphs=item.result,
        effect=item.effect,
        answer=answer(values[item.id]),
        citation=item.citation,
        quote=item.quote,
        evidence=item.evidence,
        instrument=item.instrument,
        margins=tuple(margin(scene, item.id, leaf) for leaf in comparisons(scene.day, item.when)),
    )


def step_of(scene: Scene, condition: Condition) -> Step:
    """The explanation of a condition for the first row."""
    truth = at(scene.test(condition))
    if isinstance(condition, Compare):
        return Step(_text(scene, condition), _OUTCOMES[truth], margin(scene, "", condition).text)
    if isinstance(condition, _GROUPS):
        children = tuple([step_of(scene, part) for part in condition.parts])
        return Step(_text(scene, condition), _OUTCOMES[truth], children=children)
    if isinstance(condition, NotThat):
        return Step("not", _OUTCOMES[truth], children=(step_of(scene, condition.part),))
    # What remains says the same of every chip and transaction with the same outcome.
    key = (id(condition), truth)
    found = scene.day.steps.get(key)
    if found is None:
        found = scene.day.steps[key] = Step(_text(scene, condition), _OUTCOMES[truth])
    return found


def _text(scene: Scene, condition: Condition) -> str:
    texts = scene.day.texts
    key = id(condition)
    if key not in texts:
        texts[key] = condition_text(scene.day.law, condition)
    return texts[key]


_OUTCOMES: Final = ("false", "unknown", "true")
_GROUPS: Final = (AllOf, AnyOf)
_TOLD_ANEW: Final = (Compare, NotThat, AllOf, AnyOf)  # the same outcome may have other reasons


def provision_step(scene: Scene, item: Provision, value: Truth) -> Step:
    """The explanation of one provision.

    Where the transaction alone rules a provision out, only what rules it out is listed.
    """
    told = _worth_telling(scene, item)
    truth = at(value)
    is_plain = len(told) == 1 and not isinstance(told[0], _TOLD_ANEW)
    if truth != NO or not is_plain or at(scene.test(told[0])) != NO:
        children = tuple([step_of(scene, part) for part in told])
        return Step(item.id, _OUTCOMES[truth], item.title, item.citation, children)
    key = (id(item), id(told[0]))
    found = scene.day.steps.get(key)
    if found is None:
        children = (step_of(scene, told[0]),)
        found = Step(item.id, _OUTCOMES[NO], item.title, item.citation, children)
        scene.day.steps[key] = found
    return found


def _worth_telling(scene: Scene, item: Provision) -> tuple[Condition, ...]:
    condition = item.when
    if isinstance(condition, AnyOf):
        return condition.parts
    if not isinstance(condition, AllOf):
        return (condition,)
    if item.effect not in {"classify", "exclude"}:
        for part in scene.day.ordered(condition):
            value = scene.test(part)
            if isinstance(value, int) and value == NO:
                return (part,)
    return condition.parts


def trace(outcome: Outcome, verdict: str) -> Step:
    """The whole evaluation as a tree: the four questions and the notices."""
    scene, day = outcome.scene, outcome.scene.day
    classification = [
        provision_step(scene, item, values[item.id])
        for effect, values in (
            ("presume", outcome.clauses),
            ("classify", outcome.clauses),
            ("exclude", outcome.excluded),
        )
        for item in day.of(effect)
    ]
    classification += [
        Step(paragraph, _OUTCOMES[at(value)], "clauses less exclusions")
        for paragraph, value in outcome.paragraphs.items()
    ]
    questions = [Step("classification", "", children=tuple(classification))]
    for name, effect, values in (
        ("licence requirement", "require", outcome.grounds),
        ("licence exceptions", "except", outcome.exceptions),
        ("warnings", "warn", outcome.warnings),
        ("tariffs", "tariff", outcome.tariffs),
    ):
        steps = tuple([provision_step(scene, item, values[item.id]) for item in day.of(effect)])
        questions.append(Step(name, "", children=steps))
    grounds = [key for key, value in outcome.grounds.items() if at(value)]
    policies = tuple(
        provision_step(scene, item, scene.test(item.when))
        for item in day.of("review")
        if any(ground in item.answers for ground in grounds)
    )
    questions.insert(2, Step("review policy", "", children=policies))
    return Step(verdict, "", children=tuple(questions))
