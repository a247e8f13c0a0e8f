"""Which documents of the catalogue stand behind each sentence of law that an answer quotes."""

from collections.abc import Mapping

from weir.catalog.law import Law
from weir.rules.determination import Determination

REVIEW = "review"


def authorities(answer: Determination, law: Law) -> Mapping[str, tuple[str, ...]]:
    """Source ids behind a determination, by the id of the clause, ground, exception or notice.

    The key `REVIEW` holds those of the review policies that apply or are open. What rests on no
    instrument, such as a remark about the evidence, has no key.
    """
    made_by = {item.id: item.instrument for item in answer.clauses}
    made_by |= {item.id: item.instrument for item in answer.grounds}
    made_by |= {item.id: item.instrument for item in answer.notices if item.instrument}
    found = {key: law.instruments[instrument].sources for key, instrument in made_by.items()}
    in_force = [item for item in law.provisions if answer.on in item.period]
    for exception in answer.exceptions:
        for item in in_force:
            if item.effect == "except" and exception.id in item.result:
                found[exception.id] = law.instruments[item.instrument].sources
    grounds = {ground.id for ground in answer.grounds}
    policies = [
        law.instruments[item.instrument].sources
        for item in in_force
        if item.effect == "review"
        and grounds.intersection(item.answers)
        and set(item.result).intersection(answer.review.possible)
    ]
    reviewed = tuple(dict.fromkeys(source for sources in policies for source in sources))
    return {**found, REVIEW: reviewed} if reviewed else found
