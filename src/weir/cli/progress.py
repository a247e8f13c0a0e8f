"""A progress bar on standard error: only on a terminal, only after the first second."""

import shutil
import sys
import threading
from types import TracebackType
from typing import Final, Self

_PATIENCE_S: Final = 1.0
_BEAT_S: Final = 0.2
_WIDTH: Final = 24


class Progress:
    """Counts what is done and shows it while it lasts; use it in a `with` statement.

    Args:
        total: How many steps there are, or how much there is to do.
    """

    def __init__(self, total: int) -> None:
        self._total = max(total, 1)
        self._done = 0
        self._label = "started"
        self._over = threading.Event()
        self._shown = False
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            self._thread = threading.Thread(target=self._watch, daemon=True)
            self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        if self._thread is not None:
            self._thread.join()
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def step(self, label: str, amount: int = 1) -> None:
        """One more step is done.

        Args:
            label: What it was.
            amount: How much of the total it was.
        """
        self._done, self._label = min(self._done + amount, self._total), label

    def line(self) -> str:
        """The bar, its share and what was done last."""
        filled = _WIDTH * self._done // self._total
        bar = "#" * filled + "." * (_WIDTH - filled)
        text = f"[{bar}] {self._done / self._total:.0%} {self._label}"
        return text[: shutil.get_terminal_size().columns - 1]

    def _watch(self) -> None:
        self._over.wait(_PATIENCE_S)
        while not self._over.is_set():
            sys.stderr.write(f"\r\x1b[K{self.line()}")
            sys.stderr.flush()
            self._shown = True
            self._over.wait(_BEAT_S)
