"""The error of a variant against the thermal truth of the procedural faces, by class.

The truth has two forms. `expected` is noise-free and of a mean subject: what an RGB image can tell. `camera` is what a
camera would have recorded of this very subject: between-subject spread, vascular pattern and noise count as error too.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np

from tfake.archive.zip_archive import MemberError, list_members, open_archive
from tfake.core.classes import FACE_CLASSES, LABELLED_CLASSES, FaceClass
from tfake.core.codes import SampleStatus, decode_ids
from tfake.core.radiometry import KELVIN_PER_COUNT, NEVER_WRITTEN, NO_IMAGE
from tfake.store.arrays import open_store

EVALUATION_COLUMNS = ("class", "pixels", "mae_expected", "rmse_expected", "bias_expected", "mae_camera")
#: Row of the table that pools :data:`tfake.core.classes.FACE_CLASSES`.
FACE_ROW = "face"
_BINS = 256


class TruthError(ValueError):
    """The truth does not fit the variant; the message names the member."""


class ErrorSums:
    """Sums from which the errors by class follow; its size does not depend on how many images were added."""

    def __init__(self):
        """Begin with nothing."""
        # Sums of whole counts: exact in float64 up to 2^53.
        self._sums = {
            name: np.zeros(_BINS) for name in ("pixels", "expected", "abs_expected", "square_expected", "abs_camera")
        }

    def add(self, counts: np.ndarray, expected: np.ndarray, camera: np.ndarray, classes: np.ndarray) -> None:
        """Add the pixels of one image: (H, W) uint16 counts of the variant and of both truths, and uint8 class ids."""
        known = np.ones(counts.shape, dtype=bool)
        for image in (counts, expected, camera):
            known &= (image != NEVER_WRITTEN) & (image != NO_IMAGE)
        ids = classes[known]
        found = counts[known].astype(np.int32)
        error = (found - expected[known]).astype(np.float64)
        weights = {
            "pixels": None,
            "expected": error,
            "abs_expected": np.abs(error),
            "square_expected": error**2,
            "abs_camera": np.abs(found - camera[known]),
        }
        for name, weight in weights.items():
            self._sums[name] += np.bincount(ids, weight, minlength=_BINS)

    def rows(self) -> list[dict[str, str | int | float]]:
        """The table: one row a class present, in the order of their ids, then ``face`` and ``background``.

        Returns:
            Rows of :data:`EVALUATION_COLUMNS`; errors in kelvin, positive bias where the variant is too warm.
        """
        groups: dict[str, Sequence[FaceClass]] = {
            face_class.name.lower(): (face_class,)
            for face_class in LABELLED_CLASSES
            if face_class is not FaceClass.BACKGROUND
        }
        groups |= {FACE_ROW: FACE_CLASSES, FaceClass.BACKGROUND.name.lower(): (FaceClass.BACKGROUND,)}
        return [self._row(name, group) for name, group in groups.items() if self._sum("pixels", group)]

    def _sum(self, name: str, group: Sequence[FaceClass]) -> float:
        return float(self._sums[name][list(group)].sum())

    def _row(self, name: str, group: Sequence[FaceClass]) -> dict[str, str | int | float]:
        pixels = self._sum("pixels", group)
        mean = {key: self._sum(key, group) / pixels for key in self._sums}
        values = (
            mean["abs_expected"] * KELVIN_PER_COUNT,
            np.sqrt(mean["square_expected"]) * KELVIN_PER_COUNT,
            mean["expected"] * KELVIN_PER_COUNT,
            mean["abs_camera"] * KELVIN_PER_COUNT,
        )
        return dict(zip(EVALUATION_COLUMNS, (name, int(pixels), *(round(float(v), 6) for v in values)), strict=True))


def compare_with_truth(
    thermal: str | Path, faces: str | Path, truth: str | Path, progress=iter
) -> list[dict[str, str | int | float]]:
    """Compare a variant with the thermal truth, row by row; one image is in memory at a time.

    Args:
        thermal: the variant's ``thermal.zarr``.
        faces: the ``faces.zarr`` of the same source; its class maps say which pixel belongs to which class.
        truth: a zip of ``{id}_expected.png`` and ``{id}_camera.png``, (H, W) uint16 counts of 0.01 K.
        progress: wraps the iterable of rows, such as :func:`tqdm.tqdm`.

    Returns:
        Rows as :meth:`ErrorSums.rows` gives them. Rows of the store without a usable sample take no part.

    Raises:
        TruthError: the truth lacks a member, or one is unreadable or of another size or type.
        ValueError: the two stores do not have the same rows.
    """
    labels = open_store(faces)
    counts = open_store(thermal)["thermal"]
    if counts.shape != labels["segmentation"].shape:
        raise ValueError(
            f"{thermal} has shape {counts.shape}, the class maps of {faces} {labels['segmentation'].shape}"
        )
    sums = ErrorSums()
    ids = list(decode_ids(labels["image_id"][:]))
    usable = np.flatnonzero(labels["status"][:] == SampleStatus.OK)
    images = read_truth(truth, (ids[row] for row in usable), counts.shape[1:])
    for row, (expected, camera) in zip(progress(usable.tolist()), images, strict=True):
        sums.add(counts[row], expected, camera, labels["segmentation"][row])
    return sums.rows()


def read_truth(path: str | Path, ids: Iterable[str], shape: tuple[int, int]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Read the thermal truth of some faces.

    Args:
        path: a zip of ``{id}_expected.png`` and ``{id}_camera.png``.
        ids: the faces.
        shape: height and width that every image must have.

    Yields:
        (expected, camera), each (H, W) uint16 counts of 0.01 K.

    Raises:
        TruthError: a member is missing, unreadable, or of another size or type.
    """
    archive = open_archive([path])
    members = {member.name: member for member in list_members(archive)}

    def read(name: str) -> np.ndarray:
        image = _decode(archive, members, name)
        if image is None or image.dtype != np.uint16 or image.shape != shape:
            found = "no image" if image is None else f"{image.dtype} of {image.shape}"
            raise TruthError(f"{path}: {name} must be a uint16 image of {shape}; found {found}")
        return image

    for image_id in ids:
        yield read(f"{image_id}_expected.png"), read(f"{image_id}_camera.png")


def _decode(archive, members: Mapping, name: str) -> np.ndarray | None:
    if name not in members:
        raise TruthError(f"{', '.join(archive.paths)} has no {name}: it was rendered for other faces")
    try:
        data = archive.read(members[name])
    except MemberError as error:
        raise TruthError(str(error)) from error
    return cv2.imdecode(np.frombuffer(data, dtype=np.uint8), cv2.IMREAD_UNCHANGED) if data else None
