"""A folder, searched with its subfolders, or a zip read in place: both are names and bytes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

from tfake.sources.archive import Archive, ArchiveError, Member, MemberError, list_members
from tfake.sources.tree_names import inner_paths, walk_files


@dataclass(frozen=True)
class FileTree:
    """The files of a folder or a zip, by their path inside it."""

    where: str  # the folder or zip, for messages
    names: tuple[str, ...]  # sorted, in the spelling of tree_names.inner_path
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
