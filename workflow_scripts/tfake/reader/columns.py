"""Which faces are near-identical: the same face again, moved, scaled, turned, mirrored, or in another picture.

FaceSynthetics documents no identities: every face is drawn anew. What can slip through a split is the same geometry
twice. So faces are compared by the shape of their 70 exact points, which a relit, recoloured, cropped, turned or
mirrored copy keeps, and which no image has to be read for.

What a dataset knows of every row without reading an image: ids, statuses, errors, poses.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from tfake.core.codes import MeshStatus, SampleStatus, decode_ids
from tfake.reader.dataset_store import FACES, DatasetError, Place
from tfake.reader.presence import ImageStatus, image_statuses
from tfake.store.layouts import UNUSED_CODE

#: Root mean square distance of two shapes' points, over their own root mean square size, up to which they are one face.
#: Half a pixel of noise on every point of a 512-pixel face gives .006 to .014, a hundredth of a pixel (how archives
#: round) .0003; the closest two of the 60 public FaceSynthetics faces at hand are .057 apart, of the demo's 96, .052.
#: Of 30,000 shapes drawn from a normal distribution with the 60 faces' covariance no two were grouped by chance.
NEAR_IDENTICAL = 0.01
#: Coordinates of a shape that neighbours are looked for in; distances in fewer dimensions are never longer.
_SEARCHED = 8


def near_identical_groups(landmarks_70: np.ndarray) -> np.ndarray:
    """Group the faces whose shapes agree, directly or by way of others.

    Args:
        landmarks_70: (N, 70, 2) exact points, pixels; rows with NaN are like no other.

    Returns:
        (N,) int, the group of each face, numbered by first appearance.
    """
    known = np.flatnonzero(np.isfinite(landmarks_70).all(axis=(1, 2)))
    groups = np.arange(len(landmarks_70))
    if len(known):
        points = landmarks_70[known].astype(np.float64)
        shapes = _shapes(points)
        mirrored = _shapes((points * [-1.0, 1.0])[:, _partners()])
        pairs = np.concatenate([_close_pairs(shapes, shapes), _close_pairs(shapes, mirrored)])
        graph = coo_array((np.ones(len(pairs)), pairs.T), shape=(len(known), len(known)))
        _, found = connected_components(graph, directed=False)
        _, first = np.unique(found, return_index=True)
        groups[known] = known[first[found]]
    return groups


def _shapes(points: np.ndarray) -> np.ndarray:
    """Points freed of place, size and turn: (N, 70, 2) to (N, 140), of unit length."""
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
    """Places (i in ``shapes``, j in ``others``) whose distance is at most ``NEAR_IDENTICAL``: (pairs, 2) int."""
    # The commonest ways to differ, so that few that are far apart look near in so few coordinates.
    _, axes = np.linalg.eigh(np.cov(shapes, rowvar=False)) if len(shapes) > 1 else (None, np.eye(shapes.shape[1]))
    few = axes[:, -_SEARCHED:]
    near = cKDTree(shapes @ few).query_ball_tree(cKDTree(others @ few), NEAR_IDENTICAL)
    pairs = np.array([(i, j) for i, neighbours in enumerate(near) for j in neighbours], dtype=np.intp).reshape(-1, 2)
    distances = np.linalg.norm(shapes[pairs[:, 0]] - others[pairs[:, 1]], axis=1)
    return pairs[distances <= NEAR_IDENTICAL]


_ARRAYS = ("image_id", "status", "landmarks_478_status", "landmarks_478_error", "head_pose")


@dataclass(frozen=True, eq=False)
class Columns:
    """One value a row of the stores, read once."""

    place: Place
    image_id: np.ndarray  # (N,) str
    status: np.ndarray  # (N,) uint8 SampleStatus
    landmarks_478_status: np.ndarray  # (N,) uint8 MeshStatus
    landmarks_478_error: np.ndarray  # (N,) float32
    head_pose: np.ndarray  # (N, 3) float32 degrees: yaw, pitch, roll
    images: Mapping[str, np.ndarray]  # variant to (N,) uint8 ImageStatus

    @property
    def made(self) -> np.ndarray:
        """(N,) bool: the faces store has the row; a run that is not finished leaves others empty."""
        return self.status != UNUSED_CODE

    def common(self) -> np.ndarray:
        """The rows that no variant lacks by itself: (N,) bool; of unusable samples none has an image.

        Raises:
            DatasetError: there is no such row.
        """
        has = {name: np.isin(codes, (ImageStatus.OK, ImageStatus.NO_SAMPLE)) for name, codes in self.images.items()}
        common = np.logical_and.reduce([self.made, *has.values()])
        if self.made.any() and not common.any():
            rows = "; ".join(f"{name} {_span(mask)}" for name, mask in has.items())
            raise DatasetError(
                f"{self.place.address}: no row is in every variant ({rows}); name fewer variants, or ask for rows='all'"
            )
        return common

    def begun(self) -> tuple[str, ...]:
        """The variants that have at least one row."""
        return tuple(name for name, codes in self.images.items() if (codes != ImageStatus.NOT_MADE).any())

    @cached_property
    def groups(self) -> np.ndarray:
        """(N,) int, equal for near-identical faces (:mod:`tfake.reader.columns`); read at first use."""
        every = np.arange(len(self.status))
        return near_identical_groups(self.place.rows(f"{FACES}/landmarks_70", every))

    def where(
        self,
        statuses: Sequence[str] | None = None,
        label_statuses: Sequence[str] | None = None,
        largest_error: float | None = None,
        yaw: tuple[float, float] | None = None,
        pitch: tuple[float, float] | None = None,
        roll: tuple[float, float] | None = None,
        images: Sequence[str] | None = None,
    ) -> np.ndarray:
        """Which rows meet every condition; those of :meth:`tfake.dataset.FaceDataset.where`.

        Returns:
            (N,) bool.

        Raises:
            DatasetError: a status or a variant of this name does not exist.
        """
        met = np.ones(len(self.status), dtype=bool)
        if statuses is not None:
            met &= np.isin(self.status, _codes(statuses, SampleStatus))
        if label_statuses is not None:
            met &= np.isin(self.landmarks_478_status, _codes(label_statuses, MeshStatus))
        if largest_error is not None:
            met &= self.landmarks_478_error <= largest_error
        for column, limits in enumerate((yaw, pitch, roll)):
            if limits is not None:
                # NaN is within no limits.
                met &= (self.head_pose[:, column] >= limits[0]) & (self.head_pose[:, column] <= limits[1])
        for name in (images,) if isinstance(images, str) else images or ():
            if name not in self.images:
                raise DatasetError(f"{name!r} is no variant that is read; they are {', '.join(self.images) or 'none'}")
            met &= self.images[name] == ImageStatus.OK
        return met


def read_columns(place: Place, variants: Sequence[str]) -> Columns:
    """Read the columns of a dataset's faces store, and which rows the variants have images in.

    Raises:
        DatasetError: the faces store lacks an array, or a variant is of another source.
    """
    try:
        ids, status, mesh, error, pose = (place.array(f"{FACES}/{name}")[:] for name in _ARRAYS)
    except KeyError as error:
        raise DatasetError(
            f"{error.args[0]}: its faces store is not finished; go on with `snakemake --cores all faces`"
        ) from error
    # Rows that are not written yet hold no text.
    ids[status == UNUSED_CODE] = 0
    samples = np.where(status == UNUSED_CODE, SampleStatus.MISSING_MEMBER, status)
    images = {name: image_statuses(place, name, samples) for name in variants}
    return Columns(place, np.array(list(decode_ids(ids))), status, mesh, error, pose, images)


def _span(mask: np.ndarray) -> str:
    """How many rows a mask has, and between which."""
    rows = np.flatnonzero(mask)
    return f"has {len(rows)} rows between {rows[0]} and {rows[-1]}" if len(rows) else "has none"


def _codes(names: Sequence[str], codes: type[IntEnum]) -> list[int]:
    names = (names,) if isinstance(names, str) else names
    legal = {code.name.lower(): int(code) for code in codes}
    if unknown := [name for name in names if name not in legal]:
        raise DatasetError(f"{unknown[0]!r} is no status; they are {', '.join(legal)}")
    return [legal[name] for name in names]
