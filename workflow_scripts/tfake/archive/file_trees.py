"""The files of a folder, searched with its subfolders, or of a zip read in place: names and bytes.

Names have one spelling, whatever system and tool wrote them.
"""

import logging
import os
import stat
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

from tfake.archive.zip_archive import Archive, ArchiveError, Member, MemberError, list_members

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


@dataclass(frozen=True)
class FileTree:
    """The files of a folder or a zip, by their path inside it."""

    where: str  # the folder or zip, for messages
    names: tuple[str, ...]  # sorted, in the spelling of inner_path
    read_bytes: Callable[[str], bytes]  # from any thread, and in other processes

    def __contains__(self, name: str) -> bool:
        """Whether there is a file of this name."""
        return name in self._known

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(self.names)

    def read(self, name: str) -> bytes:
        """Read one file.

        Args:
            name: one of ``names``.

        Raises:
            ValueError: it cannot be read: a damaged member of a zip, a link to nowhere; the message names it.
        """
        try:
            return self.read_bytes(name)
        except MemberError as error:
            raise ValueError(f"{self.where}: {name} cannot be read out of the zip ({error})") from error
        except OSError as error:
            raise ValueError(f"{self.where}: {name} cannot be read ({error.strerror or error})") from error


def open_tree(path: str | Path, holds: str) -> FileTree:
    """List a folder or a zip.

    Args:
        path: the folder or zip.
        holds: what it should hold, for messages: "paired images".

    Returns:
        Its files, those of linked folders included; hidden ones, and what systems put beside one's files, are left out.

    Raises:
        FileNotFoundError: no such folder or file.
        ValueError: the file is no zip, a folder cannot be listed, or two files have the same path.
    """
    path = Path(path)
    if path.is_dir():
        try:
            names = inner_paths(str(path), walk_files(path))
        except OSError as error:
            raise ValueError(f"{error.filename}: this folder of {holds} cannot be listed ({error.strerror})") from error
        return FileTree(str(path), tuple(sorted(names)), partial(_read_file, path, names))
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such folder or zip of {holds}")
    try:
        archive = Archive([path])
        found = list_members(archive)
    except ArchiveError as error:
        raise ValueError(f"{path}: expected {holds}; it is neither a folder nor a zip with files ({error})") from error
    stored = {member.name: member for member in found}
    for member in found:
        if (stored[member.name].crc, stored[member.name].bytes) != (member.crc, member.bytes):
            raise ValueError(f"{path}: {member.name} is in the zip twice, with different contents")
    members = {inner: stored[name] for inner, name in inner_paths(str(path), stored).items()}
    return FileTree(str(path), tuple(sorted(members)), partial(_read_member, archive, members))


def _read_file(folder: Path, names: Mapping[str, str], name: str) -> bytes:
    return (folder / names[name]).read_bytes()


def _read_member(archive: Archive, members: Mapping[str, Member], name: str) -> bytes:
    return archive.read(members[name])
