"""Parts of a split: every face by a hash, near-identical faces together."""

import hashlib
import math
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from tfake.dataset.place import DatasetError

#: Parts and their shares, unless others are asked for.
SHARES: Mapping[str, float] = MappingProxyType({"train": 0.8, "validation": 0.1, "test": 0.1})


def split_parts(image_ids: np.ndarray, groups: np.ndarray, shares: Mapping[str, float], seed: int) -> np.ndarray:
    """The part of each face.

    Args:
        image_ids: (N,) str.
        groups: (N,) int, equal for faces that have to be in one part.
        shares: part to share of the groups.
        seed: another seed, another split.

    Returns:
        (N,) int, places in ``shares``: a function of the seed and of the group's first id.

    Raises:
        DatasetError: the shares do not add up to 1.
    """
    if not math.isclose(sum(shares.values()), 1.0) or min(shares.values()) < 0:
        raise DatasetError(f"the shares of a split add up to 1, none below 0; found {dict(shares)}")
    _, inverse = np.unique(groups, return_inverse=True)
    firsts: dict[int, str] = {}
    for group, image_id in zip(inverse.tolist(), image_ids.tolist(), strict=True):
        firsts[group] = min(image_id, firsts.get(group, image_id))
    drawn = np.array([_uniform(seed, firsts[group]) for group in range(len(firsts))])
    ends = np.cumsum(list(shares.values()))[:-1]
    return np.searchsorted(ends, drawn, side="right")[inverse]


def _uniform(seed: int, image_id: str) -> float:
    """A number in [0, 1) that follows from the seed and the id."""
    digest = hashlib.sha256(f"{seed}:{image_id}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64
