"""Whether an adapted landmark network is no worse than before, told without labels, on faces it did not learn from.

Consistent is not right: a network may be wrong in the same way wherever it looks. What can be told is that answers on
one face agree no less than before, that they move no more from frame to frame, that no face is lost, that nothing
beside a face passes for one, and that the points did not wander off.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch

from tfake.core.codes import BOTH_POINTS, LANDMARKS
from tfake.imaging.crops import square_around
from tfake.landmarks.face_views import VIEWS, View, consensus, look
from tfake.landmarks.landmark_network import LandmarkNetwork
from tfake.landmarks.landmarker import UNSURE
from tfake.landmarks.network_finder import NetworkFinder
from tfake.landmarks.pseudo_labels import PseudoFace

#: Windows a crop's edge left, right, above and below a face: at most a corner of it is in them.
_BESIDE = (View(shift=(-1.0, 0.0)), View(shift=(1.0, 0.0)), View(shift=(0.0, -1.0)), View(shift=(0.0, 1.0)))


@dataclass(frozen=True)
class CheckLimits:
    """What is not yet worse.

    Attributes:
        inconsistency: factor that the disagreement of answers may grow by.
        jitter: factor that the jitter may grow by.
        moved: how far the points may be from where they were, on the average, over sqrt(w h).
        drift: how far they may be when moves in opposite directions cancel: whether a common move is right, nobody
            can tell without labels, and on real sequences it was wrong as often as not.
    """

    inconsistency: float = 1.0
    jitter: float = 1.02
    moved: float = 0.05
    drift: float = 0.005


@dataclass(frozen=True)
class CheckFigures:
    """A network on held-out faces. Lengths are over sqrt(w h) of the face's box.

    Attributes:
        faces: how many.
        inconsistency: standard deviation between the answers on views of a face, mean over points and faces.
        jitter: mean second difference of a point over three frames; None where there are no such frames.
        found: of the faces, how many are sure enough to be faces.
        wrong: of four windows beside each face, how many are sure enough to pass for one.
    """

    faces: int
    inconsistency: float
    jitter: float | None
    found: int
    wrong: int


class Moves(NamedTuple):
    """How far points went, over sqrt(w h) of the face's box.

    Attributes:
        each: mean distance of a point from where it was.
        together: length of the mean move of all points of all faces.
    """

    each: float
    together: float


def measure(
    network: LandmarkNetwork, faces: Sequence[PseudoFace], threshold: float, device: torch.device
) -> tuple[CheckFigures, list[np.ndarray]]:
    """Look at held-out faces.

    Args:
        network: in evaluation mode, on the device.
        faces: some that it did not learn from, those of one track in the order of its frames.
        threshold: mean standard deviation in crop widths below which a window is a face.
        device: of the network.

    Returns:
        The figures; and the points (L, 2) of each face.
    """
    both = network.architecture.landmarks == BOTH_POINTS
    # Of a network for both sets, faces are told by the 70 points.
    telling = slice(LANDMARKS) if both else slice(None)
    finder = NetworkFinder(network, device)
    points, spreads, found, wrong = [], [], 0, 0
    for face in faces:
        answers = look(finder, face.shown, face.box)
        answer = consensus(answers)
        edge = float(square_around(face.box)[2])
        size = np.sqrt((face.box[2] - face.box[0]) * (face.box[3] - face.box[1]))
        spreads.append(answer.spread.mean() / size)
        found += int(answers[VIEWS.index(View()), telling, 2].mean() / edge < UNSURE * threshold)
        beside = look(finder, face.shown, face.box, _BESIDE)[: len(_BESIDE), telling, 2].mean(axis=1) / edge
        wrong += int((beside < threshold).sum())
        points.append(answers[[0, len(VIEWS)], :, :2].mean(axis=0))
    moves = list(_second_differences(faces, points))
    jitter = float(np.mean(moves)) if moves else None
    return CheckFigures(len(faces), float(np.mean(spreads)), jitter, found, wrong), points


def compare(before: Sequence[np.ndarray], after: Sequence[np.ndarray]) -> Moves:
    """How far the points (L, 2) of each face are from where they were."""
    sizes = [np.sqrt(np.ptp(old, axis=0).prod()) for old in before]
    moves = [(new - old) / size for old, new, size in zip(before, after, sizes, strict=True)]
    each = float(np.mean([np.linalg.norm(move, axis=1).mean() for move in moves]))
    return Moves(each, float(np.linalg.norm(np.mean([move.mean(axis=0) for move in moves], axis=0))))


def what_is_worse(before: CheckFigures, after: CheckFigures, moves: Moves, limits: CheckLimits) -> list[str]:
    """What of an adapted network is worse than before, in words; nothing where it may be used.

    Args:
        before: of the network that was begun with.
        after: of the adapted one, on the same faces.
        moves: from ``compare``.
        limits: what is not yet worse.
    """
    worse = []
    # "not <=" and not ">": NaN is worse.
    if not after.inconsistency <= limits.inconsistency * before.inconsistency:
        worse.append(
            f"answers on a face disagree by {after.inconsistency:.4f} of its size (before: {before.inconsistency:.4f})"
        )
    if before.jitter is not None and not (after.jitter or 0.0) <= limits.jitter * before.jitter:
        worse.append(f"points jitter by {after.jitter:.4f} of the face's size (before: {before.jitter:.4f})")
    if after.found < before.found:
        worse.append(f"{after.found} of {after.faces} faces are found (before: {before.found})")
    if after.wrong > before.wrong:
        worse.append(f"{after.wrong} windows beside faces pass for one (before: {before.wrong})")
    if not moves.each <= limits.moved:
        worse.append(f"points moved by {moves.each:.4f} of the face's size (at most: {limits.moved:.4f})")
    if not moves.together <= limits.drift:
        worse.append(f"all points drifted by {moves.together:.4f} of the face's size (at most: {limits.drift:.4f})")
    return worse


def _second_differences(faces: Sequence[PseudoFace], points: Sequence[np.ndarray]) -> Iterator[float]:
    for place in range(2, len(faces)):
        first, middle, last = (face.found for face in faces[place - 2 : place + 1])
        follow = [(face.file, face.track, face.picture) for face in (first, middle, last)]
        if first.track < 0 or follow != [(first.file, first.track, first.picture + step) for step in range(3)]:
            continue
        # Each face's surroundings have their own corner.
        a, b, c = (points[place - back] + faces[place - back].corner for back in (2, 1, 0))
        yield float(np.linalg.norm(a - 2 * b + c, axis=1).mean() / np.sqrt(np.ptp(b, axis=0).prod()))
