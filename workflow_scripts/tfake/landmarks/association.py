"""Which found face continues which track: boxes that overlap, solved as an assignment."""

import numpy as np

from tfake.imaging.crops import box_iou
from tfake.landmarks.landmarker import LandmarkDetections

#: Two answers whose boxes overlap (over their union) by more are one face that was found twice.
_SAME_FACE_IOU = 0.6


def associate(
    tracks: np.ndarray,
    faces: np.ndarray,
    iou_threshold: float,
    margins: np.ndarray | float = 0.0,
    alike: np.ndarray | float = 1.0,
) -> list[tuple[int, int]]:
    """Assign faces to tracks, each to one at most, so that the sum of weighed overlaps is the greatest.

    Args:
        tracks: (T, 4) predicted boxes.
        faces: (F, 4) found boxes.
        iou_threshold: intersection over union below which two are not assigned to one another.
        margins: (T,) pixels by which a track's box, and any that it is compared to, is widened on each side.
        alike: (T, F) what each overlap counts, above 0.

    Returns:
        Pairs of a track's place and a face's, by the former.
    """
    from scipy.optimize import linear_sum_assignment  # here, for what does not track does without

    margins = np.broadcast_to(margins, len(tracks))
    wide = np.array((-1.0, -1.0, 1.0, 1.0))
    overlaps = np.array(
        [
            [box_iou(track + margin * wide, face + margin * wide) for face in faces]
            for track, margin in zip(tracks, margins, strict=True)
        ]
    ).reshape(len(tracks), len(faces))
    allowed = np.where(overlaps >= iou_threshold, overlaps * alike, 0.0)
    rows, columns = linear_sum_assignment(allowed, maximize=True)
    return [(int(row), int(column)) for row, column in zip(rows, columns, strict=True) if allowed[row, column] > 0]


def without_repeats(found: LandmarkDetections) -> list[int]:
    """The places of faces that no more confident one repeats."""
    kept: list[int] = []
    for place in np.argsort(found.score, kind="stable"):
        if all(box_iou(found.boxes[place], found.boxes[other]) <= _SAME_FACE_IOU for other in kept):
            kept.append(int(place))
    return kept
