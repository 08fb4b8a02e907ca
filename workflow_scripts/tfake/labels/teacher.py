"""A teacher for thermal pictures without annotations: FaceMesh, believed where it agrees with itself.

FaceMesh never saw heat, and still finds most thermal faces once their contrast is stretched. How far off it is shows in
what it says of the mirrored picture: on 100 long-wave faces whose eyes and mouths are known, labels whose two answers
are at most .03 of the face's size apart (72 of them) have a median error of .022, those further apart .048. Where the
camera has a registered visible partner, FaceMesh is asked about that one instead: on thermal pictures it may be wrong
twice in the same way.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np

from tfake.imaging.crops import Box, box_overlap, square_around, square_around_image
from tfake.labels.detection import Backend, View, mirror_mesh
from tfake.labels.shape import mesh_partners

#: Of FaceMesh's detector and of its mesh; agreement says more than either.
MIN_CONFIDENCE = 0.3
#: Edge of what the backend is shown, and of the face's square over its box.
_PIXELS, _MARGIN = 400, 1.5
#: Where there is no detection the face is placed in a square that is this much of the picture shown.
_PLACED = 0.95
_STRETCH_PERCENT = (2, 99.5)
#: Windows over the picture's shorter edge, and their steps over their own, where no box is known.
_WINDOWS, _STEP = (1.0, 0.6, 0.36), 0.5
#: Boxes that overlap more than this, over the smaller one, are one face's.
_SAME_FACE = 0.3
#: Further apart than this over the face's size, a thermal picture and its partner show two things.
_LARGEST_PARALLAX = 0.25


class Verdict(StrEnum):
    """What came of a face; all but the first are left out."""

    SURE = "sure"
    NOT_FOUND = "not_found"  # at least one of the two attempts found no face
    DISAGREE = "disagree"  # they are too far apart
    TOO_SMALL = "too_small"
    NOT_REGISTERED = "not_registered"  # the partner's face is elsewhere


@dataclass(frozen=True)
class TeacherSettings:
    """When a label is believed.

    Attributes:
        most_disagreement: mean distance between the answers on a picture and on its mirror image, over sqrt(w h) of
            their box.
        least_pixels: sqrt(w h) of that box.
    """

    most_disagreement: float = 0.03
    least_pixels: float = 16.0


@dataclass(frozen=True, eq=False)
class TaughtFace:
    """A face, or why there is none.

    Attributes:
        verdict: what came of it.
        mesh: (478, 2) float32 pixels, pixel centres at integers: the mean of both answers; None without them.
        disagreement: mean distance between them, over sqrt(w h) of their box; NaN without them.
    """

    verdict: Verdict
    mesh: np.ndarray | None = None
    disagreement: float = float("nan")


def teach(
    backend: Backend, thermal: np.ndarray, box: Box, settings: TeacherSettings, partner: np.ndarray | None = None
) -> TaughtFace:
    """Label one face.

    Args:
        backend: what finds meshes.
        thermal: (H, W) float32, of any scale.
        box: left, top, right, bottom of the face, pixels.
        settings: when it is believed.
        partner: (H, W, 3) uint8, the registered visible picture; None without one.
    """
    found = _ask_twice(backend, thermal if partner is None else partner, box)
    if found is None:
        return TaughtFace(Verdict.NOT_FOUND)
    mesh, disagreement = found
    verdict = Verdict.SURE
    if disagreement > settings.most_disagreement:
        verdict = Verdict.DISAGREE
    elif _size(mesh) < settings.least_pixels:
        verdict = Verdict.TOO_SMALL
    elif partner is not None and (seen := _ask_twice(backend, thermal, box)) is not None:
        # Where FaceMesh is sure of the thermal face, too, both have to be in one place.
        apart = float(np.linalg.norm(seen[0].mean(axis=0) - mesh.mean(axis=0))) / _size(mesh)
        if seen[1] <= settings.most_disagreement and apart > _LARGEST_PARALLAX:
            verdict = Verdict.NOT_REGISTERED
    return TaughtFace(verdict, mesh, disagreement)


def find_boxes(backend: Backend, image: np.ndarray) -> list[Box]:
    """The faces that a backend detects in windows of a picture, of the largest size in which it detects any.

    Windows within a face that is found already hold parts of it, which FaceMesh takes for faces.

    Args:
        backend: what finds meshes.
        image: (H, W) float32 of any scale, or (H, W, 3) uint8.

    Returns:
        Left, top, right, bottom of each face's mesh.
    """
    boxes: list[Box] = []
    for squares in _windows(image.shape[:2]):
        for square in squares:
            for face in backend.find(_show(image, square), None):
                points = _to_image(face.mesh, square)
                box: Box = (*points.min(axis=0).tolist(), *points.max(axis=0).tolist())
                if all(box_overlap(box, other) <= _SAME_FACE for other in boxes):
                    boxes.append(box)
        if boxes:
            break
    return boxes


def _windows(shape: tuple[int, int]) -> Iterator[list[np.ndarray]]:
    """Squares (left, top, edge) of one size after the other: one around the picture, then those within it."""
    yield [square_around_image(shape)]
    for fraction in _WINDOWS:
        edge = fraction * min(shape)
        columns, rows = (
            np.linspace(0, length - edge, 1 + int(np.ceil((length - edge) / (_STEP * edge) - 1e-9)))
            for length in shape[::-1]
        )
        yield [np.array((left - 0.5, top - 0.5, edge)) for top in rows for left in columns]


def _ask_twice(backend: Backend, image: np.ndarray, box: Box) -> tuple[np.ndarray, float] | None:
    """The mean of the answers on a face and on its mirror image, (478, 2), and how far they are apart; or None."""
    square = square_around(box, _MARGIN)
    shown = _show(image, square)
    plain, mirrored = _ask(backend, shown), _ask(backend, np.ascontiguousarray(shown[:, ::-1]))
    if plain is None or mirrored is None:
        return None
    meshes = [_to_image(mesh, square) for mesh in (plain, mirror_mesh(mirrored, _PIXELS, mesh_partners()))]
    mean = (meshes[0] + meshes[1]) / 2
    return mean.astype(np.float32), float(np.linalg.norm(meshes[0] - meshes[1], axis=1).mean()) / _size(mean)


def _ask(backend: Backend, shown: np.ndarray) -> np.ndarray | None:
    """(478, 3) pixels of the picture shown: the face nearest to its middle."""
    middle = (_PIXELS - 1) / 2
    found = backend.find(shown, None) or backend.find(shown, View((middle, middle), _PLACED * _PIXELS, 0.0))
    meshes = [face.mesh for face in found]
    return min(meshes, key=lambda mesh: np.linalg.norm(mesh[:, :2].mean(axis=0) - middle), default=None)


def _show(image: np.ndarray, square: np.ndarray) -> np.ndarray:
    """A square of a picture as the backend takes it, thermal ones stretched to the face: (P, P, 3) uint8."""
    left, top, edge = square.tolist()
    scale = edge / _PIXELS
    there = np.array(((scale, 0.0, left + scale / 2), (0.0, scale, top + scale / 2)))
    source = cv2.blur(image, (int(scale) | 1,) * 2) if scale > 2 else image
    flags = (cv2.INTER_LINEAR if scale > 1 else cv2.INTER_CUBIC) | cv2.WARP_INVERSE_MAP
    shown = cv2.warpAffine(source, there, (_PIXELS, _PIXELS), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    if shown.ndim == 3:
        return shown
    beside = round(_PIXELS * (1 - 1 / _MARGIN) / 2)
    low, high = np.percentile(shown[beside:-beside, beside:-beside], _STRETCH_PERCENT)
    # A picture without contrast stays so: what an interpolation rounds is no face.
    gray = np.clip((shown - low) / max(high - low, 1e-4 * max(1.0, abs(high))), 0, 1)
    return cv2.cvtColor((255 * gray).round().astype(np.uint8), cv2.COLOR_GRAY2RGB)


def _to_image(mesh: np.ndarray, square: np.ndarray) -> np.ndarray:
    """(478, 2) float64 pixels of the picture, from pixels of the square shown."""
    left, top, edge = square.tolist()
    return (mesh[:, :2].astype(np.float64) + 0.5) * edge / _PIXELS + (left, top)


def _size(mesh: np.ndarray) -> float:
    return float(np.sqrt(np.prod(np.ptp(mesh[:, :2], axis=0))))
