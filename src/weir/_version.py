"""The version of the code; `data_version` in the catalogue says how old the facts are."""

__version__ = "0.1.0"
