"""The names of files inside a folder or an archive, in one spelling, whatever system and tool wrote them."""

import logging
import os
import stat
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path

#: What macOS, Windows and file servers put beside one's files: names that begin so, at any depth.
_NOT_DATA = (".", "__MACOSX", "@eaDir", "$RECYCLE.BIN")


def inner_path(name: str) -> str | None:
    r"""A file's path in the one spelling: "/" between folders, no "./" or "/" in front, composed accents.

    Args:
        name: as an archive's directory or a file system has it: ``.\S1\a.png``.

    Returns:
        ``S1/a.png``; None for hidden files, for what systems put beside one's files, and for paths that lead out.
    """
    parts = [part for part in unicodedata.normalize("NFC", name).replace("\\", "/").split("/") if part not in ("", ".")]
    if not parts or any(part.startswith(_NOT_DATA) for part in parts):
        return None
    return "/".join(parts)


def inner_paths(where: str, names: Iterable[str]) -> dict[str, str]:
    """Inner path to the name as it is stored, for every file that is data; those that lead out are warned of.

    Args:
        where: the folder or archive, for messages.
        names: its files, as they are stored.

    Raises:
        ValueError: two files have the same inner path.
    """
    found: dict[str, str] = {}
    for name in names:
        inner = inner_path(name)
        if inner is None:
            if ".." in name.replace("\\", "/").split("/"):
                logging.warning("%s: %r leads out of it and is left out", where, name)
            continue
        if found.setdefault(inner, name) != name:
            raise ValueError(f"{where}: {found[inner]!r} and {name!r} are the same path")
    return found


def walk_files(folder: Path) -> Iterator[str]:
    """The files below a folder, those of linked folders included, by their path in it; dangling links count as files.

    A link to a folder that it lies in is not followed.

    Args:
        folder: where to begin.

    Raises:
        OSError: a folder cannot be listed.
    """
    yield from _walk(folder, "", (os.path.realpath(folder),))


def _walk(folder: Path, prefix: str, above: tuple[str, ...]) -> Iterator[str]:
    with os.scandir(folder / prefix) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            inner = f"{prefix}{entry.name}"
            if inner_path(entry.name) is None:
                continue
            if not entry.is_dir():
                dangling = entry.is_symlink() and not os.path.exists(entry.path)
                if dangling or stat.S_ISREG(entry.stat().st_mode):
                    yield inner
                continue
            real = os.path.realpath(entry.path) if entry.is_symlink() else os.path.join(above[-1], entry.name)
            if real not in above:
                yield from _walk(folder, f"{inner}/", (*above, real))
