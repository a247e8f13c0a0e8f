"""Facts in, SI records out; the only package that touches files."""
