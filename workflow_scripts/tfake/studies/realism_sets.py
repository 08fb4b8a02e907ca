"""Where the faces of the realism study come from: a run's variants, a user's real images, and published synthetic ones.

Only faces within 25 degrees of frontal count: a pattern on half a face cannot be compared.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from tfake.core.codes import MESH_POINTS
from tfake.labels.detection import Backend
from tfake.labels.facemesh import FaceMesh
from tfake.labels.head_geometry import angles, head_rotation
from tfake.landmarks.adapters import plain_map
from tfake.landmarks.inputs import list_files
from tfake.reader import open_dataset
from tfake.studies.realism_faces import FaceSet, ThermalSample, gather_faces
from tfake.thermal_io.scales import parse_scale, spread_evenly
from tfake.thermal_io.thermal_reading import ThermalImage, iterate_thermal
from tfake.variants.reference_images import REFERENCE_SUFFIX, read_reference

#: Largest turn of a face either way, degrees.
LARGEST_YAW = 25.0
#: FaceMesh's own default.
_CONFIDENCE = 0.5
#: Images smaller than this are enlarged for FaceMesh.
_SEARCHED_PIXELS = 320
#: Title of published images; no variant can have it.
REFERENCE_TITLE = "published images"
#: How their visible partners end.
_REFERENCE_RGB = "_rgb.png"


@dataclass(frozen=True)
class RealSettings:
    """A folder of real faces, an entry of ``realism.real``.

    Attributes:
        path: the folder.
        values: what its images hold, as :func:`tfake.thermal_io.scales.parse_scale` reads it.
        points: JSON file of an image's name to its 478 points (x, y) in pixels; None: FaceMesh looks for them.
        background: the value as stored that means "no data"; None: every pixel has some.
        subject_pattern: regular expression whose first group is the person, searched in an image's name; None: every
            image shows somebody else.
    """

    path: str
    values: str | Mapping
    points: str | None = None
    background: float | None = None
    subject_pattern: str | None = None


def read_variant_faces(results: str | Path, variant: str, most_faces: int | None = None) -> FaceSet:
    """The faces of a variant that has the source's geometry.

    Args:
        results: the folder that holds ``faces`` and ``variants``.
        variant: its name.
        most_faces: at most, spread evenly; None: all.

    Returns:
        The set; near-duplicates count as one person.

    Raises:
        tfake.reader.dataset_store.DatasetError: there is no such variant.
        ValueError: its images are grey values.
    """
    dataset = open_dataset(results, (variant,), fields=("thermal", "segmentation", "landmarks_478"))
    if (stored := dataset.metadata(variant).dtype) != np.uint16:
        raise ValueError(
            f"{variant}: expected temperatures in counts of 0.01 K; found {stored}: grey values of a camera"
        )
    yaw = dataset.columns.head_pose[dataset.rows, 0]
    placed = np.isfinite(dataset.read("landmarks_478")[:, 0, 0])
    frontal = np.abs(yaw) <= LARGEST_YAW
    left_out = Counter({"without 478 points": int((~placed).sum()), "turned further": int((placed & ~frontal).sum())})

    def samples() -> Iterator[ThermalSample]:
        for index in _spread(np.flatnonzero(placed & frontal), most_faces):
            face = dataset[int(index)]
            values = face.thermal[variant]
            shown = face.segmentation != 0
            yield ThermalSample(
                face.image_id,
                str(dataset.columns.groups[face.row]),
                values,
                np.isfinite(values) & shown,
                face.landmarks_478.astype(np.float64),
                float(face.head_pose[1]),
                face.segmentation,
            )

    return gather_faces(variant, True, samples(), left_out)


def read_real_faces(name: str, settings: RealSettings, most_faces: int | None = None) -> FaceSet:
    """The faces of a folder of real images.

    Args:
        name: of the set.
        settings: where it is and what it holds.
        most_faces: images looked at, spread evenly; None: all.

    Raises:
        FileNotFoundError: the file of points is not there.
        ValueError: the folder holds no image, images are not what they were declared to be, points are not 478, or a
            name shows no person.
    """
    scale, points = parse_scale(settings.values), None
    if settings.points is not None:
        points = _read_points(settings.points)
    left_out: Counter[str] = Counter()

    def samples() -> Iterator[ThermalSample]:
        with _Finder(points) as finder:
            files, _ = list_files(settings.path)
            if points is not None:
                named = [file for file in files if _has_points(file.relative_to(settings.path).as_posix(), points)]
                left_out["not in the file of points"] = len(files) - len(named)
                files = named
            for file in _spread(files, most_faces):
                for label, image in _images(file, settings, scale):
                    if image.meaning != scale.meaning:
                        raise ValueError(f"{name}: {label}: expected {scale.meaning} values; found {image.meaning}")
                    valid = np.isfinite(image.values)
                    if settings.background is not None:
                        valid &= image.values != settings.background
                    found = finder.find(label, image.values, valid)
                    if found is None:
                        left_out["without 478 points"] += 1
                        continue
                    yaw, pitch = _pose(found, image.values.shape[1])
                    if abs(yaw) > LARGEST_YAW:
                        left_out["turned further"] += 1
                        continue
                    person = _person(name, label, settings.subject_pattern)
                    yield ThermalSample(label, person, image.values, valid, found, pitch)

    return gather_faces(name, scale.meaning == "celsius", samples(), left_out)


def read_reference_faces(folder: str | Path, results: str | Path) -> FaceSet:
    """The faces of published synthetic images, ``{id}_thermal.png``, 8-bit gray for 20 to 40 °C.

    Points and class map are the source's where it has the id; FaceMesh finds the points of others in ``{id}_rgb.png``,
    where that is beside them.

    Args:
        folder: the images.
        results: the folder that holds ``faces``.

    Raises:
        ValueError: a file is no 8-bit image.
    """
    labels = open_dataset(results, (), fields=("segmentation", "landmarks_478"), rows="all")
    rows = {str(labels.columns.image_id[row]): index for index, row in enumerate(labels.rows)}
    left_out: Counter[str] = Counter()

    def samples() -> Iterator[ThermalSample]:
        with _Finder(None) as finder:
            for path in sorted(Path(folder).glob(f"*{REFERENCE_SUFFIX}")):
                image_id = path.name.removesuffix(REFERENCE_SUFFIX)
                values = read_reference(path)
                points, classes, shown = None, None, np.ones(values.shape, bool)
                rgb = path.with_name(f"{image_id}{_REFERENCE_RGB}")
                if image_id in rows:
                    face = labels[rows[image_id]]
                    size = values.shape[::-1]
                    classes = cv2.resize(face.segmentation, size, interpolation=cv2.INTER_NEAREST)
                    shown = classes != 0
                    shrink = np.array(size) / face.segmentation.shape[::-1]
                    points = (face.landmarks_478.astype(np.float64) + 0.5) * shrink - 0.5
                    points = points if np.isfinite(points).all() else None
                elif rgb.is_file():
                    picture = cv2.imread(str(rgb))
                    shown = picture.any(axis=2)
                    points = finder.find_in_picture(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB))
                if points is None:
                    left_out["without 478 points"] += 1
                    continue
                yaw, pitch = _pose(points, values.shape[1])
                if abs(yaw) > LARGEST_YAW:
                    left_out["turned further"] += 1
                    continue
                yield ThermalSample(image_id, image_id, values, shown, points, pitch, classes)

    return gather_faces(REFERENCE_TITLE, True, samples(), left_out)


class _Finder:
    """Where the points come from: a table, or FaceMesh, which is loaded when it is first needed."""

    def __init__(self, points: Mapping[str, np.ndarray] | None) -> None:
        self._points = points
        self._backend: Backend | None = None

    def __enter__(self) -> "_Finder":
        return self

    def __exit__(self, *_: object) -> None:
        if self._backend is not None:
            self._backend.close()

    def find(self, name: str, values: np.ndarray, valid: np.ndarray) -> np.ndarray | None:
        """The points (478, 2) of an image, None where there are none."""
        if self._points is not None:
            return self._points.get(name)
        if not valid.any():
            return None
        low, high = np.percentile(values[valid], (1, 99))
        gray = np.clip((np.where(valid, values, low) - low) / max(high - low, 1e-6), 0, 1)
        return self.find_in_picture(np.repeat(np.rint(255 * gray).astype(np.uint8)[..., None], 3, axis=2))

    def find_in_picture(self, rgb: np.ndarray) -> np.ndarray | None:
        """The points of the largest face that FaceMesh sees in a picture (H, W, 3) uint8."""
        if self._backend is None:
            self._backend = FaceMesh(_CONFIDENCE, _CONFIDENCE)
        zoom = max(1, int(np.ceil(_SEARCHED_PIXELS / min(rgb.shape[:2]))))
        shown = cv2.resize(rgb, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_CUBIC)
        meshes = [face.mesh[:, :2].astype(np.float64) for face in self._backend.find(shown, None)]
        if not meshes:
            return None
        largest = max(meshes, key=lambda mesh: float(np.prod(np.ptp(mesh, axis=0))))
        return (largest + 0.5) / zoom - 0.5


def _images(file: Path, settings: RealSettings, scale) -> Iterator[tuple[str, ThermalImage]]:
    """The images of a file with their names: that of the file below the folder, and ``#`` and the number of a frame."""
    name = file.relative_to(settings.path).as_posix()
    images = list(iterate_thermal(file, scale, name))
    for number, image in enumerate(images):
        yield (name if len(images) == 1 else f"{name}#{number:06d}"), image


def _has_points(name: str, points: Mapping[str, np.ndarray]) -> bool:
    return name in points or any(other.startswith(f"{name}#") for other in points)


def _read_points(path: str) -> dict[str, np.ndarray]:
    listed = json.loads(Path(path).read_text(encoding="utf-8"))
    points = {name: np.asarray(own, dtype=np.float64) for name, own in listed.items()}
    for name, own in points.items():
        if own.ndim != 2 or own.shape[0] != MESH_POINTS or own.shape[1] < 2:
            raise ValueError(f"{path}: {name}: expected 478 points (x, y); found an array of {own.shape}")
    return {name: own[:, :2] for name, own in points.items()}


def _person(title: str, name: str, pattern: str | None) -> str:
    if pattern is None:
        return name
    found = re.search(pattern, name)
    if found is None:
        raise ValueError(f"realism.real.{title}.subject_pattern finds nobody in {name!r}: {pattern!r}")
    return found[1]


def _pose(points: np.ndarray, width: int) -> tuple[float, float]:
    """How far a head is turned to the side and upwards in degrees, by its 478 points."""
    yaw, pitch, _ = angles(head_rotation(plain_map(points, "mesh478", "face70"), width))
    return float(yaw), float(pitch)


def _spread(items, most: int | None) -> list:
    return list(items) if most is None else spread_evenly(items, most)
