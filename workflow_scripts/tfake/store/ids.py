"""Image ids as rows of bytes: text arrays have no settled form in Zarr v3 that every reader shares."""

from collections.abc import Iterable, Iterator

import numpy as np

from tfake.sources.index import IMAGE_ID_BYTES


def encode_ids(ids: Iterable[str]) -> np.ndarray:
    """Turn ids into rows of NUL-padded ASCII: (N,) str to (N, 32) uint8."""
    return np.array(list(ids), dtype=f"S{IMAGE_ID_BYTES}").view(np.uint8).reshape(-1, IMAGE_ID_BYTES)


def decode_ids(rows: np.ndarray) -> Iterator[str]:
    """Turn rows of NUL-padded ASCII back into ids: (N, 32) uint8 to N str."""
    return (bytes(row).rstrip(b"\0").decode("ascii") for row in rows)
