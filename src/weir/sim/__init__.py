"""One serving deployment, event by event."""
