"""A Hugging Face configuration as a model record, and what could not be mapped."""

import dataclasses
import datetime as dt
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from weir.answers.models.config import Config, read_shape
from weir.answers.models.layers import Plan, plan_layers
from weir.catalog.architecture import Attention, FeedForward, Layers, Shape

_NOT_ID: Final = re.compile(r"[^a-z0-9.\-]+")


@dataclass(frozen=True)
class ImportedModel:
    """What became of a configuration.

    Attributes:
        id: Identifier, and stem of the file names.
        record_toml: The model record, complete but for published totals.
        source_toml: The source record that the model record cites.
        shape: The trunk that was read.
        attentions: The kinds of attention that were read.
        feed_forwards: The kinds of feed-forward block that were read.
        layers: The layers that were read.
        unmapped: Keys of the configuration that may change the architecture and were not
            understood; none means that the record is thought complete.
        warnings: What a reader must know before trusting the record.
    """

    id: str
    record_toml: str
    source_toml: str
    shape: Shape
    attentions: Mapping[str, Attention]
    feed_forwards: Mapping[str, FeedForward]
    layers: tuple[Layers, ...]
    unmapped: tuple[str, ...]
    warnings: tuple[str, ...]


def identifier_of(name: str) -> str:
    """A record id from a model name: "Qwen/Qwen3-8B" gives "qwen3-8b"."""
    return _NOT_ID.sub("-", name.rpartition("/")[2].casefold()).strip("-.")


def import_config(
    config: Mapping[str, Any],
    *,
    name: str | None = None,
    organisation: str = "unknown",
    accessed: dt.date,
    url: str | None = None,
    licence: str = "unknown; see the model's repository",
) -> ImportedModel:
    """Turns the content of a Hugging Face `config.json` into a model record.

    Args:
        config: The parsed configuration; of a multimodal model the language part is read.
        name: Name of the model; that in the configuration, or its type, where not given.
        organisation: Who published it.
        accessed: The day the configuration was read, for its source record.
        url: Where it was read.
        licence: Licence of the model's repository.

    Returns:
        Records as TOML text, their parts, and what was not understood.

    Raises:
        weir.core.errors.InputError: The configuration lacks what a record needs.
    """
    reader = Config(config)
    shape = read_shape(reader)
    plan = plan_layers(reader)
    label = name or str(config.get("_name_or_path") or "") or reader.model_type
    model_id = identifier_of(label)
    source_id = f"hf-{model_id}-config"
    head: dict[str, Any] = {
        "id": model_id,
        "name": label.rpartition("/")[2],
        "organisation": organisation,
        "sources": [source_id],
        "verified_on": accessed,
    }
    source: dict[str, Any] = {
        "id": source_id,
        "title": f"Configuration of {label}",
        "publisher": organisation,
        "kind": "code",
        "accessed": accessed,
        "licence": licence,
    }
    if url:
        source["url"] = url
    return ImportedModel(
        id=model_id,
        record_toml=write_record(head, shape, plan),
        source_toml=_pairs(source),
        shape=shape,
        attentions=plan.attentions,
        feed_forwards=plan.feed_forwards,
        layers=plan.layers,
        unmapped=reader.unmapped,
        warnings=_warnings(reader, config),
    )


def _warnings(reader: Config, config: Mapping[str, Any]) -> tuple[str, ...]:
    found = []
    if not reader.known:
        found.append(
            f"family '{reader.model_type}' is not known: a gated block, RMS norms, untied "
            "embeddings and no biases are assumed where the configuration is silent"
        )
    if reader.values is not config or "vision_config" in reader.values:
        found.append("only the language part is read; vision and audio parts are left out")
    if reader.unmapped:
        found.append(f"not understood: {', '.join(reader.unmapped)}; check the parameter count")
    return tuple(found)


def write_record(
    head: Mapping[str, Any],
    shape: Shape,
    plan: Plan,
    published: Mapping[str, Mapping[str, Any]] | None = None,
) -> str:
    """A model record as TOML, leaving out what equals the default.

    Args:
        head: The plain keys, in order.
        shape: The trunk.
        plan: Kinds and layers.
        published: Facts by key, if any.
    """
    parts = [_pairs(head), "[shape]\n" + _pairs(_changed(shape))]
    for group, kinds in (("attentions", plan.attentions), ("feed_forwards", plan.feed_forwards)):
        parts += [f"[{group}.{key}]\n{_pairs(_changed(kind))}" for key, kind in kinds.items()]
    parts += ["[[layers]]\n" + _pairs(_changed(layer)) for layer in plan.layers]
    if published:
        lines = (f"{key} = {_value(fact)}\n" for key, fact in published.items())
        parts.append("[published]\n" + "".join(lines))
    return "\n".join(parts)


def _changed(part: Shape | Attention | FeedForward | Layers) -> dict[str, Any]:
    """Fields that differ from their default, in the order of the class."""
    return {
        item.name: getattr(part, item.name)
        for item in dataclasses.fields(part)
        if item.default is dataclasses.MISSING or getattr(part, item.name) != item.default
    }


def _pairs(values: Mapping[str, Any]) -> str:
    return "".join(f"{key} = {_value(value)}\n" for key, value in values.items())


def _value(value: object) -> str:
    """One TOML value; strings are JSON strings, which TOML reads alike."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_value(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(item) for item in value) + "]"
    if isinstance(value, int | float):
        return repr(value)
    return json.dumps(str(value), ensure_ascii=False)
