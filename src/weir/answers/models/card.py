"""What is this model: its make, its size counted from its make, and what its makers say."""

from dataclasses import dataclass

from weir.answers.datasheet import cited_sources
from weir.catalog.entities import Model
from weir.catalog.query import Catalog
from weir.core.provenance import Fact, Source
from weir.perf.parameters import (
    ParameterGroups,
    active_as_published,
    kv_cache_bytes_per_token,
    parameter_groups,
    state_bytes,
    total_as_published,
)


@dataclass(frozen=True, slots=True)
class Agreement:
    """A quantity counted from the architecture, beside what is published.

    Attributes:
        name: The published fact's key.
        computed: Counted by Weir.
        published: The maker's figure, None where there is none.
    """

    name: str
    computed: float
    published: Fact | None

    @property
    def difference(self) -> float | None:
        """Computed over published minus one; None where nothing is published."""
        if self.published is None or not self.published.number:
            return None
        return self.computed / self.published.number - 1


@dataclass(frozen=True, slots=True)
class ModelCard:
    """One model with everything counted from its architecture."""

    model: Model
    groups: ParameterGroups
    total: Agreement
    active: Agreement
    kv_bytes_per_token_bf16: Agreement
    state_bytes_per_sequence: float
    sources: tuple[Source, ...]
    data_version: str

    @property
    def agreements(self) -> tuple[Agreement, Agreement, Agreement]:
        """What can be compared with a published figure."""
        return self.total, self.active, self.kv_bytes_per_token_bf16


def model_card(model: Model, catalog: Catalog) -> ModelCard:
    """Counts parameters and cache of a model.

    Raises:
        UnknownNameError: The record cites a source that the catalogue does not have.
    """
    groups = parameter_groups(model)
    published = model.published
    total, active = float(total_as_published(model)), float(active_as_published(model))
    kv = float(kv_cache_bytes_per_token(model))
    citations = [*model.sources, *(c for fact in published.values() for c in fact.sources)]
    return ModelCard(
        model=model,
        groups=groups,
        total=Agreement("total_parameters", total, published.get("total_parameters")),
        active=Agreement("active_parameters", active, published.get("active_parameters")),
        kv_bytes_per_token_bf16=Agreement(
            "kv_bytes_per_token", kv, published.get("kv_bytes_per_token")
        ),
        state_bytes_per_sequence=float(state_bytes(model)),
        sources=cited_sources(citations, catalog),
        data_version=catalog.data_version,
    )
