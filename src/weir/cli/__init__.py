"""The command line: parse, one call in answers, render."""
