"""Finding faces in a picture with a trained detector: views of it, their maps, one list of faces with probabilities."""

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from tfake.detector.face_maps import FIVE, FIVE_MIRRORED, DetectedFaces, decode_faces, suppress
from tfake.detector.views import View, make_views
from tfake.imaging.crops import box_iou

#: Intersection over the smaller of two boxes above which they are one face.
OVERLAP = 0.5
#: What a picture is searched as, in this order: as it is, mirrored, and with a border, which moves it on the grid.
LOOKS = ("plain", "mirrored", "bordered")
_MOST_PEAKS = 100
# The border over the picture's edges.
_BORDER = 0.1
# Faces of two looks that share this much are one.
_SAME_IOU = 0.35
# A look that shows nothing at a place says this of it.
_ABSENT_LOGIT = -2.5


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
        search_looks: how many of ``LOOKS`` are taken; a logit is the mean over them.
    """

    search_pixels: int
    search_looks: int

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
    if network.search_looks == 1:
        return _find_in_look(network, picture, network.search_pixels, least_logit)
    floor = min(least_logit, _ABSENT_LOGIT)
    looks = [_look(network, picture, name, floor) for name in LOOKS[: network.search_looks]]
    joined = _join(looks, floor)
    return suppress(joined.chosen(np.flatnonzero(joined.logits >= least_logit)), OVERLAP)


def _find_in_look(network: FaceMaps, picture: np.ndarray, search_pixels: int, least_logit: float) -> DetectedFaces:
    parts = [_find_in_view(network, view, least_logit) for view in make_views(picture, search_pixels)]
    joined = DetectedFaces(*(np.concatenate(values) for values in zip(*(vars(p).values() for p in parts), strict=True)))
    return suppress(joined, OVERLAP)


def _look(network: FaceMaps, picture: np.ndarray, name: str, least_logit: float) -> DetectedFaces:
    """The faces of one of ``LOOKS``, in pixels of the picture."""
    height, width = picture.shape[:2]
    if name == "mirrored":
        found = _find_in_look(network, np.ascontiguousarray(picture[:, ::-1]), network.search_pixels, least_logit)
        boxes, five = found.boxes.copy(), found.five[:, FIVE_MIRRORED].copy()
        boxes[:, [2, 0]] = width - 1 - found.boxes[:, [0, 2]]
        five[..., 0] = width - 1 - five[..., 0]
        return DetectedFaces(boxes, five, found.logits)
    if name == "bordered":
        rows, columns = (round(_BORDER * edge) for edge in (height, width))
        larger = np.pad(picture, ((rows, rows), (columns, columns), (0, 0)), mode="edge")
        # Faces stay as large as they are in the picture itself.
        pixels = round(network.search_pixels * math.sqrt(larger.size / picture.size))
        found = _find_in_look(network, larger, pixels, least_logit)
        corner = np.array((columns, rows), np.float32)
        return DetectedFaces(found.boxes - np.tile(corner, 2), found.five - corner, found.logits)
    return _find_in_look(network, picture, network.search_pixels, least_logit)


def _join(looks: list[DetectedFaces], absent_logit: float) -> DetectedFaces:
    """One list of several looks' faces: means of boxes, points and logits, where a look that has none counts."""
    left = [list(range(len(look))) for look in looks]
    order = sorted(
        ((float(logit), number, place) for number, look in enumerate(looks) for place, logit in enumerate(look.logits)),
        key=lambda entry: (-entry[0], *entry[1:]),
    )
    boxes, five, logits = [], [], []
    for _, number, place in order:
        if place not in left[number]:
            continue
        box = looks[number].boxes[place]
        same = []
        for other, look in enumerate(looks):
            # Each look's faces are by descending score.
            near = [mine for mine in left[other] if box_iou(box, look.boxes[mine]) > _SAME_IOU]
            if near:
                left[other].remove(near[0])
                same.append((look.boxes[near[0]], look.five[near[0]], look.logits[near[0]]))
        boxes.append(np.mean([face[0] for face in same], axis=0))
        five.append(np.mean([face[1] for face in same], axis=0))
        logits.append((sum(face[2] for face in same) + (len(looks) - len(same)) * absent_logit) / len(looks))
    return DetectedFaces(
        np.array(boxes, np.float32).reshape(-1, 4),
        np.array(five, np.float32).reshape(-1, FIVE, 2),
        np.array(logits, np.float32),
    )


def _find_in_view(network: FaceMaps, view: View, least_logit: float) -> DetectedFaces:
    image = np.ascontiguousarray(view.image.transpose(2, 0, 1))
    found = decode_faces(network(image), least_logit, _MOST_PEAKS)
    # Integer coordinates are pixel centres.
    boxes, five = (
        ((values.reshape(-1, 2) + 0.5) / view.scale - 0.5).reshape(values.shape).astype(np.float32)
        for values in (found.boxes, found.five)
    )
    return DetectedFaces(boxes, five, found.logits)
