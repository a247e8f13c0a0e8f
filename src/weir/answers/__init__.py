"""One module per question a person asks; each returns frozen dataclasses."""
