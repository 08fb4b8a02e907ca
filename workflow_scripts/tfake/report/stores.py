"""What a sealed and verified store says of itself, from the files beside it."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfake.store.checksums import file_sha256

SUMS = "SHA256SUMS"


@dataclass(frozen=True)
class SealedStore:
    """A folder that holds one store, its ``summary.json``, ``verified.json`` and ``SHA256SUMS``."""

    folder: str
    name: str  # of the store inside
    rows: int
    shards: int
    span: tuple[int, int]  # first row and the row behind the last; a variant of a slice has not all
    counts: dict[str, int]  # rows by status
    statistics: dict[str, dict[str, float]]  # by class: pixels, mean (°C), sd (K)
    verified_files: int
    verified_bytes: int
    identity: str  # SHA-256 of SHA256SUMS: the same identity, the same bytes

    @property
    def path(self) -> str:
        """The store inside the folder."""
        return os.path.join(self.folder, self.name)

    @property
    def sums(self) -> str:
        """The store's checksum list."""
        return os.path.join(self.folder, SUMS)


def read_store(folder: str | Path) -> SealedStore:
    """Read what sealing and verifying left behind.

    Args:
        folder: the folder that holds the store.

    Raises:
        FileNotFoundError: the store was not sealed, or not verified.
    """
    folder = Path(folder)
    summary: dict[str, Any] = json.loads((folder / "summary.json").read_text())
    verified = json.loads((folder / "verified.json").read_text())
    return SealedStore(
        folder=str(folder),
        name=summary["store"],
        rows=summary["rows"],
        shards=len(summary["shards"]),
        span=(summary["shards"][0]["rows"][0], summary["shards"][-1]["rows"][1]),
        counts=summary["counts"],
        statistics=summary["statistics"],
        verified_files=verified["files"],
        verified_bytes=verified["bytes"],
        identity=file_sha256(folder / SUMS),
    )
