"""Heat patterns: what faces read at the vertices of the face mesh, whatever the level and the gain of the camera.

A pattern is in standard deviations of its own face. People count alike, however many pictures they have.
"""

import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache

import cv2
import numpy as np

from tfake.mesh.template import BROW, FACE_OVAL, FACE_VERTICES, LOWER_LID, UPPER_LID, face_vertices

#: In sizes of a face: standard deviation of the blur, and what is left out beside pixels without data.
BLUR, MARGIN = 0.012, 0.015
#: The blur at a pixel counts when this much of its weight lies on data.
LEAST_WEIGHT = 0.3
#: Vertices this near to the face oval (cm) are seen at grazing angles: what they read is not the skin's temperature.
GRAZING_CM = 1.2
#: Half width and half height (cm) of an eye with its lids.
EYE_CM = (1.25, 0.55)


def read_vertices(image: np.ndarray, points: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """Read an image at points, smoothed over valid pixels alone.

    A blur that knew nothing of the others would draw a dark outline inside theirs.

    Args:
        image: (H, W) of any unit; what is not valid is not looked at.
        points: (V, 2) pixels x, y.
        valid: (H, W) bool, where the image has data.

    Returns:
        (V,) float64; NaN outside the image, and on or beside pixels without data.
    """
    size = float(np.sqrt(np.prod(np.ptp(points, axis=0))))
    weight = valid.astype(np.float32)
    blurred = cv2.GaussianBlur(np.where(valid, image, 0).astype(np.float32), (0, 0), BLUR * size)
    total = cv2.GaussianBlur(weight, (0, 0), BLUR * size)
    inside = cv2.erode(weight, np.ones((3, 3)), iterations=max(1, int(MARGIN * size))) > 0
    known = inside & (total > LEAST_WEIGHT)
    x, y = np.round(points).astype(int).T
    within = (x >= 0) & (y >= 0) & (x < image.shape[1]) & (y < image.shape[0])
    within[within] = known[y[within], x[within]]
    values = np.full(len(points), np.nan)
    values[within] = blurred[y[within], x[within]] / total[y[within], x[within]]
    return values


def centred(patterns: np.ndarray) -> np.ndarray:
    """Values (..., V) less each face's median."""
    with unknown_ignored():
        return patterns - np.nanmedian(patterns, axis=-1, keepdims=True)


def standardised(patterns: np.ndarray) -> np.ndarray:
    """Values (..., V) less each face's median, over each face's standard deviation."""
    with unknown_ignored():
        return centred(patterns) / np.nanstd(patterns, axis=-1, keepdims=True)


def person_means(patterns: np.ndarray, persons: np.ndarray) -> np.ndarray:
    """Mean of each person's faces (P, V), in the order of their names, of patterns (n, V) and who is on each (n,)."""
    with unknown_ignored():
        people = [np.nanmean(patterns[persons == person], axis=0) for person in np.unique(persons)]
    return np.array(people).reshape(-1, patterns.shape[1])


def person_patterns(faces: Iterable[tuple[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Mean pattern of each person.

    Args:
        faces: person and values (V,) of each face, NaN where unknown.

    Returns:
        Person to (468,) float64, sorted by name.
    """
    names, values = zip(*faces, strict=True)
    persons = np.array(names)
    means = person_means(np.array([standardised(face)[:FACE_VERTICES] for face in values]), persons)
    return dict(zip(np.unique(persons).tolist(), means, strict=True))


def mean_pattern(patterns: np.ndarray) -> np.ndarray:
    """Median over people (P, 468) at each vertex, made symmetric: (468,)."""
    with unknown_ignored():
        median = np.nanmedian(patterns, axis=0)
        return np.nanmean([median, median[mirror_vertices()]], axis=0)


def correlation(one: np.ndarray, other: np.ndarray) -> float:
    """Pearson's correlation over the places that both know; NaN where one of them is flat or less than three are."""
    known = np.isfinite(one) & np.isfinite(other)
    if known.sum() < 3 or np.ptp(one[known]) == 0 or np.ptp(other[known]) == 0:
        return float("nan")
    return float(np.corrcoef(one[known], other[known])[0, 1])


@contextmanager
def unknown_ignored() -> Iterator[None]:
    """Points that no face shows have no mean, which is no fault."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        yield


@cache
def mirror_vertices() -> np.ndarray:
    """Index (468,) of the vertex on the other side of each; of itself on the midline."""
    vertices = face_vertices()[:FACE_VERTICES]
    return np.argmin(np.linalg.norm(vertices[:, None] * (-1.0, 1.0, 1.0) - vertices, axis=2), axis=1)


@cache
def bare_vertices() -> np.ndarray:
    """Which of the face's vertices show skin at a fair angle: no brows, no eyes, not the oval; (468,) bool."""
    vertices = face_vertices()[:FACE_VERTICES]
    from_oval = np.linalg.norm(vertices[:, None] - vertices[list(FACE_OVAL)], axis=2).min(axis=1)
    bare = from_oval > GRAZING_CM
    for side, rows in BROW.items():
        bare[[vertex for row in rows for vertex in row]] = False
        centre = vertices[list(UPPER_LID[side] + LOWER_LID[side])].mean(axis=0)
        bare &= (np.abs(vertices - centre)[:, :2] >= EYE_CM).any(axis=1)
    return bare
