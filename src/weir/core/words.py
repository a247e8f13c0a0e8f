"""Numbers in sentences."""


def counted(count: float, noun: str) -> str:
    """A whole number of things: "1 chip", "2,048 chips"."""
    number = f"{count:,.0f}"
    return f"{number} {noun}" if number == "1" else f"{number} {noun}s"
