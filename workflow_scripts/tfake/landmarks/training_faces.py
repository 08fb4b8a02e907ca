"""The faces a landmark network learns from: RGB out of the source, temperatures and labels out of the stores."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tfake.classes import FaceClass
from tfake.dataset.dataset import FaceDataset
from tfake.labels.status import MeshStatus, PointState
from tfake.store.image_reader import open_images
from tfake.thermalizer.crops import build_pyramid

# How far a row's dense points are trusted: a shape fitted to the exact points knows nothing of the image in between.
_FITTED_WEIGHT = 0.5
_SEEN = (PointState.VISIBLE, PointState.SELF_OCCLUDED)


@dataclass(frozen=True)
class TrainingFace:
    """One row, ready to be cropped.

    Attributes:
        rgb: levels of the visible image, (H, W, 3) uint8 (:func:`tfake.thermalizer.crops.build_pyramid`).
        thermal: variant to levels of its thermal image, (H, W) float32 °C.
        foreground: (H, W) uint8, 1 where the person is.
        points: (L, 2) float32 pixels, pixel centres at integers.
        weights: (L,) float32, how much each point counts.
    """

    rgb: tuple[np.ndarray, ...]
    thermal: Mapping[str, tuple[np.ndarray, ...]]
    foreground: np.ndarray
    points: np.ndarray
    weights: np.ndarray

    @property
    def nbytes(self) -> int:
        """What it takes in memory."""
        levels = [*self.rgb, *(level for levels in self.thermal.values() for level in levels)]
        return sum(level.nbytes for level in levels) + self.foreground.nbytes


class TrainingFaces(Sequence[TrainingFace]):
    """Rows of the stores that have an image and points, read when asked for."""

    def __init__(
        self,
        dataset: FaceDataset,
        archive: Sequence[str],
        records: pd.DataFrame,
        landmarks: int,
        covered_weight: float,
        images: str | None = None,
    ) -> None:
        """Choose the rows.

        Args:
            dataset: with the fields ``thermal``, ``segmentation``, ``landmarks_70`` and, for 478 points,
                ``landmarks_478`` and ``landmarks_478_visibility``; its variants share the archive's geometry.
            archive: one zip, or all its raw split parts in order.
            records: the archive's index; row i is row i of the stores.
            landmarks: 70 or 478.
            covered_weight: weight of covered dense points.
            images: the folder ``images.zarr``, where the source is kept decoded; the archive is then not looked at.

        Raises:
            ValueError: not one row has such points.
        """
        self._dense = landmarks == 478
        if self._dense:
            dataset = dataset.where(label_statuses=("ok", "retried", "fitted"))
        if not len(dataset):
            raise ValueError(f"the stores hold no face with {landmarks} points")
        self._dataset, self._covered = dataset, covered_weight
        pixels = dataset[0].segmentation.shape[0]
        self._images = open_images(archive, pixels, images, records.attrs.get("source_sha256", ""))
        self._records = list(records.itertuples())

    def __len__(self) -> int:
        """How many rows."""
        return len(self._dataset)

    def __getitem__(self, index: int) -> TrainingFace:
        """Read one row.

        Raises:
            SampleError: the archive's image cannot be read, or is not of the stores' size.
            StoreError: a shard of decoded images is damaged.
        """
        face = self._dataset[index]
        rgb = self._images.read_rgb(self._records[face.row])
        foreground = (face.segmentation != FaceClass.BACKGROUND) & (face.segmentation != FaceClass.IGNORE)
        points = face.landmarks_478 if self._dense else face.landmarks_70
        return TrainingFace(
            build_pyramid(rgb),
            {name: build_pyramid(celsius) for name, celsius in face.thermal.items()},
            foreground.astype(np.uint8),
            points,
            self._weigh(face) if self._dense else np.ones(len(points), np.float32),
        )

    def _weigh(self, face) -> np.ndarray:
        seen = np.isin(face.landmarks_478_visibility, _SEEN)
        weights = np.where(seen, 1.0, self._covered).astype(np.float32)
        return weights * (_FITTED_WEIGHT if face.landmarks_478_status == MeshStatus.FITTED else 1.0)
