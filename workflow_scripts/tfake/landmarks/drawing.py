"""Landmarks drawn on their image."""

import cv2
import numpy as np

from tfake.landmarks.landmarker import FoundFaces
from tfake.landmarks.reading import as_network_sees

_SURE, _UNSURE = np.array((80, 220, 80)), np.array((60, 60, 240))
#: A standard deviation of this share of the face is drawn in the colour of the least sure.
_WORST = 0.05
_LEAST_EDGE = 480
_LEGEND_HEIGHT, _TEXT = 24, 0.42


def draw_faces(image: np.ndarray, faces: FoundFaces, mode: str = "auto") -> np.ndarray:
    """Draw points on an image, coloured by how sure each is.

    Args:
        image: as :func:`tfake.landmarks.reading.as_network_sees` takes it.
        faces: what was found in it.
        mode: as there.

    Returns:
        (H', W', 3) uint8 in OpenCV's order; small images are enlarged by a whole factor.
    """
    shown = (as_network_sees(image, mode)[..., ::-1] * 255).round().astype(np.uint8)
    factor = max(1, round(_LEAST_EDGE / max(shown.shape[:2])))
    shown = np.ascontiguousarray(shown.repeat(factor, axis=0).repeat(factor, axis=1))
    for points, sigma, box in zip(faces.landmarks, faces.sigma, faces.boxes, strict=True):
        size = max(float(np.sqrt(np.prod(box[2:] - box[:2]))), 1.0)
        radius = max(1, round(size * factor / (40 if len(points) < 100 else 120)))
        for (x, y), spread in zip((points + 0.5) * factor, sigma, strict=True):
            cv2.circle(shown, (round(float(x)), round(float(y))), radius, _colour(spread / size), -1, cv2.LINE_AA)
    return shown


def with_legend(drawn: np.ndarray) -> np.ndarray:
    """Put below a drawing what its colours mean: the standard deviation of a point, in percent of the face's size.

    Args:
        drawn: (H, W, 3) uint8, BGR, from ``draw_faces``.

    Returns:
        (H + 24, W, 3) uint8.
    """
    width = drawn.shape[1]
    strip = np.zeros((_LEGEND_HEIGHT, width, 3), np.uint8)
    ramp = range(width // 4, 3 * width // 4)
    for column in ramp:
        strip[8:16, column] = _colour((column - ramp.start) / len(ramp) * _WORST)
    for text, x in (("sure", 4), (f"sigma {_WORST:.0%}", ramp.stop + 6)):
        cv2.putText(strip, text, (x, 16), cv2.FONT_HERSHEY_SIMPLEX, _TEXT, (255, 255, 255), 1, cv2.LINE_AA)
    return np.concatenate((drawn, strip))


def _colour(share: float) -> tuple[float, ...]:
    """The colour of a deviation, a share of the face's size."""
    worst = min(share / _WORST, 1.0)
    return tuple(float(part) for part in (1 - worst) * _SURE + worst * _UNSURE)
