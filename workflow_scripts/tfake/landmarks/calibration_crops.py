"""Crops of faces that 8-bit arithmetic is calibrated on: from a folder of results, or out of anybody's pictures."""

from itertools import islice
from pathlib import Path

import numpy as np

from tfake.imaging.crops import crop_squares, square_around
from tfake.landmarks.inputs import open_pictures
from tfake.landmarks.landmarker import ThermalLandmarker
from tfake.landmarks.preprocessing import preprocess
from tfake.reader.dataset import open_dataset
from tfake.thermal_io.pictures import turn_upright

#: Crops at most: a network's ranges are known from fewer.
MOST_CROPS = 256
_STORE = "faces/faces.zarr"


def calibration_crops(path: str | Path, landmarker: ThermalLandmarker, most: int = MOST_CROPS) -> np.ndarray:
    """Cut faces out as the landmarker would.

    Args:
        path: a folder of this workflow's results, whose thermal variants and 70 points are read; or pictures, a folder
            or one file, in which the landmarker searches for faces.
        landmarker: of the weights whose network is calibrated.
        most: crops at most, from all over what is there.

    Returns:
        (F, 3, P, P) float32 in 0..1; none where no face is found.

    Raises:
        FileNotFoundError: it is not there.
        ValueError: a folder without pictures.
    """
    finder = landmarker.finder
    window = "scene" if finder.thermal_stretch else "fixed"
    crops: list[np.ndarray] = []
    if (Path(path) / _STORE).is_dir():
        dataset = open_dataset(path, fields=("thermal", "landmarks_70"))
        each = max(1, most // max(1, len(dataset.variants)))
        for index in np.unique(np.linspace(0, len(dataset) - 1, each).astype(int)).tolist():
            face = dataset[index]
            square = _squares(face.landmarks_70[None])
            crops += [
                crop_squares(preprocess(image, window=window), square, finder.image_pixels)
                for image in face.thermal.values()
            ]
    else:
        pictures = open_pictures(path, strict=False)
        step = max(1, (pictures.count or 0) // most)
        for picture in islice(pictures.items, 0, None, step):
            upright = turn_upright(picture.image, picture.orientation)
            faces = landmarker.process(upright, sliding_window=True, multi=True, mode=picture.mode)
            shown = preprocess(upright, picture.mode, window)
            crops.append(crop_squares(shown, _squares(faces.landmarks), finder.image_pixels))
    pixels = finder.image_pixels
    return np.concatenate([np.empty((0, 3, pixels, pixels), np.float32), *crops])[:most]


def _squares(points: np.ndarray) -> np.ndarray:
    """The network's crops for points (F, L, 2): (F, 3)."""
    return np.array([square_around((*face.min(axis=0), *face.max(axis=0))) for face in points]).reshape(-1, 3)
