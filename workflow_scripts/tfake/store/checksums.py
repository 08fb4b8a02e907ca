"""SHA-256 of files, and ``SHA256SUMS`` lists that ``sha256sum -c`` understands."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from tfake.store.arrays import StoreError


def file_sha256(path: str | Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_sums(path: str | Path, sums: Mapping[str, str]) -> None:
    """Write a ``SHA256SUMS`` file, sorted by path.

    Args:
        path: the list to write.
        sums: path relative to the list's folder, to SHA-256.
    """
    Path(path).write_text("".join(f"{sums[name]}  {name}\n" for name in sorted(sums)))


def read_sums(path: str | Path) -> dict[str, str]:
    """Read a ``SHA256SUMS`` file: path relative to its folder, to SHA-256.

    Raises:
        StoreError: a line is not ``<64 hexadecimal digits>  <path>``, or the list is empty.
    """
    sums = {}
    for number, line in enumerate(Path(path).read_text().splitlines(), start=1):
        digest, separator, name = line.partition("  ")
        if not separator or not name or len(digest) != 64:
            raise StoreError(f"{path}, line {number}: expected '<sha256>  <path>', found {line!r}")
        sums[name] = digest
    if not sums:
        raise StoreError(f"{path} is empty")
    return sums
