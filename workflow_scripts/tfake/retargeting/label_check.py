"""Whether labels stay where they were on the face: FaceMesh on the moved picture, against FaceMesh on the still.

FaceMesh errs on the still already, by some distance at each point. If labels keep their places on the face, it errs on
the moved picture by the same distances. So what counts is the change of them; it is the labels' fault and FaceMesh's.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from tfake.core.codes import PointState
from tfake.labels.correspondence import face_size
from tfake.labels.detection import Backend
from tfake.labels.labelling import find_mesh


@dataclass(frozen=True)
class LabelChange:
    """Of one frame, over sqrt(w h) of the box around the 70 points.

    Attributes:
        still: mean distance of FaceMesh's points from the labels on the still.
        moved: the same on the moved picture.
        change: mean distance by which the former differ from the latter, point by point.
        drift: length of the mean of these differences, by which all points went the same way.
        travel: mean distance that the labels have gone.
    """

    still: float
    moved: float
    change: float
    drift: float
    travel: float


@dataclass(frozen=True)
class LabelledPicture:
    """A picture with its labels.

    Attributes:
        rgb: (H, W, 3) uint8.
        landmarks_70: (70, 2) pixels.
        landmarks_478: (478, 3) pixels.
        visibility: (478,) codes of :class:`tfake.core.codes.PointState`.
    """

    rgb: np.ndarray
    landmarks_70: np.ndarray
    landmarks_478: np.ndarray
    visibility: np.ndarray


def find_points(backend: Backend, picture: LabelledPicture, retry_above: float) -> np.ndarray | None:
    """FaceMesh's points (478, 2) of a picture, looked for as labels are; None where it finds none."""
    found = find_mesh(backend, picture.rgb, picture.landmarks_70, retry_above)
    return None if found is None else found.detection.mesh[:, :2].astype(np.float64)


def compare_labels(
    still: LabelledPicture, on_still: np.ndarray, moved: LabelledPicture, on_moved: np.ndarray
) -> LabelChange:
    """Compare what FaceMesh says of a still and of a moved picture of it, at points that are seen in both.

    Args:
        still: the still.
        on_still: (478, 2) FaceMesh's points of it.
        moved: the moved picture.
        on_moved: (478, 2) FaceMesh's points of that.
    """
    seen = (still.visibility == PointState.VISIBLE) & (moved.visibility == PointState.VISIBLE)
    size = face_size(still.landmarks_70)
    before = (on_still - still.landmarks_478[:, :2])[seen] / size
    after = (on_moved - moved.landmarks_478[:, :2])[seen] / face_size(moved.landmarks_70)
    went = (moved.landmarks_478 - still.landmarks_478)[seen, :2] / size
    difference = after - before
    return LabelChange(
        still=_mean_length(before),
        moved=_mean_length(after),
        change=_mean_length(difference),
        drift=float(np.linalg.norm(difference.mean(axis=0))),
        travel=_mean_length(went),
    )


def motion_name(sequence_id: str, subject_id: str, expression: str) -> str:
    """What moved a still: the expression of curves; of a film, which may be named as one of those, ``drivers/NAME``."""
    own = sequence_id.removeprefix(f"{subject_id}_")
    return expression if own == f"l00_rest_{expression}" else f"drivers/{own}"


def summarise(changes: Mapping[str, Iterable[LabelChange]], bound: float) -> dict[str, dict[str, float]]:
    """Figures by kind of motion, and of all of them.

    Args:
        changes: name of the motion to its frames.
        bound: ``within`` is the fraction of the frames whose ``change`` is at most this.

    Returns:
        Name, or ``all``, to ``frames``, and to the means and the 95th percentiles of what
        :class:`LabelChange` has; motions without a frame are left out.
    """
    listed = {name: list(own) for name, own in changes.items()}
    listed["all"] = [change for own in listed.values() for change in own]
    figures = {}
    for name, own in listed.items():
        if not own:
            continue
        figures[name] = {"frames": len(own)}
        for field in ("still", "moved", "change", "drift", "travel"):
            values = np.array([getattr(change, field) for change in own])
            figures[name][field] = round(float(values.mean()), 5)
            figures[name][f"{field}_95"] = round(float(np.percentile(values, 95)), 5)
        figures[name]["within"] = round(float(np.mean([change.change <= bound for change in own])), 4)
    return figures


def _mean_length(vectors: np.ndarray) -> float:
    return float(np.linalg.norm(vectors, axis=1).mean())
