"""From a model record to the operators of one engine step."""

from collections.abc import Iterator

from weir.catalog.entities import Model
from weir.perf.blocks import attention, feed_forward, recurrent, trunk
from weir.perf.formats import Precision
from weir.perf.operators import Batch, Operator, Work, share_work
from weir.perf.parallel import Layout, check_layout

_MIXERS = {
    "gqa": attention.gqa,
    "mla": attention.mla,
    "linear": recurrent.recurrent,
    "mamba2": recurrent.recurrent,
}


def operators(
    model: Model, layout: Layout, precision: Precision, batch: Batch
) -> tuple[Operator, ...]:
    """The operators of one step, on the busiest chip of each stage, through all layers.

    Args:
        model: The model.
        layout: Parallel degrees of the replica.
        precision: Number formats.
        batch: The sequences of the step.

    Returns:
        Operators in the order they run; layers of equal make are counted, not repeated. With
        pipeline stages the list is the way of one micro-batch through all of them.

    Raises:
        LayoutError: The layout does not divide the model.
    """
    check_layout(model, layout)
    work = share_work(batch, layout, precision, model.shape.hidden)
    return tuple(_walk(model, work))


def _walk(model: Model, work: Work) -> Iterator[Operator]:
    yield from trunk.embedding(work)
    mixers: dict[str, int] = {}
    blocks: dict[str, int] = {}
    norm_count = model.shape.final_norms
    for layer in model.layers:
        mixers[layer.attention] = mixers.get(layer.attention, 0) + layer.count
        blocks[layer.feed_forward] = blocks.get(layer.feed_forward, 0) + layer.count
        norm_count += layer.count * layer.norms
    yield from trunk.norms(work, norm_count)
    for key, count in mixers.items():
        kind = model.attentions[key]
        if kind.kind != "none":
            yield from _MIXERS[kind.kind](kind, work, count)
    for key, count in blocks.items():
        yield from feed_forward.feed_forward(model.feed_forwards[key], work, count)
    yield from trunk.head(model.shape, work)
    yield from trunk.hand_over(work)
