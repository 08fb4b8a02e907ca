"""An annotated face, a set of them, and the workflow's own variants as such sets.

A set's images are temperatures by the scale that is declared for them. Of a variant, the faces of the split's test part
are taken, with 70 or 478 points.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

import numpy as np

from tfake.core.codes import MeshStatus
from tfake.reader import open_dataset
from tfake.test_sets.read_log import ReadLog, RowError
from tfake.thermal_io.scales import Scale, check_plausible, parse_scale, spread_evenly

#: Images of a set that are judged by their values.
_JUDGED = 16


@dataclass(frozen=True)
class AnnotatedFace:
    """One face as somebody annotated it.

    Attributes:
        name: which row or file it comes from; nothing else in the set has this name.
        image: the image's name, for :attr:`AnnotatedSet.read_image`; several faces may share one.
        convention: what the points mean, a name in :func:`tfake.labels.conventions.conventions`.
        points: (n, 2) float64 pixels, pixel centres at integers; NaN where a point is not annotated.
        box: left, top, right, bottom in pixels: the annotated box, or that of the points.
        groups: what the results are told apart by: subject, view and so on.
    """

    name: str
    image: str
    convention: str
    points: np.ndarray
    box: tuple[float, float, float, float]
    groups: dict[str, str] = field(default_factory=dict)

    @property
    def size(self) -> float:
        """sqrt(w h) of the box, pixels."""
        left, top, right, bottom = self.box
        return float(np.sqrt((right - left) * (bottom - top)))

    def checked(self) -> Self:
        """The face itself; raises a RowError, ``no_points`` or ``no_extent``, where box or points have no area."""
        known = self.points[np.isfinite(self.points).all(axis=1)]
        left, top, right, bottom = self.box
        if not len(known):
            raise RowError("no_points")
        if not (np.isfinite(self.box).all() and right > left and bottom > top and np.ptp(known, axis=0).min() > 0):
            raise RowError("no_extent", f"its box is {left:g} {top:g} {right:g} {bottom:g}")
        return self


@dataclass(frozen=True)
class AnnotatedSet:
    """The annotated faces of one test set.

    Attributes:
        faces: what can be used, in the set's own order.
        read_log: what became of every row.
        read_image: from a face's ``image`` to (H, W) float32 in °C, uint16 counts or uint8, or (H, W, 3) uint8.
    """

    faces: tuple[AnnotatedFace, ...]
    read_log: ReadLog
    read_image: Callable[[str], np.ndarray]


def box_of(points: np.ndarray) -> tuple[float, float, float, float]:
    """The box around points (n, 2): left, top, right, bottom; without the NaN ones, NaN where there is no other."""
    points = points[np.isfinite(points).all(axis=1)]
    if not len(points):
        return (np.nan,) * 4
    low, high = points.min(axis=0), points.max(axis=0)
    return (float(low[0]), float(low[1]), float(high[0]), float(high[1]))


def declare_scale(test_set: AnnotatedSet, values: str | Mapping, where: str) -> AnnotatedSet:
    """Judge some images by their values, and read all of them as declared.

    Args:
        test_set: the set. Its images of 8 bits and of three channels are pictures and stay as they are.
        values: what the others hold, as :func:`tfake.thermal_io.scales.parse_scale` reads it.
        where: the set, for messages.

    Returns:
        The set with images in °C; of ``relative`` ones, the full range of their type in 8 bits.

    Raises:
        ValueError: images that show no people under this scale, or another number type than it has. Images that cannot
            be read are left to whoever reads them.
    """
    scale = parse_scale(values)
    judged = []
    for name in spread_evenly(list(dict.fromkeys(face.image for face in test_set.faces)), _JUDGED):
        try:
            image = test_set.read_image(name)
        except ValueError:
            continue
        if _is_thermal(image):
            judged.append((name, image))
    check_plausible(judged, scale, where)

    def read(name: str) -> np.ndarray:
        image = test_set.read_image(name)
        return _convert(image, scale) if _is_thermal(image) else image

    return replace(test_set, read_image=read)


def _is_thermal(image: np.ndarray) -> bool:
    return image.ndim == 2 and image.dtype != np.uint8


def _convert(image: np.ndarray, scale: Scale) -> np.ndarray:
    if scale.meaning == "celsius":
        return scale.convert(image)
    full = np.iinfo(image.dtype).max if image.dtype.kind in "iu" else 1.0
    return np.rint(np.clip(image / full, 0, 1) * 255).astype(np.uint8)


def open_70(path: str) -> AnnotatedSet:
    """Read a variant's held-out faces, ``variants/NAME`` beside ``faces``, with the source's exact 70 points.

    Raises:
        tfake.reader.dataset_store.DatasetError: there is no such variant.
    """
    return _open(path, "face70", "landmarks_70")


def open_478(path: str) -> AnnotatedSet:
    """As :func:`open_70`, with the dense labels."""
    return _open(path, "mesh478", "landmarks_478")


def _open(path: str, convention: str, column: str) -> AnnotatedSet:
    results, variant = str(Path(path).parents[1]), Path(path).name
    rows, images = (
        open_dataset(results, (variant,), "test", statuses=None, fields=(field,)) for field in (column, "thermal")
    )
    log, faces = ReadLog(), []
    for place, row in enumerate(rows):
        name = f"{row.row}:{row.image_id}"
        log.enter(name)
        points = getattr(row, column).astype(np.float64)
        if row.status.name != "OK":
            log.exclude(name, f"source_{row.status.name.lower()}")
        elif not np.isfinite(points).all():
            log.exclude(name, f"labels_{row.landmarks_478_status.name.lower()}")
        else:
            if convention == "mesh478" and row.landmarks_478_status is MeshStatus.FITTED:
                log.warn(name, "labels_fitted", "a mean face fitted to the 70 points")
            groups = {"yaw": f"{row.head_pose[0]:.0f}"}
            faces.append(AnnotatedFace(name, str(place), convention, points, box_of(points), groups))
    return AnnotatedSet(tuple(faces), log, lambda place: images[int(place)].thermal[variant])
