"""The text of a configuration file as a model record, with what is counted from it."""

import datetime as dt
import json
from dataclasses import dataclass

from weir.answers.models.importing import ImportedModel, import_config
from weir.core.errors import InputError, RecordError
from weir.perf.parameters import (
    active_parameters,
    kv_cache_bytes_per_token,
    total_parameters,
)


@dataclass(frozen=True, slots=True)
class ReadModel:
    """A model made from a configuration, and its size.

    Attributes:
        imported: The records and what was not understood.
        total_parameters: Of the language part, embeddings included.
        active_parameters: Those that one token uses.
        kv_bytes_per_token: Cache of one token in bf16.
    """

    imported: ImportedModel
    total_parameters: float
    active_parameters: float
    kv_bytes_per_token: float


def read_model(
    text: str,
    origin: object,
    *,
    name: str | None,
    organisation: str,
    accessed: dt.date,
    url: str | None,
) -> ReadModel:
    """Reads a Hugging Face `config.json` and counts what it describes.

    Args:
        text: The content of the file.
        origin: The file, for messages.
        name: Name of the model; the file's own where None.
        organisation: Who published it.
        accessed: The day on which it was read.
        url: Where it was read.

    Raises:
        RecordError: The text is not JSON, or lacks what a record needs.
    """
    try:
        config = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise RecordError(origin, [f"is not JSON: {error}"]) from None
    try:
        found = import_config(
            config, name=name, organisation=organisation, accessed=accessed, url=url
        )
    except InputError as error:
        raise RecordError(origin, [str(error)]) from None
    return ReadModel(
        imported=found,
        total_parameters=float(total_parameters(found)),
        active_parameters=float(active_parameters(found)),
        kv_bytes_per_token=float(kv_cache_bytes_per_token(found)),
    )
