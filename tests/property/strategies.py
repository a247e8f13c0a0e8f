"""Hypothesis strategies that several tests draw from."""

import datetime as dt

from hypothesis import strategies as st

from weir.core.dates import Period
from weir.core.provenance import Status
from weir.core.units import UNITS, Unit

# Days that Weir can be asked about: from the first control to well after the evidence horizon.
days = st.dates(min_value=dt.date(2015, 1, 1), max_value=dt.date(2035, 12, 31))

statuses = st.sampled_from(Status)

units = st.sampled_from(list(UNITS.values()))

# Values as data sheets print them: positive, of any size a prefix makes readable.
magnitudes = st.floats(min_value=1e-3, max_value=1e6, allow_nan=False, allow_infinity=False)


def units_of(dimension: str) -> st.SearchStrategy[Unit]:
    """Units that measure one dimension."""
    return st.sampled_from([unit for unit in UNITS.values() if unit.dimension == dimension])


@st.composite
def periods(draw: st.DrawFn) -> Period:
    """Periods, with or without a bound on each side."""
    start = draw(st.none() | days)
    end = draw(st.none() | days)
    if start is not None and end is not None and end < start:
        start, end = end, start
    return Period(start, end)
