"""The speed: pure functions of arrays."""
