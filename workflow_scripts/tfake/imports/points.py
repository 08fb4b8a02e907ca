"""T-FAKE's pickle of dense points, read without running what a pickle could hold."""

import io
import pickle
from pathlib import Path, PurePosixPath

import numpy as np

from tfake.store.label_layout import MESH_POINTS

#: What unpickling numpy arrays calls, in the old and the new name of its module.
_ALLOWED = {(f"numpy.{core}.multiarray", name) for core in ("core", "_core") for name in ("_reconstruct", "scalar")} | {
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
}


class _ArraysOnly(pickle.Unpickler):
    """Refuses every class and function but those of numpy arrays: a pickle from elsewhere is a program."""

    def find_class(self, module: str, name: str):
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}; only numpy arrays are read")
        return super().find_class(module, name)


def read_points(path: str | Path) -> dict[str, np.ndarray]:
    """Read ``annotations.pkl``: file names to points in 0..1 of the image, from its corner.

    Args:
        path: the pickle.

    Returns:
        Image id to (478, 2 or 3) float64.

    Raises:
        ValueError: the file is no pickle of a mapping of names to such arrays, or would run code.
    """
    try:
        content = _ArraysOnly(io.BytesIO(Path(path).read_bytes())).load()
    except (pickle.UnpicklingError, EOFError, AttributeError, ValueError, IndexError, KeyError) as error:
        raise ValueError(f"{path} is no pickle of dense points: {error}") from error
    if not isinstance(content, dict):
        found = type(content).__name__
        raise ValueError(f"{path}: expected a mapping of file names to points, found {found}")  # noqa: TRY004
    points = {}
    for name, values in content.items():
        array = np.asarray(values, dtype=np.float64)
        if array.ndim != 2 or array.shape[0] != MESH_POINTS or array.shape[1] not in (2, 3):
            raise ValueError(f"{path}, {name}: expected ({MESH_POINTS}, 2 or 3) points, found {array.shape}")
        points[PurePosixPath(str(name).replace("\\", "/")).stem.removesuffix("_thermal")] = array
    return points
