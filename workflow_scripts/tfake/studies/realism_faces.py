"""Thermal faces on one mesh, whoever made them: values at the 478 points, and a picture of the skin on the mean face.

Every set of the realism study, real or made, becomes the same record, so that its figures cannot see file formats,
sizes of images, backgrounds or where the face is. The picture of the skin is the image carried through the mesh onto
the mean head seen from the front (:mod:`tfake.mesh.template`): size, position, tilt, turn and outline of a face are
gone, its heat is left.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from functools import lru_cache
from pathlib import Path
from typing import Self

import cv2
import numpy as np
from scipy.ndimage import map_coordinates

from tfake.core.classes import FACE_CLASSES, FaceClass
from tfake.core.codes import MESH_POINTS
from tfake.imaging.foreground import fill_glasses
from tfake.mesh.raster import rasterise
from tfake.mesh.template import FACE_VERTICES, face_triangles, face_vertices

#: Edge of a picture of the skin, and the mean face's size sqrt(w h) in it, pixels.
MAP_PIXELS = 128
MAP_FACE_PIXELS = 112.0
#: Triangles of the mean face that turn further away from the camera are left out: a turned head smears them.
_FACING = 0.35
#: Standard deviation of the blur before a value is read at a point, over the face's size.
_POINT_BLUR = 0.012
#: Edge of an image in which borders are judged.
_BORDER_PIXELS = 192
#: Edge of a picture to look at, and that of its square over the longer side of the face.
PREVIEW_PIXELS = 120
_PREVIEW_MARGIN = 1.45
#: Percentiles that are black and white in it.
_STRETCH = (0.5, 99.5)


@dataclass(frozen=True, eq=False)
class ThermalSample:
    """A thermal image with one face.

    Attributes:
        name: of the image in its set.
        person: who it shows; nothing else in the set has the same word unless it is the same person.
        values: (H, W) float32, °C or relative.
        valid: (H, W) bool, where there is a value of the person.
        points: (478, 2) pixels, pixel centres at integers.
        pitch: how far the face is turned upwards, degrees.
        classes: (H, W) uint8 ids; None where nobody knows them.
    """

    name: str
    person: str
    values: np.ndarray
    valid: np.ndarray
    points: np.ndarray
    pitch: float = 0.0
    classes: np.ndarray | None = None

    @property
    def size(self) -> float:
        """sqrt(w h) of the points' box, pixels."""
        return float(np.sqrt(np.prod(np.ptp(self.points, axis=0))))


@dataclass(frozen=True, eq=False)
class FaceSet:
    """A set of faces on the mesh.

    Attributes:
        title: its name.
        radiometric: whether its values are temperatures in °C.
        names: (n,) of the images.
        persons: (n,) who is on each.
        patterns: (n, 478) float32 values at the points; NaN where something covers the skin.
        maps: (n, MAP_PIXELS, MAP_PIXELS) float32 skin on the mean face; NaN where covered and beyond the mesh.
        sizes: (n,) size of each face in its image, pixels.
        pitches: (n,) how far each face is turned upwards, degrees.
        borders: (n,) how far gradients gather at borders of classes (:func:`border_share`); NaN without a class map.
        previews: (n, PREVIEW_PIXELS, PREVIEW_PIXELS) uint8, each stretched to its own range.
        left_out: why other images of the set are not in it, and how many.
    """

    title: str
    radiometric: bool
    names: np.ndarray
    persons: np.ndarray
    patterns: np.ndarray
    maps: np.ndarray
    sizes: np.ndarray
    pitches: np.ndarray
    borders: np.ndarray
    previews: np.ndarray
    left_out: dict[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        """How many faces."""
        return len(self.names)

    def subset(self, index: np.ndarray) -> "FaceSet":
        """Some of the faces, by index or mask."""
        columns = {name: getattr(self, name)[index] for name in _COLUMNS}
        return FaceSet(self.title, self.radiometric, **columns, left_out=self.left_out)

    def save(self, path: str | Path) -> None:
        """Write an ``.npz``."""
        columns = {name: getattr(self, name) for name in _COLUMNS}
        reasons = {"reasons": list(self.left_out), "counts": list(self.left_out.values())}
        with open(path, "wb") as file:
            np.savez_compressed(file, title=self.title, radiometric=self.radiometric, **columns, **reasons)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read what :meth:`save` wrote."""
        with np.load(path, allow_pickle=False) as stored:
            left_out = dict(zip(stored["reasons"].tolist(), stored["counts"].astype(int).tolist(), strict=True))
            columns = {name: stored[name] for name in _COLUMNS}
            return cls(str(stored["title"]), bool(stored["radiometric"]), **columns, left_out=left_out)


_COLUMNS = tuple(entry.name for entry in fields(FaceSet) if entry.type is np.ndarray)


def gather_faces(title: str, radiometric: bool, samples: Iterable[ThermalSample], left_out: Counter[str]) -> FaceSet:
    """Put samples on the mesh.

    Args:
        title: the set's name.
        radiometric: whether values are °C.
        samples: the faces; read one by one.
        left_out: counts of what is left out, complete once ``samples`` are read; ``too covered`` is added here.

    Returns:
        The set; a face of which less than 300 points show skin is left out of it.
    """
    rows: dict[str, list] = {name: [] for name in _COLUMNS}
    for sample in samples:
        pattern = point_values(sample)
        if np.isfinite(pattern).sum() <= _LEAST_POINTS:
            left_out["too covered"] += 1
            continue
        rows["names"].append(sample.name)
        rows["persons"].append(sample.person)
        rows["patterns"].append(pattern)
        rows["maps"].append(skin_map(sample))
        rows["sizes"].append(sample.size)
        rows["pitches"].append(sample.pitch)
        rows["borders"].append(np.nan if sample.classes is None else border_share(sample.values, sample.classes))
        rows["previews"].append(preview(sample))
    shapes = {"patterns": (MESH_POINTS,), "maps": (MAP_PIXELS,) * 2, "previews": (PREVIEW_PIXELS,) * 2}
    types = {"names": np.str_, "persons": np.str_, "previews": np.uint8}
    columns = {
        name: np.array(values, types.get(name, np.float32)).reshape(len(values), *shapes.get(name, ()))
        for name, values in rows.items()
    }
    return FaceSet(title, radiometric, **columns, left_out=dict(sorted(left_out.items())))


#: More points than this must show skin.
_LEAST_POINTS = 300


def point_values(sample: ThermalSample) -> np.ndarray:
    """The values at the points: (478,) float32, NaN where the skin is covered or there is no value.

    The image is blurred first by ``_POINT_BLUR`` of the face's size.
    """
    at = [sample.points[:, 1], sample.points[:, 0]]
    filled = _filled(sample)
    smooth = cv2.GaussianBlur(filled, (0, 0), _POINT_BLUR * sample.size)
    values = map_coordinates(smooth, at, order=1, mode="nearest")
    seen = map_coordinates(sample.valid.astype(np.float32), at, order=0) > 0
    if sample.classes is not None:
        height, width = sample.classes.shape
        x, y = np.round(sample.points).astype(int).T
        seen &= np.isin(sample.classes[np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)], FACE_CLASSES)
    values[~seen] = np.nan
    return values


def skin_map(sample: ThermalSample) -> np.ndarray:
    """The image on the mean face seen from the front.

    Detail finer than a pixel of the result is blurred away before.

    Returns:
        (MAP_PIXELS, MAP_PIXELS) float32; NaN beyond the mesh, and where the skin is covered or there is no value.
    """
    rows, columns, triangles, weights = map_surface()
    seen = sample.valid.copy()
    if sample.classes is not None:
        seen &= np.isin(fill_glasses(sample.classes), FACE_CLASSES)
    # Pixels at the edge of what is seen are mixed with what lies beside it.
    seen = cv2.erode(seen.astype(np.uint8), np.ones((3, 3), np.uint8), borderValue=1) > 0
    places = np.einsum("pk,pkd->pd", weights, sample.points[triangles]).astype(np.float32)
    step = sample.size / MAP_FACE_PIXELS
    values = _filled(sample)
    if step > 1:
        values = masked_blur(values, seen, np.sqrt(step**2 - 1) / 2)
    x, y = places.T
    read = cv2.remap(values, x[None], y[None], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)[0]
    inside = cv2.remap(seen.astype(np.float32), x[None], y[None], cv2.INTER_LINEAR, borderValue=0)[0]
    result = np.full((MAP_PIXELS, MAP_PIXELS), np.nan, np.float32)
    result[rows, columns] = np.where(inside > 0.999, read, np.nan)
    return result


@lru_cache(maxsize=1)
def map_surface() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Which point of the mesh each pixel of a picture of the skin shows.

    Returns:
        Rows and columns (P,) of the covered pixels, the vertices (P, 3) of each one's triangle, and its barycentric
        weights (P, 3) in it. Eyes and mouth between the lips are no part of the mesh.
    """
    vertices, triangles = face_vertices()[:FACE_VERTICES], face_triangles()
    low, high = vertices[:, :2].min(axis=0), vertices[:, :2].max(axis=0)
    scale = MAP_FACE_PIXELS / np.sqrt(np.prod(high - low))
    middle = (MAP_PIXELS - 1) / 2
    screen = np.empty((FACE_VERTICES, 3))
    screen[:, :2] = middle + (vertices[:, :2] - (low + high) / 2) * scale * [1, -1]
    screen[:, 2] = 1 / (1e3 - vertices[:, 2])
    a, b, c = (vertices[triangles[:, k]] for k in range(3))
    normal = np.cross(b - a, c - a)
    facing = triangles[normal[:, 2] > _FACING * np.linalg.norm(normal, axis=1)]
    fragments = rasterise(screen, facing, (MAP_PIXELS, MAP_PIXELS))
    rows, columns = np.divmod(fragments.pixels, MAP_PIXELS)
    return rows, columns, facing[fragments.triangle], fragments.weights


def masked_blur(values: np.ndarray, seen: np.ndarray, sigma: float) -> np.ndarray:
    """A Gaussian blur in which pixels that are not seen have no weight; they get their neighbours' mean.

    Args:
        values: (H, W) float32; anything but NaN where not seen.
        seen: (H, W) bool.
        sigma: pixels.
    """
    weight = cv2.GaussianBlur(seen.astype(np.float32), (0, 0), sigma)
    total = cv2.GaussianBlur(np.where(seen, values, 0).astype(np.float32), (0, 0), sigma)
    return np.where(weight > 1e-6, total / np.maximum(weight, 1e-6), values)


def border_share(celsius: np.ndarray, classes: np.ndarray) -> float:
    """How far the gradients of a face gather at borders of its classes.

    Args:
        celsius: (H, W) °C.
        classes: (H, W) ids.

    Returns:
        Energy of the gradient within two pixels of a border, of an image of 192 pixels, over the fraction of the face
        that lies there; 1: borders are like the rest. NaN where too little of the face is seen.
    """
    small = cv2.resize(celsius, (_BORDER_PIXELS,) * 2, interpolation=cv2.INTER_AREA)
    ids = cv2.resize(classes, (_BORDER_PIXELS,) * 2, interpolation=cv2.INTER_NEAREST)
    smooth = cv2.GaussianBlur(small, (0, 0), 1)
    energy = cv2.Sobel(smooth, cv2.CV_32F, 1, 0) ** 2 + cv2.Sobel(smooth, cv2.CV_32F, 0, 1) ** 2
    edge = np.zeros(ids.shape, np.uint8)
    edge[:, 1:] |= ids[:, 1:] != ids[:, :-1]
    edge[1:] |= ids[1:] != ids[:-1]
    near = cv2.dilate(edge, np.ones((5, 5), np.uint8)) > 0
    skin = [own for own in FACE_CLASSES if own != FaceClass.MOUTH_INTERIOR]
    face = cv2.erode(np.isin(ids, skin).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    if face.sum() < 500 or not (face & near).any():
        return float("nan")
    return float((energy[face & near].sum() / energy[face].sum()) / ((face & near).sum() / face.sum()))


def preview(sample: ThermalSample) -> np.ndarray:
    """The square around the face as a gray picture, the person's own range from black to white.

    Returns:
        (PREVIEW_PIXELS, PREVIEW_PIXELS) uint8.
    """
    low, high = sample.points.min(axis=0), sample.points.max(axis=0)
    edge = float((high - low).max()) * _PREVIEW_MARGIN
    zoom = PREVIEW_PIXELS / edge
    left, top = (low + high) / 2 - edge / 2
    to_preview = np.array([[zoom, 0, -left * zoom], [0, zoom, -top * zoom]])
    values = _filled(sample)
    if zoom < 1:
        values = cv2.GaussianBlur(values, (0, 0), 0.5 / zoom)
    size, outside = (PREVIEW_PIXELS,) * 2, float(values.min())
    cut = cv2.warpAffine(values, to_preview, size, flags=cv2.INTER_LINEAR, borderValue=outside)
    shown = cv2.warpAffine(sample.valid.astype(np.uint8), to_preview, size, flags=cv2.INTER_NEAREST)
    # Not its edge, where values are mixed with the background's.
    shown = cv2.erode(shown, np.ones((5, 5), np.uint8), borderValue=1) > 0
    ends = np.percentile(cut[shown], _STRETCH) if shown.any() else (0.0, 1.0)
    return np.rint(255 * np.clip((cut - ends[0]) / max(ends[1] - ends[0], 1e-6), 0, 1)).astype(np.uint8)


def _filled(sample: ThermalSample) -> np.ndarray:
    """The values, with the median where a pixel has none."""
    known = np.isfinite(sample.values)
    values = sample.values.astype(np.float32)
    return values if known.all() else np.where(known, values, np.median(values[known])).astype(np.float32)
