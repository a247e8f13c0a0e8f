"""Every error Weir raises on purpose.

::

    WeirError                 exit code 1: a bug or a broken installation
    ├── InputError            exit code 2: what the user gave cannot be used
    │   ├── UnknownNameError  no such chip, model, destination …, with the nearest names
    │   ├── UnitError         a unit that does not parse or has the wrong dimension
    │   ├── DateError         a date that does not exist or does not parse
    │   ├── RecordError       a data file with one or more problems, all of them listed
    │   ├── LayoutError       a parallel layout that does not divide the model or the chips
    │   ├── MissingRateError  a number format the chip has no published rate for
    │   └── OutputError       a path that cannot be written
    └── NothingFitsError      exit code 3: the question was fine, the answer is "none"

A message says what is wrong, where (file and key), why, and what to do.
"""

import difflib
from collections.abc import Iterable, Sequence

EXIT_BUG = 1
EXIT_INPUT = 2
EXIT_NOTHING_FITS = 3


class WeirError(Exception):
    """Base of all errors Weir raises on purpose; `exit_code` is what the command line returns."""

    exit_code: int = EXIT_BUG


class InputError(WeirError):
    """What the user gave cannot be used as it is."""

    exit_code = EXIT_INPUT


class UnknownNameError(InputError):
    """A name that is in no list, with the nearest names that are.

    Args:
        kind: What was looked for, such as "chip".
        name: What the user typed.
        known: All names that would have been accepted.
        hint: The command or page that lists them.
    """

    def __init__(self, kind: str, name: str, known: Iterable[str], hint: str = "") -> None:
        self.kind = kind
        self.name = name
        self.nearest = nearest_names(name, known)
        close = f" Nearest: {', '.join(self.nearest)}." if self.nearest else ""
        more = f" {hint}" if hint else ""
        super().__init__(f"unknown {kind} '{name}'.{close}{more}")


class UnitError(InputError):
    """A unit that does not parse, or measures something else than the key asks for."""


class DateError(InputError):
    """A date that does not exist or is not written as YYYY-MM-DD."""


class RecordError(InputError):
    """A data file with problems; lists all of them at once.

    Args:
        path: The file, as the user can open it.
        problems: One "key: what is wrong and what is allowed" per problem.
    """

    def __init__(self, path: object, problems: Sequence[str]) -> None:
        self.path = str(path)
        self.problems = tuple(problems)
        listed = "\n".join(f"  - {problem}" for problem in self.problems)
        noun = "problem" if len(self.problems) == 1 else "problems"
        super().__init__(f"{self.path}: {len(self.problems)} {noun}\n{listed}")


class LayoutError(InputError):
    """A parallel layout that does not divide the model or the chips."""


class MissingRateError(InputError):
    """A number format for which the chip has no published dense rate; nothing is invented."""


class OutputError(InputError):
    """A path that cannot be written."""


class NothingFitsError(WeirError):
    """The question was understood and the answer is that nothing satisfies it."""

    exit_code = EXIT_NOTHING_FITS


def nearest_names(name: str, known: Iterable[str], most: int = 3) -> tuple[str, ...]:
    """The names closest to what was typed, best first, compared without case and punctuation."""
    typed = _fold(name)
    if not typed:
        return ()
    plain = {_fold(candidate): candidate for candidate in known}
    close = difflib.get_close_matches(typed, plain, n=most, cutoff=0.5)
    starts = [key for key in plain if key.startswith(typed) and key not in close]
    return tuple(plain[key] for key in (close + sorted(starts))[:most])


def _fold(name: str) -> str:
    return "".join(ch for ch in name.casefold() if ch.isalnum())
