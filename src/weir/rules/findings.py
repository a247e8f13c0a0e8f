"""The parts of a determination: grounds, review, exceptions, notices, margins, headline."""

from collections.abc import Iterable, Iterator

from weir.catalog.law import (
    METRICS,
    AllOf,
    AnyOf,
    Certified,
    Condition,
    FactIs,
    Provision,
)
from weir.rules.determination import (
    Clause,
    Ground,
    InputFact,
    LicenceException,
    Margin,
    Notice,
    Review,
)
from weir.rules.evaluate import (
    NO_POLICY,
    NONE,
    NOT_YET,
    UNDETERMINED,
    Outcome,
    policy_codes,
    reviews,
)
from weir.rules.explain import bounds_at, margin
from weir.rules.logic import NO, UNKNOWN, YES, Answer, Truth, answer, at
from weir.rules.places import country_name
from weir.rules.scene import comparisons
from weir.rules.wording import condition_text, interval


def _code(value: object, row: int = 0) -> int:
    if isinstance(value, int):
        return value
    flat = value.reshape(-1)  # type: ignore[attr-defined]
    return int(flat[row if flat.size > 1 else 0])


def applicable_grounds(outcome: Outcome) -> tuple[Ground, ...]:
    """The requirements that apply or may, the certain ones first."""
    day = outcome.scene.day
    found = [
        _ground(outcome, item) for item in day.of("require") if at(outcome.grounds[item.id]) != NO
    ]
    return tuple(sorted(found, key=lambda ground: ground.answer is not Answer.YES))


def _ground(outcome: Outcome, item: Provision) -> Ground:
    instrument = outcome.scene.day.law.instruments[item.instrument]
    return Ground(
        id=item.id,
        title=item.title,
        answer=answer(outcome.grounds[item.id]),
        instrument=instrument.id,
        kind=instrument.kind,
        force=instrument.force,
        binding_on=instrument.binding_on,
        citation=item.citation,
        quote=item.quote or instrument.quote,
        evidence=item.evidence,
        note=item.note,
        review=_review(outcome, item.id, _code(outcome.policy_of.get(item.id, NO_POLICY))),
    )


def _review(outcome: Outcome, ground: str, code: int) -> Review:
    scene = outcome.scene
    law = scene.day.law
    policy = policy_codes(law).get(code, "")
    possible: list[Provision] = []
    for item in reviews(scene.day, ground):
        value = at(scene.test(item.when))
        if value != NO:
            possible.append(item)
        if value == YES:
            break
    cited = [item for item in possible if not policy or item.result[0] == policy]
    if policy:
        label, meaning = law.policies[policy].label, law.policies[policy].meaning
    else:
        label = " or ".join(law.policies[item.result[0]].label for item in possible)
        label = label or "not determined"
        meaning = "depends on what is not known or not certified"
    conditions = tuple(line for item in possible for line in item.conditions)
    return Review(
        policy=policy,
        label=label,
        meaning=meaning,
        possible=tuple(dict.fromkeys(item.result[0] for item in possible)),
        citation="; ".join(dict.fromkeys(item.citation for item in cited)),
        conditions=conditions,
        missing=tuple(line for item in possible for line in _missing(outcome, item.when)),
    )


def _missing(outcome: Outcome, condition: Condition) -> Iterator[str]:
    scene = outcome.scene
    if isinstance(condition, AllOf | AnyOf):
        for part in condition.parts:
            yield from _missing(outcome, part)
    elif isinstance(condition, Certified | FactIs) and at(scene.test(condition)) == UNKNOWN:
        yield condition_text(scene.day.law, condition)


def overall_review(outcome: Outcome, grounds: tuple[Ground, ...]) -> Review:
    """The review policy over all grounds: that of the strictest."""
    if at(outcome.licence) == NO or not grounds:
        return Review(label="none: no licence requirement was found")
    code = _code(outcome.policy)
    policy = policy_codes(outcome.scene.day.law).get(code, "")
    certain = [item for item in grounds if item.answer is Answer.YES] or list(grounds)
    for item in (*certain, *grounds):
        if item.review.policy == policy:
            return item.review
    reviews_ = [item.review for item in grounds]
    possible = tuple(dict.fromkeys(word for each in reviews_ for word in each.possible))
    return Review(
        policy=policy,
        label=" or ".join(dict.fromkeys(each.label for each in reviews_)),
        meaning="depends on which requirement applies",
        possible=possible,
        citation="; ".join(dict.fromkeys(each.citation for each in reviews_)),
        conditions=tuple(line for each in reviews_ for line in each.conditions),
        missing=tuple(line for each in reviews_ for line in each.missing),
    )


def applicable_exceptions(outcome: Outcome) -> tuple[LicenceException, ...]:
    """The exceptions whose terms are met, or may be."""
    return tuple(
        LicenceException(
            id=item.result[0],
            title=item.title,
            answer=answer(outcome.exceptions[item.id]),
            conditions=item.conditions,
            citation=item.citation,
            quote=item.quote,
            evidence=item.evidence,
        )
        for item in outcome.scene.day.of("except")
        if at(outcome.exceptions[item.id]) != NO
    )


def notices(outcome: Outcome) -> tuple[Notice, ...]:
    """Warnings, tariffs, text without effect, and what the evidence does not reach."""
    return (*_in_force(outcome), *_dormant(outcome), *_weak_evidence(outcome), *_limits(outcome))


def _in_force(outcome: Outcome) -> Iterator[Notice]:
    day = outcome.scene.day
    for item in day.of("warn"):
        if at(outcome.warnings[item.id]) != NO:
            kind = day.law.instruments[item.instrument].kind
            word = "foreign measure" if kind == "foreign_measure" else "warning"
            yield _notice(word, item, outcome.warnings[item.id])
    for item in day.of("tariff"):
        if at(outcome.tariffs[item.id]) != NO:
            yield _notice("tariff", item, outcome.tariffs[item.id])


def _dormant(outcome: Outcome) -> Iterator[Notice]:
    day = outcome.scene.day
    for items, word in (
        (day.not_enforced, "not enforced"),
        (day.not_yet_applied, "not yet applied"),
    ):
        for item in items:
            if at(outcome.dormant.get(item.id, NO)) != NO:
                yield _notice(word, item, outcome.dormant[item.id])


def _limits(outcome: Outcome) -> Iterator[Notice]:
    day, on = outcome.scene.day, outcome.scene.case.on
    law = day.law
    if on > law.horizon:
        yield _dated(
            "evidence horizon",
            f"The evidence reaches {law.horizon}. Rules published between that day and {on} are "
            "not known; no later rule was found, which is weak evidence that there is none.",
        )
    elif on < law.reconstructed_before and day.of("require"):
        yield _dated(
            "country groups reconstructed",
            f"Country groups before {law.reconstructed_before} are the table of July 2026 less "
            "the changes that are known.",
        )


def _notice(kind: str, item: Provision, value: Truth) -> Notice:
    return Notice(
        id=item.id,
        kind=kind,
        title=item.title,
        text=item.note or item.title,
        answer=answer(value),
        citation=item.citation,
        evidence=item.evidence,
        instrument=item.instrument,
    )


def _dated(title: str, text: str) -> Notice:
    return Notice(
        id=title.replace(" ", "-"),
        kind="date",
        title=title,
        text=text,
        answer=Answer.YES,
        citation="",
        evidence="inferred",
    )


def _weak_evidence(outcome: Outcome) -> Iterator[Notice]:
    for item in outcome.scene.day.of("require"):
        value = outcome.grounds[item.id]
        if at(value) != NO and item.is_weak:
            yield _notice("warning", item, value)


def margins(outcome: Outcome, clauses: Iterable[Clause]) -> tuple[Margin, ...]:
    """Distances from every line of the classification and of what bears on the answer."""
    scene = outcome.scene
    found = [item for clause in clauses for item in clause.margins]
    for effect in ("require", "review", "tariff"):
        for item in scene.day.of(effect):
            lines = comparisons(scene.day, item.when)
            if lines and _bears(outcome, item):
                found += [margin(scene, item.id, leaf) for leaf in lines]
    return tuple(found)


def _bears(outcome: Outcome, item: Provision) -> bool:
    if item.effect == "require":
        return at(outcome.grounds[item.id]) != NO
    if item.effect == "review":
        return any(at(outcome.grounds.get(ground, NO)) != NO for ground in item.answers)
    return True


def plain_inputs(outcome: Outcome) -> tuple[InputFact, ...]:
    """The numbers as they were used, where the caller has no sources for them."""
    scene = outcome.scene
    found = []
    for name in ("tpp", "performance_density", "memory_bandwidth", "io_bidirectional"):
        metric = METRICS[name]
        low, high = (bound / metric.factor for bound in bounds_at(scene, name))
        found.append(InputFact(name, metric.label, interval(low, high), low, high, metric.unit))
    return tuple(found)


def sources(outcome: Outcome, fact_sources: Iterable[str]) -> tuple[str, ...]:
    """Source ids of every instrument in force that bears on the answer, and of the facts."""
    day = outcome.scene.day
    values = {
        **outcome.clauses,
        **outcome.excluded,
        **outcome.grounds,
        **outcome.exceptions,
        **outcome.warnings,
        **outcome.tariffs,
        **outcome.dormant,
    }
    instruments = dict.fromkeys(
        item.instrument
        for item in (*day.all, *day.not_enforced, *day.not_yet_applied)
        if item.effect in {"classify", "exclude"} or at(values.get(item.id, NO)) != NO
    )
    cited = [source for key in instruments for source in day.law.instruments[key].sources]
    return tuple(dict.fromkeys([*cited, *fact_sources]))


def headline(
    outcome: Outcome,
    name: str,
    eccn: str,
    grounds: tuple[Ground, ...],
    review: Review,
    exceptions: tuple[LicenceException, ...],
) -> str:
    """The answer in one sentence or two."""
    case, law = outcome.scene.case, outcome.scene.day.law
    where = country_name(law, case.destination)
    licence = answer(outcome.licence)
    need = {
        Answer.YES: "a U.S. licence is required",
        Answer.NO: "no U.S. licence requirement was found",
        Answer.UNKNOWN: "whether a U.S. licence is required is not determined",
    }[licence]
    parts = [f"{name} to {where} on {case.on}: {need}"]
    if grounds and licence is not Answer.NO:
        shown = [ground for ground in grounds if ground.answer is licence] or list(grounds)
        parts.append(" (" + "; ".join(ground.title for ground in shown[:2]) + ")")
    parts.append(f"; {_class_text(outcome, eccn)}")
    if licence is not Answer.NO:
        parts.append(f"; review policy: {review.label}")
    open_ones = [item for item in exceptions if item.answer is not Answer.NO]
    if open_ones:
        words = ", ".join(
            f"{item.id} {'open' if item.answer is Answer.YES else 'perhaps open'}"
            for item in open_ones
        )
        parts.append(f"; exception {words}, on its conditions")
    parts += [f"; warning: {title}" for title in prominent_warnings(outcome)]
    return "".join(parts) + "."


def prominent_warnings(outcome: Outcome) -> list[str]:
    """Titles of the warnings that apply, or may, and that no verdict may be read without."""
    return [
        item.title
        for item in outcome.scene.day.of("warn")
        if item.is_prominent and at(outcome.warnings[item.id]) != NO
    ]


def _class_text(outcome: Outcome, eccn: str) -> str:
    if eccn == NOT_YET:
        return "ECCN 3A090 did not exist on that day"
    numbers = []
    for metric, word in (("tpp", "TPP"), ("performance_density", "performance density")):
        low, high = bounds_at(outcome.scene, metric)
        numbers.append(f"{word} {interval(_rounded(low), _rounded(high))}")
    text = ", ".join(numbers)
    if eccn == NONE:
        return f"in no paragraph of 3A090 ({text})"
    if eccn == UNDETERMINED:
        return f"classification not determined ({text})"
    return f"classified under {eccn} ({text})"


def _rounded(value: float) -> float:
    return float(f"{value:.5g}")
