"""What all tests share: the stock, a clean environment, and how hypothesis looks for examples."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from weir.catalog.query import OVERLAY_VARIABLE, Catalog

ROOT = Path(__file__).resolve().parent.parent

# Deterministic, so that a red run is red again; no deadline, because machines are shared.
settings.register_profile(
    "weir",
    deadline=None,
    derandomize=True,
    database=None,
    max_examples=100,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("weir")


@pytest.fixture(autouse=True)
def _no_overlay_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(OVERLAY_VARIABLE, raising=False)


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    """The stock as it is shipped, without overlays."""
    return Catalog()
