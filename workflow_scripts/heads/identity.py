"""Who it is: traits drawn for a face, and the smooth field that bends the mean head into that shape.

The field is defined everywhere in space, so hair, hats and ears follow the skull they sit on. It is a sum of scalings
and of Gaussian windows around named places, in the spirit of free-form deformation (Sederberg and Parry, 1986).
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Traits:
    """What stays the same in every picture of a person; 0..1 unless said otherwise.

    Attributes:
        femininity: from a typical male to a typical female shape.
        age: 0 is twenty, 1 is eighty years.
        melanin: from the lightest to the darkest skin.
        redness: blood near the surface.
        weight: from lean to heavy.
        freckles: their density.
        iris: (3,) linear RGB of the iris.
        shape: (S,) standard normal sliders of the deformation field.
        lumps: (L, 3) cm random displacements at fixed places, mirrored but for a small asymmetry.
    """

    femininity: float
    age: float
    melanin: float
    redness: float
    weight: float
    freckles: float
    iris: np.ndarray
    shape: np.ndarray
    lumps: np.ndarray


_IRISES = np.array(
    [(0.12, 0.05, 0.02), (0.05, 0.022, 0.012), (0.20, 0.13, 0.05), (0.12, 0.20, 0.30), (0.16, 0.2, 0.11)]
)
_SLIDERS = 24
_LUMP_PLACES = np.array(
    [(x, y, z) for x, z in ((0, 10.5), (2.2, 9.5), (4.6, 7.5), (6.2, 3.5)) for y in (6, 3.2, 0.8, -1.8, -4.5, -7.5)]
)


def draw_traits(rng: np.random.Generator) -> Traits:
    """Draw a person."""
    melanin = float(np.clip(rng.beta(0.95, 1.35), 0.02, 0.98))
    iris = _IRISES[rng.choice(5, p=(0.3, 0.2, 0.2, 0.17, 0.13) if melanin < 0.4 else (0.35, 0.6, 0.05, 0.0, 0.0))]
    lumps = rng.normal(0, 0.13, (len(_LUMP_PLACES), 2, 3))
    lumps[:, 1] = lumps[:, 0] * (-1, 1, 1) + rng.normal(0, 0.028, (len(_LUMP_PLACES), 3))
    return Traits(
        femininity=float(np.clip(rng.choice((0.12, 0.88)) + rng.normal(0, 0.17), 0, 1)),
        age=float(rng.beta(1.2, 1.7)),
        melanin=melanin,
        redness=float(rng.uniform()),
        weight=float(rng.beta(1.6, 2.4)),
        freckles=float(max(0.0, rng.uniform(-1.2, 1)) * (melanin < 0.45)),
        iris=iris * rng.uniform(0.7, 1.3, 3),
        shape=np.clip(rng.normal(size=_SLIDERS), -2.3, 2.3),
        lumps=lumps,
    )


def _window(points: np.ndarray, centre: tuple[float, float, float], width: tuple[float, float, float]) -> np.ndarray:
    """Gaussian window (n,) around a place and its mirror image; places on the median count once."""
    x = np.abs(points[:, 0]) if centre[0] else points[:, 0]
    total = ((x - centre[0]) / width[0]) ** 2
    total += ((points[:, 1] - centre[1]) / width[1]) ** 2
    total += ((points[:, 2] - centre[2]) / width[2]) ** 2
    return np.exp(-0.5 * total)


def _ramp(values: np.ndarray, start: float, end: float) -> np.ndarray:
    """Smooth step from 0 at start to 1 at end; start may be the larger."""
    t = np.clip((values - start) / (end - start), 0.0, 1.0)
    return t * t * (3 - 2 * t)


def shape_points(points: np.ndarray, traits: Traits, detail: bool = True) -> np.ndarray:
    """Move points of the mean head to where they are on this person.

    Args:
        points: (n, 3) float cm rest positions.
        traits: the person.
        detail: add the random lumps; hair and hats do without.

    Returns:
        (n, 3) float cm.
    """
    # The table's mean face is rather a man's.
    s, fem, heavy = traits.shape, traits.femininity - 0.38, traits.weight - 0.4
    side = np.sign(points[:, 0])
    x, y = points[:, 0], points[:, 1]
    moved = points.astype(float).copy()

    def push(axis: int, amount: np.ndarray | float, centre: tuple, width: tuple) -> None:
        direction = side if axis == 0 else 1.0
        moved[:, axis] += amount * direction * _window(points, centre, width)

    # Nose: width, projection, bridge, tip height.
    wide = 0.13 * s[0] - 0.20 * fem + 0.30 * (traits.melanin - 0.4)
    moved[:, 0] += wide * x * _window(points, (0, -2.2, 10), (2, 1.2, 2))
    push(2, 0.30 * s[1] - 0.32 * fem, (0, -2.0, 11), (1.1, 1.2, 2.0))
    push(2, 0.20 * s[2] - 0.30 * fem - 0.35 * (traits.melanin - 0.4), (0, 0.6, 10), (0.8, 1.4, 2.0))
    push(1, 0.22 * s[3] + 0.25 * fem, (0, -2.2, 11), (1.3, 1.0, 2.0))
    # Eyes: distance, size, slant.
    push(0, 0.10 * s[4], (3.1, 2.0, 8), (2.0, 1.2, 2.5))
    opening = 0.12 * s[5] + 0.24 * fem - 0.12 * traits.age
    moved[:, 1] += opening * (y - 1.95) * _window(points, (3.1, 1.95, 8), (1.5, 0.75, 2))
    moved[:, 1] += (0.07 * s[6] + 0.08 * fem) * (np.abs(x) - 3.1) * _window(points, (3.1, 2.0, 8), (1.8, 1.2, 2))
    # Brows: ridge and height.
    push(2, 0.16 * s[8] - 0.55 * fem, (2.4, 3.3, 9), (1.8, 0.7, 2))
    push(1, 0.13 * s[9] + 0.30 * fem, (3.0, 3.9, 9), (2.2, 0.8, 2))
    # Mouth: width, fullness, height on the face, protrusion.
    moved[:, 0] += (0.07 * s[10] - 0.12 * fem) * x * _window(points, (0, -5.0, 9), (2.6, 1.2, 3))
    fullness = 0.14 * s[11] + 0.26 * fem + 0.35 * (traits.melanin - 0.4) - 0.28 * traits.age + 0.10
    moved[:, 1] += fullness * (y + 5.03) * _window(points, (0, -5.03, 9.5), (2.2, 0.75, 2))
    push(2, 0.18 * s[12] + 0.35 * fullness, (0, -5.0, 9.5), (1.8, 1.0, 2))
    push(1, 0.16 * s[13], (0, -5.0, 9.5), (3.0, 1.3, 3))
    # Jaw, chin, cheeks and neck.
    jaw = _ramp(y, 0.5, -6.5) * _ramp(y, -13.0, -9.0)
    moved[:, 0] += x * (0.05 * s[14] - 0.13 * fem + 0.14 * heavy) * jaw
    push(1, -(0.32 * s[15] - 0.30 * fem), (0, -8.6, 8.5), (3.2, 1.8, 4))
    push(2, 0.26 * s[16] - 0.28 * fem, (0, -8.2, 8.5), (2.2, 1.3, 3))
    push(0, 0.16 * s[17] + 0.75 * heavy, (5.2, -2.8, 6), (2.2, 2.2, 3.0))
    push(1, -0.9 * max(heavy, 0.0), (0, -9.8, 5.5), (3.5, 1.5, 2.5))
    push(2, 0.14 * s[18] + 0.15 * fem, (4.3, -0.4, 8), (1.6, 1.2, 2.0))
    moved[:, 0] += (
        x * (0.05 * s[19] - 0.30 * fem + 0.24 * heavy - 0.05) * _ramp(y, -8.0, -11.0) * _ramp(y, -17.0, -14.5)
    )
    moved[:, 0] += x * (-0.17 * fem + 0.14 * heavy) * _ramp(y, -14.5, -19.0)
    # Ears stand off more or less; the forehead; the whole.
    push(0, 0.25 * s[7], (8.4, 0.8, -1.5), (0.9, 3.0, 2.0))
    push(2, 0.22 * s[20] + 0.45 * fem, (0, 6.5, 9), (4, 2.0, 4))
    for place, pair in zip(_LUMP_PLACES, traits.lumps, strict=True) if detail else ():
        near = np.exp(-0.5 * (((points - place) / (1.7, 1.5, 2.5)) ** 2).sum(axis=1))
        other = (
            near
            if place[0] == 0
            else np.exp(-0.5 * (((points - place * (-1, 1, 1)) / (1.7, 1.5, 2.5)) ** 2).sum(axis=1))
        )
        moved += 0.8 * (near[:, None] * pair[0] + other[:, None] * pair[1])
    wide, high, deep = 1 + 0.03 * s[21] + 0.03 * heavy, 1 + 0.035 * s[22], 1 + 0.025 * s[23]
    scale = np.array([wide, high, deep]) * (1.0 - 0.06 * fem)
    return moved * scale
