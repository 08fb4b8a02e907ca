"""What a landmark network finds in pictures that nobody has labelled: counts, and drawings to look at."""

import logging
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np

from tfake.landmarks.drawing import draw_faces
from tfake.landmarks.files import first_picture, list_files
from tfake.landmarks.landmarker import ThermalLandmarker

#: Longer edge of a kept drawing, which is shown small.
_SHOWN_PIXELS = 480


@dataclass(frozen=True)
class Findings:
    """What became of a folder's pictures.

    Attributes:
        pictures: how many there are.
        searched: how many were searched, spread evenly over the folder.
        unreadable: how many of the chosen ones cannot be read, or taken for temperatures or pixels.
        found: in how many a face was found.
        sigma: median over the found faces of the mean standard deviation, a share of the window; None without a face.
    """

    pictures: int
    searched: int
    unreadable: int
    found: int
    sigma: float | None

    def as_mapping(self) -> dict[str, int | float | None]:
        """For JSON."""
        return asdict(self)


def search_folder(
    landmarker: ThermalLandmarker, folder: str | Path, most: int
) -> tuple[Findings, list[tuple[str, np.ndarray]]]:
    """Search a folder's pictures for their surest face.

    Args:
        landmarker: the network.
        folder: pictures, as :func:`tfake.landmarks.files.list_files` lists them; of films and stacks the first frame.
        most: pictures to search, at most.

    Returns:
        The counts, and label and drawing ((H, W, 3) uint8 RGB) of each picture searched.

    Raises:
        ValueError: there is no picture in the folder.
    """
    files, _ = list_files(folder)
    chosen = np.unique(np.linspace(0, len(files) - 1, min(most, len(files))).astype(int))
    drawn, scores = [], []
    for file in (files[place] for place in chosen):
        try:
            picture = first_picture(file)
            faces = landmarker.process(picture.image, sliding_window=True, mode=picture.mode)
        except ValueError as error:
            logging.warning("%s", error)
            continue
        scores += faces.score.tolist()
        label = file.stem if len(faces) else f"{file.stem}: no face"
        drawn.append((label, _shrink(draw_faces(picture.image, faces, picture.mode)[..., ::-1])))
    sigma = float(np.median(scores)) if scores else None
    return Findings(len(files), len(drawn), len(chosen) - len(drawn), len(scores), sigma), drawn


def _shrink(drawing: np.ndarray) -> np.ndarray:
    factor = _SHOWN_PIXELS / max(drawing.shape[:2])
    return drawing if factor >= 1 else cv2.resize(drawing, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
