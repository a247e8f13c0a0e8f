"""Validated records kept beside the stock, so that only the first command after a change reads it.

A kept value is found by the content of every file it was made of and of the code that made it,
never by time stamps; what does not match to the byte is not used. Where the folder of the stock
cannot be written, nothing is kept and nothing else changes.
"""

import hashlib
import importlib.util
import os
import pickle
import sys
import tempfile
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

from weir.catalog.files import STOCK

FOLDER: Final = ".cache"
DIGEST_BYTES: Final = 32
_PACKAGE: Final = Path(__file__).resolve().parent.parent
# All code between a data file and a record.
_CODE: Final = (_PACKAGE / "catalog", _PACKAGE / "core")


class Cache:
    """What is kept of one folder of records.

    Args:
        folder: The folder; all its files count.
        keep: Where to keep it; beside the stock where left out.
        also: Files elsewhere that count too.
    """

    def __init__(
        self, folder: Path, keep: Path = STOCK / FOLDER, also: Sequence[Path] = ()
    ) -> None:
        self.folder = folder
        self.also = also
        self.path = keep / f"{folder.name}.pickle"

    @property
    def is_writable(self) -> bool:
        """True where something can be kept for the next time."""
        place = self.path.parent if self.path.parent.exists() else self.path.parent.parent
        return os.access(place, os.W_OK)

    def fingerprint(self) -> bytes:
        """A digest of every file in the folder, with its path, and of the code that reads them."""
        digest = hashlib.blake2b(_code_fingerprint(), digest_size=DIGEST_BYTES)
        digest.update(os.fsencode(self.folder))
        for path in _files(self.folder):
            _add(digest, self.folder, path)
        for other in self.also:
            _add(digest, other.parent, str(other))
        return digest.digest()

    def recall(self) -> Any | None:  # noqa: ANN401 - whatever was remembered
        """What was remembered, None where there is nothing or anything has changed since."""
        try:
            kept = self.path.read_bytes()
        except OSError:
            return None
        fingerprint, check, payload = (
            kept[:DIGEST_BYTES],
            kept[DIGEST_BYTES : 2 * DIGEST_BYTES],
            kept[2 * DIGEST_BYTES :],
        )
        if fingerprint != self.fingerprint() or check != _check(payload):
            return None
        # As safe as the byte code that Python keeps beside the same modules: who can write the
        # one can write the other.
        return pickle.loads(payload)  # noqa: S301

    def remember(self, value: object, fingerprint: bytes) -> None:
        """Keeps a value made of the folder as it was at `fingerprint`.

        Does nothing where the folder has changed since or nothing can be written.
        """
        if fingerprint != self.fingerprint():
            return
        payload = pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)
        try:
            self.path.parent.mkdir(exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=self.path.name)
            with os.fdopen(handle, "wb") as file:
                file.write(fingerprint + _check(payload) + payload)
            Path(name).replace(self.path)
        except OSError:
            return


def _check(payload: bytes) -> bytes:
    return hashlib.blake2b(payload, digest_size=DIGEST_BYTES).digest()


@cache
def _code_fingerprint() -> bytes:
    digest = hashlib.blake2b(sys.version.encode(), digest_size=DIGEST_BYTES)
    validator = importlib.util.find_spec("pydantic")
    if validator is not None and validator.origin is not None:
        digest.update(Path(validator.origin).with_name("version.py").read_bytes())
    for folder in _CODE:
        for path in _files(folder):
            if path.endswith(".py"):
                _add(digest, folder, path)
    return digest.digest()


def _files(folder: Path) -> Iterator[str]:
    """All files beneath a folder in a fixed order, without hidden folders."""
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__")))
        for name in sorted(names):
            yield f"{place}{os.sep}{name}"


def _add(digest: "hashlib.blake2b", root: Path, path: str) -> None:
    # Bare file calls: this is most of the time that finding one chip takes.
    try:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123
            content = file.read()
    except OSError:  # the reader will say so; here it is another state of the folder
        content = b"\0unreadable"
    name = os.fsencode(path[len(str(root)) :])
    digest.update(b"%b\0%d\0" % (name, len(content)))
    digest.update(content)
