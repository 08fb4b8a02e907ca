"""The data registry: one row a downloaded file with its length and SHA-256, recorded once and enforced from then on."""

import csv
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path


@dataclass(frozen=True)
class Record:
    """A file as it was when it first came."""

    name: str
    bytes: int
    sha256: str
    url: str


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
    with open(path, newline="") as file:
        reader = csv.DictReader(file, delimiter="\t")
        if tuple(reader.fieldnames or ()) != _COLUMNS:
            raise ValueError(f"{path}: expected the columns {', '.join(_COLUMNS)}, found {reader.fieldnames}")
        records = {}
        for line, row in enumerate(reader, start=2):
            if not str(row["bytes"]).isdigit() or len(row["sha256"] or "") != 64 or not row["url"]:
                raise ValueError(f"{path}, line {line}: expected name, bytes, sha256 and url, found {row}")
            records[row["name"]] = Record(row["name"], int(row["bytes"]), row["sha256"], row["url"])
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
    with open(f"{path}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
