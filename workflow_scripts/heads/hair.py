"""Haircuts: where hair grows on the scalp and the beard, how long, and which way it lies."""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from heads.groom import Grooming, beard_regions, hairline
from heads.identity import Traits
from heads.parts import Part
from heads.strands import Growth, gather, grow, ribbons
from tfake.core.classes import FaceClass
from tfake.mesh.head import head_mesh
from tfake.mesh.topology import unit

STYLES = ("bald", "shaved", "horseshoe", "crop", "swept", "fringe", "bob", "long", "curls", "afro", "bun", "ponytail")
_MALE = (0.07, 0.14, 0.09, 0.30, 0.17, 0.06, 0.01, 0.04, 0.05, 0.05, 0.02, 0.0)
_FEMALE = (0.01, 0.02, 0.0, 0.07, 0.06, 0.12, 0.14, 0.24, 0.13, 0.07, 0.08, 0.06)
#: Ribbons of each style; "bald" and "shaved" are drawn on the skin.
_STRANDS = {
    "horseshoe": 1300,
    "crop": 3000,
    "swept": 2300,
    "fringe": 1900,
    "bob": 1700,
    "long": 1500,
    "curls": 1500,
    "afro": 2500,
    "bun": 1900,
    "ponytail": 1900,
}


@dataclass(frozen=True)
class Haircut:
    """What was drawn for the head of hair.

    Attributes:
        style: one of STYLES.
        length: 0..1 within the style.
        parting: cm, where the hair is parted (image x at rest).
        wave: 0..1 waviness.
    """

    style: str
    length: float
    parting: float
    wave: float


def draw_haircut(rng: np.random.Generator, traits: Traits, grooming: Grooming) -> tuple[Haircut, Grooming]:
    """Draw a haircut; gives also the grooming with the scalp as the haircut leaves it."""
    male = traits.femininity < 0.5
    probabilities = np.array(_MALE if male else _FEMALE)
    if traits.melanin > 0.6:
        probabilities = probabilities * np.array([1, 1.3, 1, 1, 0.4, 0.5, 0.6, 0.5, 1.6, 4.5, 1.5, 1.0])
    if traits.age < 0.35:
        probabilities = probabilities * np.array([0.4, 1, 0.1, 1, 1, 1, 1, 1, 1, 1, 1, 1])
    style = str(rng.choice(STYLES, p=probabilities / probabilities.sum()))
    cut = Haircut(style, rng.uniform(), float(rng.choice((-3.0, 0.0, 3.0)) + rng.normal(0, 0.4)), rng.uniform())
    scalp = {"bald": 0.0, "shaved": rng.uniform(0.5, 1.0)}.get(style, 1.0)
    return cut, replace(grooming, scalp=scalp, crown_bald=style == "horseshoe")


@lru_cache(maxsize=1)
def _surface() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rest centre (M, 3), unit normal (M, 3) and area (M,) of the fine mesh's triangles above the shoulders."""
    mesh = head_mesh()
    a, b, c = (mesh.rest[mesh.triangles[:, k]] for k in range(3))
    normal = np.cross(b - a, c - a)
    area = np.linalg.norm(normal, axis=1) / 2
    centre = (a + b + c) / 3
    area = np.where((centre[:, 1] > -11) & (mesh.classes != FaceClass.MOUTH_INTERIOR), area, 0)
    return centre, unit(normal), area


def _sow(rng: np.random.Generator, weight: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw triangles by weight and a point in each: triangle (N,), rest points (N, 3), barycentric weights (N, 3)."""
    total = weight.cumsum()
    triangle = np.searchsorted(total, rng.uniform(0, total[-1], count))
    u, v = rng.uniform(size=(2, count))
    u, v = np.where(u + v > 1, 1 - u, u), np.where(u + v > 1, 1 - v, v)
    barycentric = np.stack([1 - u - v, u, v], axis=1)
    mesh = head_mesh()
    points = (mesh.rest[mesh.triangles[triangle]] * barycentric[..., None]).sum(axis=1)
    return triangle, points, barycentric


def _knot(cut: Haircut) -> np.ndarray:
    """Where a bun or a ponytail is tied, (3,) cm: high on the crown or low at the back."""
    return np.array([0.0, 11.2, -5.6] if cut.wave > 0.4 else [0.0, 3.2, -9.8])


def _combed(style: str, roots: np.ndarray, cut: Haircut) -> np.ndarray:
    """Direction (N, 3) in which the hair of a style is combed at its roots."""
    count = len(roots)
    side = np.where(roots[:, 0] > cut.parting * np.clip((roots[:, 2] + 8) / 10, 0, 1), 1.0, -1.0)
    front = np.clip((roots[:, 2] - 1.0) / 5.0, 0, 1) * np.clip((roots[:, 1] - 5.5) / 2.0, 0, 1)
    across = np.stack([1.1 * side, -0.2 * np.ones(count), -0.15 + 0.3 * front], axis=1)
    if style == "swept":
        return np.stack([0.25 * np.sign(cut.parting) * np.ones(count), 0.25 * front, -np.ones(count)], axis=1)
    if style in ("fringe", "bob") or (style == "long" and cut.wave > 0.75):
        forward = np.stack([0.10 * roots[:, 0], -0.3 * np.ones(count), np.ones(count)], axis=1)
        return front[:, None] * forward * 1.2 + (1 - front[:, None]) * across
    if style in ("crop", "horseshoe"):
        ahead = np.stack([0.3 * np.sign(cut.parting) * np.ones(count), -0.45 * np.ones(count), np.ones(count)], axis=1)
        down = np.stack([np.zeros(count), -np.ones(count), -0.3 * np.ones(count)], axis=1)
        top = np.clip((roots[:, 1] - 6) / 4, 0, 1)[:, None]
        return top * ahead * (1 if cut.wave < 0.5 else -0.8) + (1 - top) * down
    return across


def _growth(rng: np.random.Generator, cut: Haircut, roots: np.ndarray) -> Growth:
    """How the strands of each style grow from their roots."""
    count = len(roots)
    top = np.clip((roots[:, 1] - 1) / 7, 0, 1)
    front = np.clip((roots[:, 2] - 2.0) / 4.0, 0, 1) * np.clip((roots[:, 1] - 5.5) / 2.0, 0, 1)
    spread = rng.uniform(0.75, 1.15, count)
    comb = _combed(cut.style, roots, cut)
    wavy = 0.22 * max(cut.wave - 0.45, 0) * 2
    if cut.style in ("crop", "horseshoe"):
        length = (0.6 + (0.6 + 2.6 * cut.length) * top) * spread
        return Growth(length, 0.45, 0.6, 0.5 + 0.9 * cut.length, 0.0, comb, 0.10 * cut.wave, 1.0, 0.17, 4)
    if cut.style == "swept":
        length = (0.8 + (3.5 + 4.5 * cut.length) * top) * spread
        return Growth(length, 0.35 + 0.6 * cut.wave, 0.7, 0.7 + 1.9 * cut.wave, 0.02, comb, wavy, 1.0, 0.22, 6)
    if cut.style == "fringe":
        length = np.where(front > 0.3, 4.6 + 1.8 * cut.length, 4.0 + 5.0 * cut.length) * spread
        return Growth(length, 0.25, 0.8, 0.9, 0.12, comb, wavy, 1.2, 0.24, 7)
    if cut.style == "bob":
        length = np.where(front > 0.3, 5.2 + 1.2 * cut.length, 15.0 + 4.0 * cut.length) * rng.uniform(0.92, 1.05, count)
        return Growth(length, 0.25, 0.8, 1.2, 0.14, comb, wavy, 1.5, 0.26, 9)
    if cut.style == "long":
        length = np.where((front > 0.3) & (cut.wave > 0.75), 5.8, 22 + 14 * cut.length) * spread
        return Growth(length, 0.25, 0.8, 1.0, 0.16, comb, 1.6 * wavy, 3.0, 0.32, 10)
    if cut.style == "curls":
        length = (7 + 16 * cut.length) * spread
        turns = 1.5 + 0.16 * float(length.mean())
        return Growth(length, 0.5, 0.6, 2.2 + 1.5 * cut.wave, 0.14, comb, 0.42 + 0.25 * cut.wave, turns, 0.30, 12)
    # An afro has no direction: strands lean every way and cross, so that it ends in a soft outline.
    length = (1.0 + 5.0 * cut.length**1.3) * rng.uniform(0.8, 1.05, count)
    leaning = rng.normal(size=(count, 3))
    return Growth(length, 1.5, 0.0, 20.0, 0.0, leaning, 0.40, 2.0 + 1.6 * cut.length, 0.30, 8)


def _gathered(rng: np.random.Generator, cut: Haircut, colour: np.ndarray) -> Part:
    """The bun's ball or the ponytail's tail."""
    count = 260
    around, up = rng.uniform(0, 2 * np.pi, count), rng.uniform(-1, 1, count)
    direction = np.stack([np.sqrt(1 - up**2) * np.cos(around), up, np.sqrt(1 - up**2) * np.sin(around)], axis=1)
    if cut.style == "bun":
        radius = 2.2 + 1.3 * cut.length
        centre = _knot(cut) + 0.6 * radius * unit(_knot(cut) - (0.0, 3.4, 0.2))
        roots = centre + 0.9 * radius * direction
        swirl = np.cross(direction, (0.0, 1.0, 0.25))
        steps = np.linspace(0, 1.5, 6)[None, :, None]
        points = centre + radius * unit(direction[:, None] + steps * swirl[:, None])
        points[:, 0] = roots
        sides = np.cross(unit(np.gradient(points, axis=1)), unit(points - centre))
        return ribbons(rng, points, sides, 0.55, colour, FaceClass.HAIR)
    roots = _knot(cut) + 0.8 * direction
    back = np.tile(unit(_knot(cut) - (0.0, 3.4, 0.2)), (count, 1))
    fall = np.stack([0.15 * direction[:, 0], -np.ones(count), np.zeros(count)], axis=1)
    growth = Growth(rng.uniform(12, 24, count), 1.0, 0.0, 0.0, 0.22, fall, 0.2 + 0.3 * cut.wave, 2.0, 0.4, 10)
    points, sides = grow(rng, roots, back, growth, free=True)
    return ribbons(rng, points, sides, growth.width, colour, FaceClass.HAIR)


def build_hair(rng: np.random.Generator, cut: Haircut, grooming: Grooming, hat_line: float | None) -> list[Part]:
    """Grow the hair of a haircut at rest.

    Args:
        rng: source of randomness.
        cut: the haircut.
        grooming: colour and hairline.
        hat_line: rest height in cm above which a hat covers the scalp, None if nothing does.

    Returns:
        Parts of class HAIR; none for the bald and the shaved.
    """
    if cut.style in ("bald", "shaved") or (hat_line is not None and hat_line < -7.5):
        return []
    centre, normal, area = _surface()
    inside = hairline(centre, grooming.recession)
    weight = area * (inside > 0.15) * (centre[:, 1] > -7.5)
    if grooming.crown_bald:
        weight = weight * (centre[:, 1] < 5.4)
    if hat_line is not None:
        weight = weight * (centre[:, 1] < hat_line - 0.3)
    # More strands where the edge is seen: along the hairline of the face.
    weight = weight * (1 + 1.5 * np.exp(-np.clip(inside, 0, None) / 1.2) * (centre[:, 2] > 0))
    count = _STRANDS[cut.style]
    if hat_line is not None:
        count = int(count * 0.6)
    triangle, roots, _ = _sow(rng, weight, count)
    if cut.style in ("bun", "ponytail"):
        points, sides = gather(rng, roots, _knot(cut), segments=8)
        width = 0.24
    else:
        growth = _growth(rng, cut, roots)
        if hat_line is not None:
            flat = {"lift": min(growth.lift, 0.3), "volume": min(growth.volume, 1.2), "gravity": growth.gravity + 0.06}
            growth = replace(growth, **flat)
        points, sides = grow(rng, roots, normal[triangle], growth)
        width = growth.width
    parts = [ribbons(rng, points, sides, width, grooming.colour, FaceClass.HAIR)]
    if cut.style in ("bun", "ponytail") and hat_line is None:
        parts.append(_gathered(rng, cut, grooming.colour))
    return parts


@dataclass(frozen=True)
class Beard:
    """Moustache and beard at rest, and where they grow; they follow identity and expression.

    Attributes:
        part: of class BEARD, at rest.
        roots: (N, 3) vertices of the fine head mesh around each strand's root.
        barycentric: (N, 3) weights of those.
    """

    part: Part
    roots: np.ndarray
    barycentric: np.ndarray

    def follow(self, shaped: np.ndarray) -> Part:
        """The beard on a face of shaped fine vertices (M, 3)."""
        moved = ((shaped - head_mesh().rest)[self.roots] * self.barycentric[..., None]).sum(axis=1)
        return self.part.with_shape(
            self.part.rest + np.repeat(moved, self.part.rest.shape[0] // len(self.roots), axis=0)
        )


def grow_beard(rng: np.random.Generator, grooming: Grooming, hidden: bool) -> Beard | None:
    """Grow moustache and beard at rest.

    Args:
        rng: source of randomness.
        grooming: which regions are grown.
        hidden: a mask lies over it; nothing is grown.

    Returns:
        None where nothing grows.
    """
    if hidden or not grooming.beard.any():
        return None
    centre, normal, area = _surface()
    regions = beard_regions(centre) * grooming.beard
    front = (centre[:, 2] > 1.0) & np.isin(head_mesh().classes, (FaceClass.SKIN, FaceClass.NECK))
    weight = area * regions.max(axis=1) ** 2 * front
    long = rng.uniform() ** 2.5 * (grooming.beard[2] > 0)
    triangle, roots, barycentric = _sow(rng, weight, 1500)
    moustache = regions[triangle, 0] > 0.4
    side = np.sign(roots[:, 0])
    comb = np.stack([0.12 * roots[:, 0], -np.ones(len(roots)), 0.15 * np.ones(len(roots))], axis=1)
    comb[moustache] = np.stack([0.9 * side, -0.75 * np.ones(len(roots)), 0.1 * np.ones(len(roots))], axis=1)[moustache]
    down = np.clip((-5.5 - roots[:, 1]) / 3.0, 0, 1)
    length = np.where(moustache, 0.55, 0.45 + 0.35 * down + 5.5 * long * down) * rng.uniform(0.7, 1.2, len(roots))
    growth = Growth(length, 0.35, 0.0, 0.0, 0.10, comb, 0.05 + 0.1 * long, 1.5, 0.14, 3)
    points, sides = grow(rng, roots + 0.02 * normal[triangle], normal[triangle], growth, free=True)
    part = ribbons(rng, points, sides, growth.width, grooming.colour * rng.uniform(0.8, 1.25), FaceClass.BEARD)
    return Beard(part, head_mesh().triangles[triangle], barycentric)
