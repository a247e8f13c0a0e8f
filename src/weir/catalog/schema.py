"""The records as they stand in the data files; strict, and complete in their complaints.

Pydantic stays at this edge: `load` turns records into the plain, SI-valued objects of `entities`.
"""

import datetime as dt
from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Strict,
    StringConstraints,
    model_validator,
)

from weir.catalog.architecture import Attention, FeedForward, Layers, Shape
from weir.core.provenance import Status

Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.\-]*$")]
Citation = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.\-]*(#.+)?$")]
Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
Day = Annotated[dt.date, Strict()]


def _is_scalar(value: object) -> object:
    if not isinstance(value, bool | int | float | dt.date | str):
        raise ValueError("must be a number, a text, a date, true or false")
    return value


def _is_number(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("must be a number")
    return value


Number = Annotated[int | float, BeforeValidator(_is_number)]
Scalar = Annotated[bool | int | float | dt.date | Text, BeforeValidator(_is_scalar)]


class Record(BaseModel):
    """Base of all records: immutable, and no key that the schema does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)


class SourceRecord(Record):
    """One cited document (`data/sources/*.toml`)."""

    id: Identifier
    title: Text
    publisher: Text
    kind: Literal[
        "datasheet",
        "vendor page",
        "filing",
        "rule",
        "guidance",
        "dataset",
        "code",
        "paper",
        "press",
        "teardown",
        "measurement",
        "secondary",
    ]
    accessed: Day
    licence: Text
    url: str | None = None
    published: Day | None = None
    quote: str | None = None
    note: str | None = None


class AlternativeRecord(Record):
    """What another source says about the same fact."""

    value: Scalar
    unit: str | None = None
    sources: tuple[Citation, ...] = ()
    note: str | None = None


class FactRecord(Record):
    """One sourced value, with number and unit as the source prints them."""

    value: Scalar | None = None
    low: Number | None = None
    high: Number | None = None
    unit: str | None = None
    sources: tuple[Citation, ...] = ()
    status: Status = Status.STATED
    how: str | None = None
    note: str | None = None
    alternatives: tuple[AlternativeRecord, ...] = ()
    verified_on: Day | None = None

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        if self.value is None and self.low is None and self.high is None:
            raise ValueError("needs a value, or low and high; leave the whole fact out if unknown")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"low {self.low} is above high {self.high}")
        if not self.sources and self.status is not Status.RECALLED and not self.how:
            raise ValueError("needs sources, or how it was obtained, or status = 'recalled'")
        if self.status in {Status.DERIVED, Status.ESTIMATED} and not self.how:
            raise ValueError(f"status '{self.status}' needs 'how': the arithmetic or the basis")
        if self.status is Status.DISPUTED and not self.alternatives:
            raise ValueError("status 'disputed' needs alternatives: what the other sources say")
        return self


class ChipRecord(Record):
    """One accelerator package or card (`data/chips/<vendor>/<id>.toml`).

    `generation` names the family whose kernel traits the speed model uses; `facts` holds the keys
    of `weir.catalog.fields.CHIP_FIELDS`.
    """

    id: Identifier
    name: Text
    designer: Text
    generation: Identifier
    aliases: tuple[Text, ...] = ()
    ics_per_card: int = Field(default=1, ge=1)
    note: str | None = None
    verified_on: Day | None = None
    facts: dict[str, FactRecord]


class SystemRecord(Record):
    """One node, rack or pod (`data/systems/<id>.toml`)."""

    id: Identifier
    name: Text
    chip: Identifier
    aliases: tuple[Text, ...] = ()
    note: str | None = None
    verified_on: Day | None = None
    facts: dict[str, FactRecord]


class ModelRecord(Record):
    """One language model (`data/models/<organisation>/<id>.toml`).

    The shape integers all come from the documents in `sources`; `published` holds what the
    organisation says about totals, to check the arithmetic against; its keys are those of
    `weir.catalog.fields.PUBLISHED_FIELDS`.
    """

    id: Identifier
    name: Text
    organisation: Text
    sources: tuple[Citation, ...] = Field(min_length=1)
    status: Status = Status.STATED
    aliases: tuple[Text, ...] = ()
    released: Day | None = None
    licence: str | None = None
    note: str | None = None
    verified_on: Day | None = None
    shape: Shape
    attentions: dict[str, Attention]
    feed_forwards: dict[str, FeedForward]
    layers: tuple[Layers, ...]
    published: dict[str, FactRecord] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _names_resolve(self) -> Self:
        if not self.layers:
            raise ValueError("layers: needs at least one")
        for index, layer in enumerate(self.layers):
            if layer.attention not in self.attentions:
                raise ValueError(f"layers[{index}].attention: no attentions.{layer.attention}")
            if layer.feed_forward not in self.feed_forwards:
                raise ValueError(
                    f"layers[{index}].feed_forward: no feed_forwards.{layer.feed_forward}"
                )
        return self
