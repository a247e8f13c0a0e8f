"""Models read from a published configuration, and what a model's record says of it."""
