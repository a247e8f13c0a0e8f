"""What surrounds the layers: embedding, normalisations, output head, hand-over between stages."""

from collections.abc import Iterator

from weir.catalog.architecture import Shape
from weir.perf.formats import bytes_of
from weir.perf.operators import Operator, Part, Work, collective, projection, streaming


def norms(work: Work, count: int) -> Iterator[Operator]:
    """Normalisations of the residual stream, each fused with the addition before it."""
    moved = work.tokens * work.hidden * bytes_of(work.precision.base)
    if count:
        yield streaming("normalisation", 2 * moved, 2 * moved, count)


def embedding(work: Work) -> Iterator[Operator]:
    """Look-up of token embeddings."""
    moved = work.tokens * work.hidden * bytes_of(work.precision.base)
    yield streaming("embedding", moved, moved, 1)


def head(shape: Shape, work: Work) -> Iterator[Operator]:
    """Output head on the tokens that need logits, the gather of logits, and sampling."""
    tp, base = work.layout.dense_tp, work.precision.base
    columns = -(-shape.vocabulary // tp)
    yield projection(
        "output head", work, work.outputs, columns, work.hidden, part=Part.HEAD, fmt=base, count=1
    )
    logits = work.outputs * shape.vocabulary * bytes_of(base)
    if tp > 1:
        yield collective("gather of logits", "all_gather", logits, tp, 1)
    # Assumed: one pass over the logits. No measured table of sampling is known.
    yield streaming("sampling", logits, work.outputs, 1)


def hand_over(work: Work) -> Iterator[Operator]:
    """Activations from one pipeline stage to the next."""
    if work.layout.pp > 1:
        message = work.tokens * work.hidden * bytes_of(work.precision.base)
        yield collective(
            "stage hand-over", "p2p", message, 2, work.layout.pp - 1, span=work.layout.chips
        )
