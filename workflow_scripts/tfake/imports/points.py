"""T-FAKE's pickle of dense points."""

import logging
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from tfake.codes import MESH_POINTS
from tfake.imports.array_pickles import as_array, load_arrays
from tfake.sources.thermal_files import IMAGE_SUFFIXES

#: Entries that cannot be used and are named one by one.
_FAULTS_TOLD = 20


def read_points(path: str | Path) -> dict[str, np.ndarray]:
    """Read ``annotations.pkl``: file names to points in 0..1 of the image, from its corner.

    An entry that holds no such points, or whose image another entry has with other points, is left out with a warning.

    Args:
        path: the pickle.

    Returns:
        Image id to (478, 2 or 3) float64.

    Raises:
        ValueError: the file is no pickle of a mapping of names to such arrays, not one entry can be used, or it would
            run code.
    """
    try:
        content = load_arrays(Path(path).read_bytes())
    except ValueError as error:
        raise ValueError(f"{path} is no pickle of dense points: {error}") from error
    points: dict[str, np.ndarray] = {}
    names: dict[str, str] = {}
    faults = {}
    for name, values in content.items():
        image_id = _image_id(name)
        try:
            found = _mesh(values)
        except ValueError as error:
            faults[name] = str(error)
            continue
        other = names.setdefault(image_id, name)
        if other != name and not np.array_equal(points[image_id], found, equal_nan=True):
            faults |= dict.fromkeys((other, name), f"{other} and {name} have other points for the image {image_id}")
        points[image_id] = found
    for name, fault in list(faults.items())[:_FAULTS_TOLD]:
        logging.warning("%s, %s: left out: %s", path, name, fault)
    if len(faults) > _FAULTS_TOLD:
        logging.warning("%s: %d further entries are left out", path, len(faults) - _FAULTS_TOLD)
    usable = {image_id: found for image_id, found in points.items() if names[image_id] not in faults}
    if not usable:
        first = "; {}: {}".format(*next(iter(faults.items()))) if faults else ""
        raise ValueError(f"{path}: not one of its {len(content)} entries can be used{first}")
    return usable


def _image_id(name: str) -> str:
    path = PurePosixPath(name.replace("\\", "/"))
    # An id may have a dot in it, and a name no suffix.
    bare = path.stem if path.suffix.lower() in IMAGE_SUFFIXES else path.name
    return bare.removesuffix("_thermal")


def _mesh(values: Any) -> np.ndarray:
    array = as_array(values)
    # Some tools write a list of faces, with one face in it.
    array = array[0] if array.ndim == 3 and len(array) == 1 else array
    if array.ndim != 2 or array.shape[0] != MESH_POINTS or array.shape[1] not in (2, 3):
        raise ValueError(f"expected ({MESH_POINTS}, 2 or 3) points, found {array.shape}")
    if not np.isfinite(array[:, :2]).all():
        raise ValueError("a coordinate is not finite")
    middle = np.median(array[:, :2], axis=0)
    # A face may leave its image, but not with its middle.
    if not ((middle > -0.5) & (middle < 1.5)).all():
        raise ValueError(f"expected coordinates in 0..1 of the image, found a face around {middle.round(1).tolist()}")
    return array
