"""The faces that networks learn from: RGB out of the source, temperatures and labels out of the stores.

Their images are decoded once and kept while memory and disk allow, as fine as crops need them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Self

import numpy as np
import pandas as pd

from tfake.archive.image_reader import open_images
from tfake.core.classes import FaceClass
from tfake.core.codes import LANDMARKS, MESH_POINTS, MeshStatus, PointState
from tfake.imaging.crops import build_pyramid, choose_level
from tfake.reader.dataset import FaceDataset
from tfake.training.loading import MemoryCache, ScratchFile

# How far a row's dense points are trusted: a shape fitted to the exact points knows nothing of the image in between.
_TRUST = {MeshStatus.OK: 1.0, MeshStatus.RETRIED: 1.0, MeshStatus.FITTED: 0.5}
#: Weight of a dense point beside the 70, in networks that find both: either set counts as much as the other.
MESH_WEIGHT = LANDMARKS / MESH_POINTS
_SEEN = (PointState.VISIBLE, PointState.SELF_OCCLUDED)
# Rows whose labels are read at once.
_CHUNK_ROWS = 4096

Levels = tuple[np.ndarray, ...]


@dataclass(frozen=True, eq=False)
class TrainingFace:
    """One row, ready to be cropped; each image is read when it is asked for, on its own.

    Attributes:
        points: (L, 2) float32 pixels, pixel centres at integers.
        weights: (L,) float32, how much each point counts.
        shape: height and width that the points are pixels of; the first levels may be smaller.
        variants: names of its thermal images.
        read: gives the levels (:func:`tfake.imaging.crops.build_pyramid`) of ``rgb``, (H, W, 3) uint8, of ``thermal``,
            (H, W) float32 °C of the variant that is named, or of ``foreground``, one of (H, W) uint8 or none.
    """

    points: np.ndarray
    weights: np.ndarray
    shape: tuple[int, int]
    variants: Sequence[str]
    read: Callable[[str, str | None], Levels]

    @classmethod
    def of_arrays(
        cls,
        rgb: np.ndarray,
        thermal: Mapping[str, np.ndarray],
        foreground: np.ndarray,
        points: np.ndarray,
        weights: np.ndarray,
    ) -> Self:
        """A face whose images are in memory."""
        levels = {("thermal", name): build_pyramid(celsius) for name, celsius in thermal.items()}
        levels |= {("rgb", None): build_pyramid(rgb), ("foreground", None): (foreground,)}
        return cls(points, weights, foreground.shape, tuple(thermal), lambda *key: levels[key])

    @property
    def rgb(self) -> Levels:
        """Levels of the visible image."""
        return self.read("rgb", None)

    def thermal(self, variant: str) -> Levels:
        """Levels of a thermal image."""
        return self.read("thermal", variant)

    @property
    def foreground(self) -> np.ndarray | None:
        """(H, W) uint8, 1 where the person is; None where nobody knows."""
        levels = self.read("foreground", None)
        return levels[0] if levels else None


class TrainingFaces(Sequence[TrainingFace]):
    """Rows of the stores that have an image and points: labels in memory, an image read when it is asked for."""

    def __init__(
        self,
        dataset: FaceDataset,
        archive: Sequence[str],
        records: pd.DataFrame,
        landmarks: int,
        occluded_weight: float,
        images: str | None = None,
    ) -> None:
        """Choose the rows.

        Args:
            dataset: with the fields ``thermal``, ``segmentation``, ``landmarks_70`` and, for 478 points,
                ``landmarks_478`` and ``landmarks_478_visibility``; its variants share the archive's geometry.
            archive: one zip, or all its raw split parts in order.
            records: the archive's index; row i is row i of the stores.
            landmarks: 70, 478, or 548 for both; of both, a row without a mesh has the 70 alone.
            occluded_weight: weight of occluded dense points.
            images: the folder ``images.zarr``, where the source is kept decoded; the archive is then not looked at.

        Raises:
            ValueError: not one row has such points.
        """
        self._landmarks = landmarks
        if landmarks == MESH_POINTS:
            dataset = dataset.where(label_statuses=("ok", "retried", "fitted"))
        if not len(dataset):
            raise ValueError(f"the stores hold no face with {landmarks} points")
        self._dataset, self._occluded_weight = dataset, occluded_weight
        self._records = list(records.itertuples())
        self._shape = dataset.read("segmentation", [0]).shape[1:]
        self._images = open_images(archive, self._shape[0], images, records.attrs.get("source_sha256", ""))
        # Labels lie in one piece a shard: read one by one they would cost a shard each.
        fields = {LANDMARKS: ("landmarks_70",), MESH_POINTS: ("landmarks_478",)}
        self._points = np.concatenate(
            [
                self._read_labels(field, lambda values: values[..., :2].astype(np.float32))
                for field in fields.get(landmarks, ("landmarks_70", "landmarks_478"))
            ],
            axis=1,
        )
        if landmarks != LANDMARKS:
            self._seen = self._read_labels("landmarks_478_visibility", lambda values: np.isin(values, _SEEN))

    def __len__(self) -> int:
        """How many rows."""
        return len(self._dataset)

    def __getitem__(self, index: int) -> TrainingFace:
        """One row; reading its images raises ``SampleError`` or ``StoreError`` where one is damaged."""
        points, weights = self._points[index], self._weigh(index)
        if not weights.all():
            # What has no place is cut and mirrored like the others, and counts for nothing.
            points = np.where(np.isfinite(points), points, points[:1])
        return TrainingFace(points, weights, self._shape, self._dataset.variants, partial(self._read_image, index))

    def _read_image(self, index: int, kind: str, variant: str | None) -> Levels:
        if kind == "rgb":
            return build_pyramid(self._images.read_rgb(self._records[self._dataset.rows[index]]))
        if kind == "thermal":
            return build_pyramid(self._dataset.read("thermal", [index], variant)[0])
        classes = self._dataset.read("segmentation", [index])[0]
        return (((classes != FaceClass.BACKGROUND) & (classes != FaceClass.IGNORE)).view(np.uint8),)

    def _read_labels(self, field: str, convert: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        """(N, L, ...) of all rows."""
        starts = range(0, len(self), _CHUNK_ROWS)
        return np.concatenate([convert(self._dataset[start : start + _CHUNK_ROWS].read(field)) for start in starts])

    def _weigh(self, index: int) -> np.ndarray:
        exact = np.ones(LANDMARKS, np.float32)
        if self._landmarks == LANDMARKS:
            return exact
        dense = np.where(self._seen[index], 1.0, self._occluded_weight).astype(np.float32)
        status = self._dataset.columns.landmarks_478_status[self._dataset.rows[index]]
        dense *= np.float32(_TRUST.get(status, 0.0))
        return dense if self._landmarks == MESH_POINTS else np.concatenate((exact, np.float32(MESH_WEIGHT) * dense))


@dataclass(frozen=True)
class _Image:
    levels: Levels

    @property
    def nbytes(self) -> int:
        return sum(level.nbytes for level in self.levels)


class FaceCache(Sequence[TrainingFace]):
    """Faces for the crops of one run; what is drawn from them is the same whatever is kept."""

    def __init__(
        self,
        faces: Sequence[TrainingFace],
        least_crop: float,
        pixels: int,
        cache_bytes: int,
        scratch: ScratchFile | None = None,
    ) -> None:
        """Begin empty.

        Args:
            faces: the faces.
            least_crop: edge of the smallest crop that will be cut, over the longer side of the face's box.
            pixels: edge that this crop will have.
            cache_bytes: memory for images.
            scratch: where visible images go that memory has no room for: a PNG takes many times as long as its bytes,
                while thermal images and class maps come fast enough from the stores.
        """
        self._faces, self._scratch = faces, scratch
        self._least_crop, self._pixels = least_crop, pixels
        self._images = MemoryCache(self._read, cache_bytes)

    def __len__(self) -> int:
        """How many there are."""
        return len(self._faces)

    def __getitem__(self, index: int) -> TrainingFace:
        """A face; its images are the cache's."""
        face = self._faces[index]
        return TrainingFace(face.points, face.weights, face.shape, face.variants, partial(self._levels, index))

    def _levels(self, index: int, kind: str, variant: str | None) -> Levels:
        return self._images[index, kind, variant].levels

    def _read(self, key: tuple[int, str, str | None]) -> _Image:
        index, kind, variant = key
        if kind == "rgb" and self._scratch is not None and (finest := self._scratch.get(index)) is not None:
            return _Image(build_pyramid(finest))
        face = self._faces[index]
        if kind == "foreground":
            return _Image(face.read(kind, None))
        levels = face.read(kind, variant)
        # The smallest crop's edge over the crop's pixels: what is finer than that is never looked at.
        side = float((face.points.max(axis=0) - face.points.min(axis=0)).max())
        finest = min(len(levels) - 1, choose_level(max(side, 2.0) * self._least_crop / self._pixels))
        if kind == "rgb" and self._scratch is not None and self._images.is_full:
            self._scratch.add(index, levels[finest])
        return _Image(levels[finest:])
