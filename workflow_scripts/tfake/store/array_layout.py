"""How one array of a store is laid out."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

#: Fill value of arrays of codes: no row ever holds it.
UNUSED_CODE = 254


@dataclass(frozen=True)
class ArrayLayout:
    """One array of a store: rows along axis 0, ``row_shape`` behind it."""

    name: str
    dtype: str
    row_shape: tuple[int, ...]
    dimensions: tuple[str, ...]
    fill_value: float
    attributes: dict[str, Any] = field(default_factory=dict)
    #: True: one chunk a row, gathered in one shard file. False: the shard's rows are one chunk, the file itself.
    chunk_per_row: bool = True
    #: Blosc's inner codec: ``zstd`` for what is kept for long, ``lz4`` for what is read more often than it is stored.
    codec: str = "zstd"

    def shard_file(self, shard: int) -> str:
        """The path, relative to the store, of the one file that holds shard number ``shard`` of this array."""
        return "/".join([self.name, "c", str(shard), *("0" for _ in self.row_shape)])


def describe_codes(codes: Iterable[IntEnum]) -> dict[str, Any]:
    """CF-style description of an integer code (CF Conventions 3.5)."""
    codes = list(codes)
    return {
        "flag_values": [int(code) for code in codes],
        "flag_meanings": " ".join(code.name.lower() for code in codes),
    }
