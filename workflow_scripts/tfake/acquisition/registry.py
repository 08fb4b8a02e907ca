"""The terms of published data: known by name, shown when the data first comes, and kept beside it.

The data registry: one row a downloaded file with its length and SHA-256, recorded once and enforced from then on.
"""

import csv
import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from tfake.core.text_tables import read_rows

_LICENSES = Path(__file__).parent / "licenses"


def show_terms(name: str, folder: str | Path) -> None:
    """Log the terms and leave them in a folder, unless they are there already.

    Args:
        name: a name of ``source.license``; terms whose text does not come with this project are left to their source.
        folder: where the data lies.
    """
    text = license_text(name)
    if text is None:
        return
    Path(folder).mkdir(parents=True, exist_ok=True)
    try:
        with open(Path(folder, f"{name}.txt"), "x") as file:
            file.write(text)
    except FileExistsError:
        return
    logging.info("source.accept_license is set: you have agreed to these terms.\n\n%s", text)


def license_text(name: str) -> str | None:
    """The text of the terms of this name; None where it does not come with this project."""
    path = _LICENSES / f"{name}.txt"
    return path.read_text() if path.exists() else None


@dataclass(frozen=True)
class Record:
    """A file as it was when it first came."""

    name: str
    bytes: int
    sha256: str
    url: str


_SHA256 = re.compile("[0-9a-f]{64}")
_COLUMNS = tuple(field.name for field in fields(Record))


def read_registry(path: str | Path) -> dict[str, Record]:
    """Read a registry; one that does not exist is empty.

    Args:
        path: a table of tab-separated columns ``name``, ``bytes``, ``sha256``, ``url``.

    Returns:
        Its records by the file's name.

    Raises:
        ValueError: other columns, or a row that is no record.
    """
    if not Path(path).exists():
        return {}
    header, *rows = read_rows(Path(path).read_bytes())
    if header.cells != _COLUMNS:
        raise ValueError(
            f"{path}: expected the columns {', '.join(_COLUMNS)}, found {', '.join(header.cells) or 'none'}"
        )
    records = {}
    for row in rows:
        if row.is_blank:
            continue
        name, length, sha256, url = row.cells if len(row.cells) == len(_COLUMNS) else [""] * len(_COLUMNS)
        if not (name and length.isdecimal() and _SHA256.fullmatch(sha256) and url):
            found = row.fault or list(row.cells)
            raise ValueError(f"{path}, line {row.line}: expected name, bytes, sha256 and url, found {found}")
        records[name] = Record(name, int(length), sha256, url)
    return records


def record_file(path: str | Path, record: Record) -> None:
    """Add a file to a registry, unless it is there; jobs that run side by side may share the registry.

    Args:
        path: the registry; it is made if need be and replaced whole.
        record: the file.

    Raises:
        ValueError: the registry cannot be read, or has the file with another length or SHA-256.
    """
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with _locked(path):
        records = read_registry(path)
        known = records.setdefault(record.name, record)
        if (known.bytes, known.sha256) != (record.bytes, record.sha256):
            differs = f"{record.name} is recorded with {known.sha256}, found {record.sha256}"
            raise ValueError(f"{path}: {differs}. {how_to_forget(path, known)}")
        part = Path(f"{path}.part")
        with open(part, "w", newline="") as file:
            writer = csv.DictWriter(file, _COLUMNS, delimiter="\t", lineterminator="\n")
            writer.writeheader()
            writer.writerows(asdict(records[name]) for name in sorted(records))
        os.replace(part, path)


def how_to_forget(path: str | Path, record: Record) -> str:
    """What a person does where a record is wrong, in a sentence.

    Args:
        path: the registry.
        record: its record.
    """
    return (
        f"{path} recorded {record.name} with {record.bytes} bytes and SHA-256 {record.sha256} when it first came from "
        f"{record.url}; if that was not the file, delete its line there and run again"
    )


@contextmanager
def _locked(path: str | Path) -> Iterator[None]:
    import fcntl  # here: Windows has none, and this package shall be imported there

    with open(f"{path}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
