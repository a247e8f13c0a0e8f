"""What an evaluation rests on, in words: steps, clauses, margins."""

from dataclasses import replace

import numpy as np

from weir.catalog.law import METRICS, AllOf, AnyOf, Compare, Condition, NotThat, Provision
from weir.core.trace import Step
from weir.rules.determination import Clause, Margin
from weir.rules.evaluate import Outcome
from weir.rules.logic import NO, Answer, Truth, answer, at
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
    metric = METRICS[leaf.metric]
    factor = leaf.threshold / leaf.value if leaf.value else metric.factor
    low, high = bounds_at(scene, leaf.metric)
    low, high = low / factor, high / factor
    found = answer(scene.test(leaf))
    return Margin(
        clause=clause,
        metric=leaf.metric,
        label=metric.label,
        comparison=leaf.comparison,
        threshold=leaf.value,
        unit=leaf.unit,
        low=low,
        high=high,
        gap_low=low - leaf.value,
        gap_high=high - leaf.value,
        answer=found,
        text=_margin_text(_text(scene, leaf), leaf, low, high, found),
    )


def _margin_text(test: str, leaf: Compare, low: float, high: float, found: Answer) -> str:
    label = METRICS[leaf.metric].label
    value = with_unit(interval(low, high), leaf.unit)
    if low != high:
        return f"{test}: {found} ({label} {value})"
    gap = low - leaf.value
    if gap == 0:
        return f"{test}: {found} ({label} {value}, exactly on the line)"
    side = "above" if gap > 0 else "below"
    share = f", {abs(gap) / leaf.value * PERCENT:.3g} %" if leaf.value else ""
    return f"{test}: {found} ({label} {value}, {number(abs(gap))} {side}{share})"


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
    outcome = _OUTCOMES[at(scene.test(condition))]
    if isinstance(condition, Compare):
        return Step(_text(scene, condition), outcome, margin(scene, "", condition).text)
    if isinstance(condition, AllOf | AnyOf):
        children = tuple(step_of(scene, part) for part in condition.parts)
        return Step(_text(scene, condition), outcome, children=children)
    if isinstance(condition, NotThat):
        return Step("not", outcome, children=(step_of(scene, condition.part),))
    return Step(_text(scene, condition), outcome)


def _text(scene: Scene, condition: Condition) -> str:
    texts = scene.day.texts
    key = id(condition)
    if key not in texts:
        texts[key] = condition_text(scene.day.law, condition)
    return texts[key]


_OUTCOMES = ("false", "unknown", "true")


def provision_step(scene: Scene, item: Provision, value: Truth) -> Step:
    """The explanation of one provision.

    Where the transaction alone rules a provision out, only what rules it out is listed.
    """
    children = tuple(step_of(scene, part) for part in _worth_telling(scene, item))
    return Step(item.id, _OUTCOMES[at(value)], item.title, item.citation, children)


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
        steps = tuple(provision_step(scene, item, values[item.id]) for item in day.of(effect))
        questions.append(Step(name, "", children=steps))
    grounds = [key for key, value in outcome.grounds.items() if at(value)]
    policies = tuple(
        provision_step(scene, item, scene.test(item.when))
        for item in day.of("review")
        if any(ground in item.answers for ground in grounds)
    )
    questions.insert(2, Step("review policy", "", children=policies))
    return Step(verdict, "", children=tuple(questions))
