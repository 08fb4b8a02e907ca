"""The pattern of heat over a face: the mean one of a set, how near it is to a real one, and how people differ.

A face's pattern is its values at the 478 points less their median. Images of one person are averaged before people are,
so that who was recorded often counts once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from tfake.heat.patterns import centred, correlation, person_means, standardised, unknown_ignored
from tfake.mesh.template import ANCHORS, face_vertices
from tfake.studies.realism_faces import FaceSet

#: Points seen on at least this fraction of a set's faces have a mean.
_LEAST_SEEN = 0.6
#: Places of the face: anchors of the mean head, and the radius around each in cm.
_PLACES = {
    "nose": (("nose_tip",), 1.2),
    "cheeks": (("left_cheek", "right_cheek"), 1.6),
    "forehead": (("forehead",), 2.2),
    "inner canthi": (("left_inner_canthus", "right_inner_canthus"), 0.8),
    "mouth": (("mouth",), 1.4),
    "chin": (("chin",), 1.4),
}


@dataclass(frozen=True)
class PatternScores:
    """How a set's pattern stands to a real one.

    Attributes:
        r: correlation of the set's mean pattern with the real one; NaN where there is none to compare with.
        sd: median over faces of the standard deviation within a face, in the set's unit.
        own: median correlation of a face with its set's mean pattern.
        border: median of the faces' ``borders``.
    """

    r: float
    sd: float
    own: float
    border: float


def score_pattern(faces: FaceSet, real: np.ndarray | None = None) -> PatternScores:
    """Compare a set's pattern with a real one.

    Args:
        faces: the set.
        real: (478,) from :func:`mean_pattern` of a real set; None leaves ``r`` out.
    """
    patterns = centred(faces.patterns)
    with unknown_ignored():
        mean = np.nanmedian(person_means(centred(faces.patterns), faces.persons), axis=0)
        known = np.isfinite(patterns).mean(axis=0) > _LEAST_SEEN
        if real is not None:
            known &= np.isfinite(real)
        each = [correlation(own[known], mean[known]) for own in patterns]
        return PatternScores(
            r=float("nan") if real is None else correlation(mean[known], real[known]),
            sd=float(np.nanmedian(np.nanstd(patterns[:, known], axis=1))),
            own=float(np.nanmedian(each)),
            border=float(np.nanmedian(faces.borders)),
        )


def mean_pattern(faces: FaceSet) -> np.ndarray:
    """The mean pattern (478,) of a set, in standard deviations within a face: the median over people of their means."""
    with unknown_ignored():
        return np.nanmedian(person_means(standardised(faces.patterns), faces.persons), axis=0)


def split_half(faces: FaceSet, seed: int, repeats: int = 20) -> tuple[float, float]:
    """What a correlation can reach: that between the mean patterns of two halves of a set's people.

    Args:
        faces: the set.
        seed: of the halves.
        repeats: how often it is halved.

    Returns:
        Mean and standard deviation over the halvings; NaN for fewer than four people.
    """
    people = person_means(standardised(faces.patterns), faces.persons)
    if len(people) < 4:
        return float("nan"), float("nan")
    rng, found = np.random.default_rng(seed), []
    with unknown_ignored():
        for _ in range(repeats):
            order = rng.permutation(len(people))
            halves = [np.nanmedian(people[half], axis=0) for half in np.array_split(order, 2)]
            found.append(correlation(*halves))
    return float(np.mean(found)), float(np.std(found))


def person_spread(faces: FaceSet, how: Callable[[np.ndarray], np.ndarray]) -> dict[str, float]:
    """How people differ: the standard deviation between people at each point, its mean over each place of the face.

    Args:
        faces: the set.
        how: ``centred`` (in the set's unit) or ``standardised``, of :mod:`tfake.heat.patterns`.

    Returns:
        By place, NaN for fewer than three people; and ``face``, over all points of the mesh.
    """
    people = person_means(how(faces.patterns), faces.persons)
    with unknown_ignored():
        known = np.isfinite(people).sum(axis=0) >= max(3, _LEAST_SEEN * len(people))
        spread = np.where(known, np.nanstd(people, axis=0, ddof=1), np.nan)
        places = {name: float(np.nanmean(spread[index])) for name, index in places_of_points().items()}
        return {**places, "face": float(np.nanmean(spread))}


@lru_cache(maxsize=1)
def places_of_points() -> dict[str, np.ndarray]:
    """Name of each place to the indices of its points."""
    vertices = face_vertices()[:468]
    found = {}
    for name, (anchors, radius) in _PLACES.items():
        distance = np.min([np.linalg.norm(vertices - ANCHORS[anchor], axis=1) for anchor in anchors], axis=0)
        found[name] = np.flatnonzero(distance < radius)
    return found
