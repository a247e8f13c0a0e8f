"""Folders: one of output written whole or not at all, and records added to a user's own."""

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from weir.cli.common import check_writable, emit
from weir.core.errors import OutputError


def add_records(texts: Mapping[Path, str]) -> None:
    """Writes new records and the folders they lie in; none where one of them is there already.

    Raises:
        OutputError: A file is there already, or cannot be written.
    """
    for path in texts:
        if path.exists():
            raise OutputError(f"{path} is already there, and is not overwritten; remove it first")
    for path in texts:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"cannot make the folder {path.parent}: {error.strerror}") from None
        check_writable(path)
    for path, text in texts.items():
        emit(text, path)


def check_target(folder: Path, mark: str | None) -> None:
    """Fails before any work where a folder could not be written at the end.

    Args:
        folder: Where the output goes.
        mark: A file by which an earlier output is known, which may be replaced; None where
            nothing may be.

    Raises:
        OutputError: Something else is there, or the folder above is missing or not writable.
    """
    parent = folder.resolve().parent
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise OutputError(f"cannot write {folder}: it is not a folder; give a new one")
    if not parent.is_dir():
        raise OutputError(f"cannot write {folder}: there is no folder {parent}; create it")
    if not os.access(parent, os.W_OK):
        raise OutputError(f"cannot write {folder}: the folder {parent} is not writable")
    if not folder.exists() or not any(folder.iterdir()):
        return
    if mark is None:
        raise OutputError(
            f"cannot write {folder}: it is not empty; give a new folder, or --replace what an "
            "earlier export wrote"
        )
    if not (folder / mark).is_file():
        raise OutputError(
            f"cannot replace {folder}: it holds no {mark}, so no earlier export wrote it; "
            "give a new folder"
        )


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """A temporary folder beside `folder` that takes its place when the block ends well.

    Raises:
        OutputError: Writing or moving failed; what was there before still is.
    """
    target = folder.resolve()
    try:
        temporary = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}."))
    except OSError as error:
        raise OutputError(f"cannot write {folder}: {error.strerror}") from None
    try:
        yield temporary
        mask = os.umask(0)
        os.umask(mask)
        temporary.chmod(0o777 & ~mask)
        _take_place(temporary, target)
    except OSError as error:
        raise OutputError(f"cannot write {folder}: {error.strerror}") from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _take_place(temporary: Path, target: Path) -> None:
    if not target.exists():
        temporary.rename(target)
        return
    old = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}.old."))
    target.rename(old / target.name)
    try:
        temporary.rename(target)
    except OSError:
        (old / target.name).rename(target)
        raise
    finally:
        shutil.rmtree(old, ignore_errors=True)
