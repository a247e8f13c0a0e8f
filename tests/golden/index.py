"""Which golden cases exercise which instrument, as the data that `weir law show` prints.

python -m tests.golden.index writes src/weir/data/rules/golden_cases.csv.
"""

import csv
import io
from collections.abc import Iterator

from tests.golden.test_determinations import ROWS, chip, transaction
from weir.catalog.files import STOCK
from weir.catalog.golden_cases import COLUMNS, FILE
from weir.catalog.law import Law
from weir.catalog.law_load import load_law
from weir.rules.evaluate import evaluate
from weir.rules.inputs import columns
from weir.rules.logic import NO, at
from weir.rules.scene import Scene, law_on
from weir.rules.transaction import resolve


def exercised(row: dict[str, str], law: Law) -> dict[str, list[str]]:
    """Provisions that hold or are open in a case, by instrument."""
    job = transaction(row)
    outcome = evaluate(Scene(law_on(law, job.on), resolve(law, job), columns([chip(row)])))
    asked = {key for key, value in outcome.grounds.items() if at(value) != NO}
    found: dict[str, list[str]] = {}
    for item in outcome.scene.day.all:
        value = at(outcome.grounds.get(item.id, outcome.scene.test(item.when)))
        is_asked = item.effect not in {"review", "except"} or asked.intersection(item.answers)
        if value != NO and is_asked:
            found.setdefault(item.instrument, []).append(item.id)
    for name, value in outcome.dormant.items():
        if at(value) != NO:
            maker = next(p.instrument for p in law.provisions if p.id == name)
            found.setdefault(maker, []).append(name)
    return found


def rows() -> Iterator[tuple[str, ...]]:
    """The table, without its heading: by instrument, cases in their order."""
    law = load_law()
    lines = []
    for place, row in enumerate(ROWS):
        for instrument, names in exercised(row, law).items():
            told = [row[key] for key in ("case", "chip", "date", "kind", "destination", "eccn")]
            told += [row[key] for key in ("licence", "policy", "confidence")]
            lines.append((instrument, place, (instrument, " ".join(sorted(names)), *told)))
    for _, _, line in sorted(lines):
        yield line


def table() -> str:
    """The file as text."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(rows())
    return out.getvalue()


if __name__ == "__main__":
    (STOCK / FILE).write_text(table(), encoding="utf-8")
