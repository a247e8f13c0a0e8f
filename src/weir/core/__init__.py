"""What knows nothing about chips or law: units, dates, provenance, traces, errors."""
