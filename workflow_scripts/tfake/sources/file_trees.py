"""A folder, searched with its subfolders, or a zip read in place: both are names and bytes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path, PurePosixPath

from tfake.sources.archive import Archive, ArchiveError, Member, MemberError, list_members


@dataclass(frozen=True)
class FileTree:
    """The files of a folder or a zip, by their path inside it."""

    where: str  # the folder or zip, for messages
    names: tuple[str, ...]  # sorted, "/" between folders
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
            ValueError: the zip's member is damaged; the message names it.
        """
        try:
            return self.read_bytes(name)
        except MemberError as error:
            raise ValueError(f"{self.where}: {name} cannot be read out of the zip ({error})") from error


def open_tree(path: str | Path, holds: str) -> FileTree:
    """List a folder or a zip.

    Args:
        path: the folder or zip.
        holds: what it should hold, for messages: "paired images".

    Returns:
        Its files; hidden ones, and what macOS adds to a zip, are left out.

    Raises:
        FileNotFoundError: no such folder or file.
        ValueError: the file is no zip.
    """
    path = Path(path)
    if path.is_dir():
        names = [found.relative_to(path).as_posix() for found in path.rglob("*") if found.is_file()]
        return FileTree(str(path), _visible(names), partial(_read_file, path))
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such folder or zip of {holds}")
    try:
        archive = Archive([path])
        members = {member.name: member for member in list_members(archive)}
    except ArchiveError as error:
        raise ValueError(f"{path}: expected {holds}; it is neither a folder nor a zip with files ({error})") from error
    return FileTree(str(path), _visible(list(members)), partial(_read_member, archive, members))


def _read_file(folder: Path, name: str) -> bytes:
    return (folder / name).read_bytes()


def _read_member(archive: Archive, members: Mapping[str, Member], name: str) -> bytes:
    return archive.read(members[name])


def _visible(names: list[str]) -> tuple[str, ...]:
    hidden = (".", "__MACOSX")
    return tuple(sorted(n for n in names if not any(part.startswith(hidden) for part in PurePosixPath(n).parts)))
