"""Finding faces in a picture with a trained detector: views of it, their maps, one list of faces with probabilities."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from tfake.detector.face_maps import DetectedFaces, decode_faces, suppress
from tfake.detector.views import View, make_views

#: Intersection over the smaller of two boxes above which they are one face.
OVERLAP = 0.5
_MOST_PEAKS = 100


@dataclass(frozen=True)
class ScoreCalibration:
    """What turns a detector's logits into probabilities: p = 1 / (1 + exp(-(slope logit + offset))) (Platt, 1999).

    Attributes:
        slope: factor of the logit.
        offset: what is added.
    """

    slope: float = 1.0
    offset: float = 0.0

    def confidence(self, logits: np.ndarray) -> np.ndarray:
        """The probability that what was found is a face: (F,) float32."""
        return (1 / (1 + np.exp(-(self.slope * logits.astype(np.float64) + self.offset)))).astype(np.float32)

    def logit_of(self, confidence: float) -> float:
        """The network's logit at a probability above 0 and below 1."""
        return (float(np.log(confidence / (1 - confidence))) - self.offset) / self.slope


class FaceMaps(Protocol):
    """A detector's network, whatever computes it.

    Attributes:
        search_pixels: edge of a square of the area that a picture is brought to before it is searched.
    """

    search_pixels: int

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """The maps of a picture: (3, H, W) float32 in 0..1 to (``CHANNELS``, H / 4, W / 4) float32."""
        ...


def find_faces(network: FaceMaps, picture: np.ndarray, least_logit: float) -> DetectedFaces:
    """Find the faces of a picture.

    Args:
        network: what gives the maps.
        picture: (H, W, 3) float32 in 0..1, as :func:`tfake.landmarks.preprocessing.preprocess` gives it.
        least_logit: below which nothing is a face.

    Returns:
        The faces in pixels of the picture, none overlapping another by more than half, by descending score.
    """
    parts = [_find_in_view(network, view, least_logit) for view in make_views(picture, network.search_pixels)]
    joined = DetectedFaces(*(np.concatenate(values) for values in zip(*(vars(p).values() for p in parts), strict=True)))
    return suppress(joined, OVERLAP)


def _find_in_view(network: FaceMaps, view: View, least_logit: float) -> DetectedFaces:
    image = np.ascontiguousarray(view.image.transpose(2, 0, 1))
    found = decode_faces(network(image), least_logit, _MOST_PEAKS)
    # Integer coordinates are pixel centres.
    boxes, five = (
        ((values.reshape(-1, 2) + 0.5) / view.scale - 0.5).reshape(values.shape).astype(np.float32)
        for values in (found.boxes, found.five)
    )
    return DetectedFaces(boxes, five, found.logits)
