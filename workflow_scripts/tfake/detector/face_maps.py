"""The maps that a detector gives, and how faces are read off them; nothing here needs the network itself."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tfake.imaging.crops import box_overlap

#: Pixels from one cell of the maps to the next.
STRIDE = 4
#: Pictures have edges of multiples of this.
COARSEST_STRIDE = 32
#: Points of a face: image-left and image-right pupil, nose, image-left and image-right corner of the mouth.
FIVE = 5
#: The order of them in a mirror.
FIVE_MIRRORED = (1, 0, 2, 4, 3)
#: Channels of the answer: a logit, two logarithms of sizes, a place, five points.
CHANNELS = 1 + 2 + 2 + 2 * FIVE
# The unit of sizes: log(w / 32 pixels).
SIZE_PIXELS = 32.0


@dataclass(frozen=True, eq=False)
class DetectedFaces:
    """Faces of a picture by descending score.

    Attributes:
        boxes: (F, 4) float32 left, top, right, bottom in pixels, pixel centres at integers.
        five: (F, 5, 2) float32 pixels: pupils, nose and corners of the mouth, those on the image's left first.
        logits: (F,) float32, the network's own, not calibrated.
    """

    boxes: np.ndarray
    five: np.ndarray
    logits: np.ndarray

    def __len__(self) -> int:
        """How many faces."""
        return len(self.boxes)

    def chosen(self, places: Sequence[int] | np.ndarray) -> "DetectedFaces":
        """Some of them, in an order."""
        places = np.asarray(places, np.intp)
        return DetectedFaces(self.boxes[places], self.five[places], self.logits[places])


def decode_faces(answer: np.ndarray, least_logit: float, most: int) -> DetectedFaces:
    """Read the peaks of a map.

    Args:
        answer: (``CHANNELS``, h, w) float32, from the network.
        least_logit: below which a cell is no face.
        most: peaks, at most.

    Returns:
        The faces in pixels of the network's picture; several peaks may be of one face (``suppress``).
    """
    logits = answer[0]
    height, width = logits.shape
    around = np.pad(logits, 1, constant_values=-np.inf)
    shifted = [around[row : row + height, column : column + width] for row in range(3) for column in range(3)]
    is_peak = (np.max(shifted, axis=0) == logits) & (logits >= least_logit)
    places = np.flatnonzero(is_peak)
    places = places[np.argsort(-logits.ravel()[places], kind="stable")[:most]]
    found = answer.reshape(len(answer), -1)[:, places].astype(np.float64)
    cells = np.stack((places % width, places // width), 1) * STRIDE + (STRIDE - 1) / 2
    edges = SIZE_PIXELS * np.exp(np.clip(found[1:3].T, -3, 4))
    size = np.sqrt(edges.prod(axis=1))
    middles = cells + size[:, None] * found[3:5].T
    five = cells[:, None] + size[:, None, None] * found[5:].T.reshape(-1, FIVE, 2)
    boxes = np.concatenate((middles - edges / 2, middles + edges / 2), axis=1)
    return DetectedFaces(boxes.astype(np.float32), five.astype(np.float32), found[0].astype(np.float32))


def suppress(faces: DetectedFaces, overlap: float) -> DetectedFaces:
    """Of faces that share more than a fraction of the smaller one's box, keep the surest."""
    kept: list[int] = []
    for place in np.argsort(-faces.logits, kind="stable").tolist():
        if all(box_overlap(faces.boxes[place], faces.boxes[other]) <= overlap for other in kept):
            kept.append(place)
    return faces.chosen(kept)
