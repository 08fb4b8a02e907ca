"""Parts of a split: every face by a hash of its id, near-duplicates together.

FaceSynthetics documents no identities: every face is drawn anew. What can slip through a split is the same geometry
twice: the same face moved, scaled, turned, mirrored, or in another picture. So faces are compared by the shape of their
70 exact points, which a relit, recoloured, cropped, turned or mirrored copy keeps, and which no image has to be read
for.
"""

import hashlib
import itertools
import math
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from tfake.reader.dataset_store import DatasetError

#: Parts and their fractions, unless others are asked for.
SPLIT_FRACTIONS: Mapping[str, float] = MappingProxyType({"train": 0.8, "validation": 0.1, "test": 0.1})
#: Root mean square distance of two shapes' points, over their own root mean square size, up to which they are one face.
#: Half a pixel of noise on every point of a 512-pixel face gives .006 to .014, a hundredth of a pixel (how archives
#: round) .0003; the closest two of the 60 public FaceSynthetics faces at hand are .057 apart, of the demo's 96, .052.
#: Of 30,000 shapes drawn from a normal distribution with the 60 faces' covariance no two were grouped by chance.
_NEAR = 0.01
#: Coordinates of a shape that neighbours are looked for in, and those of them that make a grid of cells; distances in
#: fewer dimensions are never longer.
_SEARCHED, _GRID = 8, 3


def split_parts(image_ids: np.ndarray, groups: np.ndarray, fractions: Mapping[str, float], seed: int) -> np.ndarray:
    """The part of each face.

    Args:
        image_ids: (N,) str.
        groups: (N,) int, equal for faces that have to be in one part.
        fractions: part to fraction of the groups.
        seed: another seed, another split.

    Returns:
        (N,) int, indices of parts: a function of the seed and of the group's first id.

    Raises:
        DatasetError: the fractions do not add up to 1.
    """
    if not math.isclose(sum(fractions.values()), 1.0) or min(fractions.values()) < 0:
        raise DatasetError(f"the fractions of a split add up to 1, none below 0; found {dict(fractions)}")
    _, inverse = np.unique(groups, return_inverse=True)
    firsts: dict[int, str] = {}
    for group, image_id in zip(inverse.tolist(), image_ids.tolist(), strict=True):
        firsts[group] = min(image_id, firsts.get(group, image_id))
    drawn = np.array([_uniform(seed, firsts[group]) for group in range(len(firsts))])
    ends = np.cumsum(list(fractions.values()))[:-1]
    return np.searchsorted(ends, drawn, side="right")[inverse]


def near_duplicate_groups(landmarks_70: np.ndarray) -> np.ndarray:
    """Group the faces whose shapes agree, directly or by way of others.

    Args:
        landmarks_70: (N, 70, 2) exact points, pixels; rows with NaN are like no other.

    Returns:
        (N,) int, the first face of each face's group.
    """
    known = np.flatnonzero(np.isfinite(landmarks_70).all(axis=(1, 2)))
    points = landmarks_70[known].astype(np.float64)
    shapes = _shapes(points)
    mirrored = _shapes((points * [-1.0, 1.0])[:, _partners()])
    pairs = np.concatenate([_close_pairs(shapes, shapes), _close_pairs(shapes, mirrored)], axis=1)
    first = np.arange(len(known))
    while True:
        # Each face takes the first of all that it is near to, until no face changes.
        lower = first.copy()
        np.minimum.at(lower, pairs[0], first[pairs[1]])
        np.minimum.at(lower, pairs[1], first[pairs[0]])
        lower = lower[lower]
        if np.array_equal(lower, first):
            break
        first = lower
    groups = np.arange(len(landmarks_70))
    groups[known] = known[first]
    return groups


def _uniform(seed: int, image_id: str) -> float:
    """A number in [0, 1) that follows from the seed and the id."""
    digest = hashlib.sha256(f"{seed}:{image_id}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def _shapes(points: np.ndarray) -> np.ndarray:
    """Points freed of translation, scale and rotation: (N, 70, 2) to (N, 140), of unit length."""
    planar = points[..., 0] + 1j * points[..., 1]
    planar -= planar.mean(axis=1, keepdims=True)
    # Turned so that the line from the mean of the right half to that of the left half lies level: a symmetric choice.
    axis = (planar * _sides()).sum(axis=1, keepdims=True)
    planar *= np.conj(axis) / np.abs(axis)
    planar /= np.linalg.norm(planar, axis=1, keepdims=True)
    return np.concatenate([planar.real, planar.imag], axis=1)


def _partners() -> np.ndarray:
    """The point that each of the 70 becomes in a mirror: (70,) int."""
    partners = np.arange(70)
    for start, stop in ((0, 17), (17, 27), (31, 36), (48, 55), (55, 60), (60, 65), (65, 68), (68, 70)):
        partners[start:stop] = partners[start:stop][::-1]
    right = np.array([36, 37, 38, 39, 40, 41])
    left = np.array([45, 44, 43, 42, 47, 46])
    partners[right], partners[left] = left, right
    return partners


def _sides() -> np.ndarray:
    """+1 for points of the image's right half of a frontal face, -1 for those of the left, 0 between: (70,)."""
    partners, own = _partners(), np.arange(70)
    sides = np.sign(own - partners).astype(np.float64)
    # In every mirrored run of iBUG's order the higher number lies further right, but for the lower lip's two.
    for start, stop in ((55, 60), (65, 68)):
        sides[start:stop] *= -1
    return sides


def _close_pairs(shapes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Indices (i in ``shapes``, j in ``others``) whose distance is at most ``_NEAR``: (2, pairs) int."""
    # The commonest ways to differ, the commonest first, so that few that are far apart look near in so few coordinates.
    _, axes = np.linalg.eigh(np.cov(shapes, rowvar=False)) if len(shapes) > 1 else (None, np.eye(shapes.shape[1]))
    few = axes[:, : -_SEARCHED - 1 : -1]
    here, there = shapes @ few, others @ few
    # Whoever is near lies in the same cell of a grid, or in one beside it.
    cells = np.floor(np.concatenate([here, there])[:, :_GRID] / _NEAR).astype(np.int64)
    cells -= cells.min(axis=0, initial=0) - 1
    strides = np.cumprod([1, *(cells.max(axis=0, initial=0) + 2)[:-1]])
    keys = cells @ strides
    order = np.argsort(keys[len(here) :], kind="stable")
    sorted_keys = keys[len(here) :][order]
    found = []
    for offset in itertools.product((-1, 0, 1), repeat=_GRID):
        wanted = keys[: len(here)] + offset @ strides
        start, stop = np.searchsorted(sorted_keys, wanted), np.searchsorted(sorted_keys, wanted, "right")
        counts = stop - start
        i = np.repeat(np.arange(len(here)), counts)
        j = order[np.arange(len(i)) + np.repeat(start - np.cumsum(counts) + counts, counts)]
        for one, other in ((here, there), (shapes, others)):
            near = np.linalg.norm(one[i] - other[j], axis=1) <= _NEAR
            i, j = i[near], j[near]
        found.append((i, j))
    return np.concatenate(found, axis=1)
