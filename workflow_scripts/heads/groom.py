"""Hair too short to model: brows, stubble and the scalp under a haircut, drawn on the skin."""

from dataclasses import dataclass

import cv2
import numpy as np

from heads import skinmaps
from heads.identity import Traits
from tfake.core.classes import FaceClass
from tfake.mesh import template

#: Linear albedos of hair: black, dark brown, brown, auburn, dark blond, blond, red, grey, white.
HAIR_COLOURS = np.array(
    [
        (0.010, 0.009, 0.009),
        (0.030, 0.018, 0.012),
        (0.075, 0.042, 0.024),
        (0.120, 0.045, 0.020),
        (0.200, 0.125, 0.060),
        (0.420, 0.290, 0.140),
        (0.280, 0.085, 0.025),
        (0.240, 0.235, 0.230),
        (0.600, 0.590, 0.570),
    ]
)
#: Height (cm) of the hairline by the angle (degrees) around the head from the face: temples, sideburn, ear, nape.
_HAIRLINE_ANGLES = (0, 22, 40, 54, 63, 69, 75, 80, 88, 102, 112, 124, 150, 180)
_HAIRLINE = (8.4, 8.1, 6.9, 5.2, 3.6, 1.2, -0.6, 1.0, 3.4, 3.2, 0.6, -2.8, -5.6, -6.4)
#: Plane in which a brow is drawn: |x| and y in cm, texels a cm.
_BROW_ORIGIN, _BROW_SCALE, _BROW_SHAPE = np.array([0.0, 1.8]), 44.0, (200, 330)


@dataclass(frozen=True)
class Grooming:
    """Hair colour and everything drawn on the skin.

    Attributes:
        colour: (3,) linear albedo of the hair; brows and beard are near it.
        recession: cm by which the hairline has moved up at the temples.
        scalp: cover of the scalp by hair roots, 0 bald to 1 dense.
        crown_bald: the top of the head is bare.
        brows: (2,) uint8 textures (h, w), right and left, strand cover 0..255.
        beard: (3,) cover 0..1 of moustache, chin and jaw with cheeks.
        stubble: cover 0..1 of shaved hair in the beard's area.
    """

    colour: np.ndarray
    recession: float
    scalp: float
    crown_bald: bool
    brows: tuple[np.ndarray, np.ndarray]
    beard: np.ndarray
    stubble: float


def draw_hair_colour(rng: np.random.Generator, traits: Traits) -> np.ndarray:
    """Draw a natural hair colour (3,) for the traits, now and then a dyed one."""
    if rng.uniform() < 0.02:
        return rng.uniform(0.01, 0.22, 3)
    probabilities = (
        (0.45, 0.3, 0.2, 0.05, 0, 0, 0) if traits.melanin > 0.45 else (0.12, 0.2, 0.22, 0.08, 0.15, 0.16, 0.07)
    )
    base = HAIR_COLOURS[rng.choice(7, p=probabilities)] * rng.uniform(0.8, 1.25)
    grey = float(np.clip((traits.age - rng.uniform(0.25, 1.1)) * 2.2, 0, 1))
    return (1 - grey) * base + grey * HAIR_COLOURS[rng.choice((7, 8))]


def hairline(rest: np.ndarray, recession: float) -> np.ndarray:
    """Signed height (n,) cm of rest points (n, 3) above the hairline; positive carries hair."""
    angle = np.degrees(np.arctan2(np.abs(rest[:, 0]), rest[:, 2]))
    line = np.interp(angle, _HAIRLINE_ANGLES, _HAIRLINE)
    temples = recession * np.exp(-(((angle - 33) / 14) ** 2)) + 0.45 * recession * np.exp(-((angle / 25) ** 2))
    return rest[:, 1] - line - temples


def beard_regions(rest: np.ndarray) -> np.ndarray:
    """Membership (n, 3) 0..1 of rest points (n, 3) in moustache, chin and jaw with cheeks."""
    x, y, z = np.abs(rest[:, 0]), rest[:, 1], rest[:, 2]

    def soft(distance: np.ndarray, width: float) -> np.ndarray:
        return np.clip(0.5 + distance / width, 0, 1)

    lip_top = -4.30 - 0.06 * x**2
    moustache = soft(y - lip_top - 0.02 + 0.5 * np.clip(x - 2.4, 0, 9), 0.25) * soft(3.15 - x, 0.5)
    moustache *= soft(-3.15 - 0.28 * np.clip(x - 0.8, 0, 9) - y, 0.35)
    below = soft(-6.05 + 0.30 * np.clip(x - 1.0, 0, 1.7) + 0.3 * np.clip(x - 2.7, 0, 9) - y, 0.4)
    chin = below * soft(3.0 - x, 0.7)
    link = soft(x - 2.75, 0.3) * soft(3.7 - x, 0.4) * soft(-3.9 - y, 0.5)
    chin = np.maximum(chin, link * soft(y + 7.5, 1.0))
    cheek_line = -4.6 + 0.62 * np.clip(x - 2.5, 0, 9) + 0.9 * np.clip(x - 5.2, 0, 2)
    jaw = soft(cheek_line - y, 1.0) * soft(x - 2.6, 0.8) + chin
    front = soft(z - 0.4, 0.8) * soft(y + 10.3 - 0.28 * (7.5 - z), 1.2)
    return np.stack([moustache, chin, np.clip(jaw, 0, 1)], axis=1) * front[:, None]


def draw_brow(rng: np.random.Generator, traits: Traits, side: str, density: float) -> np.ndarray:
    """Draw the strands of one brow along its ridge: (h, w) uint8 cover in the plane of |x| and y."""
    vertices = template.face_vertices()
    lower, upper = (vertices[list(row), :2] * ((1 if side == "left" else -1), 1) for row in template.BROW[side])
    along = np.linspace(0, 4, 40)
    bottom, top = (np.stack([np.interp(along, range(5), e[:, k]) for k in range(2)], 1) for e in (lower, upper))
    thick = 0.50 + 0.32 * (1 - traits.femininity) + 0.12 * rng.normal()
    count = int(520 * density)
    place = np.clip(rng.beta(1.15, 1.25, count), 0.005, 0.985)
    across = np.clip(rng.normal(0.40, 0.21 * thick / 0.7, count), 0.02, 1.0)
    taper = 1 - 0.75 * np.clip((place - 0.55) / 0.45, 0, 1)
    across = 0.45 + (across - 0.45) * taper
    index = place * 39
    base = np.stack([np.interp(index, range(40), bottom[:, k]) for k in range(2)], 1)
    edge = np.stack([np.interp(index, range(40), top[:, k]) for k in range(2)], 1)
    roots = base + across[:, None] * (edge - base)
    lie = np.interp(place, (0, 0.15, 0.5, 1), (82, 58, 24, -18))
    angle = np.radians(lie - 42 * (across - 0.40) + rng.normal(0, 8, count))
    length = rng.uniform(0.30, 0.55, count) * np.interp(place, (0, 0.2, 1), (0.75, 1.0, 0.65))
    tips = roots + length[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1)
    texture = np.zeros(_BROW_SHAPE, dtype=np.uint8)
    lines = np.stack([roots, tips], axis=1) - _BROW_ORIGIN
    lines = np.rint(lines * (_BROW_SCALE, _BROW_SCALE) * 16).astype(np.int32)
    for line in lines:
        cv2.polylines(
            texture, [line[:, None]], False, int(rng.integers(120, 256)), 1 + int(density > 0.7), cv2.LINE_AA, 4
        )
    return cv2.GaussianBlur(texture, (0, 0), 1.0)


def draw_grooming(rng: np.random.Generator, traits: Traits) -> Grooming:
    """Draw hair colour, brows and beard; the haircut may still change the scalp."""
    colour = draw_hair_colour(rng, traits)
    male = traits.femininity < 0.5
    density = float(np.clip(rng.normal(0.72 if male else 0.5, 0.2), 0.25, 1.2))
    brows = tuple(draw_brow(rng, traits, side, density) for side in ("right", "left"))
    beard, stubble = np.zeros(3), 0.0
    if male:
        style = rng.choice(6, p=(0.30, 0.24, 0.08, 0.14, 0.20, 0.04))
        stubble = rng.uniform(0.0, 0.35) if style == 0 else rng.uniform(0.25, 0.8)
        beard = np.array([(0, 0, 0), (0, 0, 0), (1, 0, 0), (1, 1, 0), (1, 1, 1), (0, 1, 1)], dtype=float)[style]
    recession = float(np.clip(rng.normal(0.1, 0.5) + (2.2 * traits.age if male else 0.2), -0.3, 2.6))
    return Grooming(colour, recession, 1.0, False, brows, beard, stubble)


def groom_skin(
    rest: np.ndarray, classes: np.ndarray, albedo: np.ndarray, grooming: Grooming
) -> tuple[np.ndarray, np.ndarray]:
    """Lay painted hair over skin.

    Args:
        rest: (P, 3) rest positions of skin points.
        classes: (P,) their ids before hair.
        albedo: (P, 3) their bare albedo.
        grooming: what grows where.

    Returns:
        New albedo (P, 3) and classes (P,), hard where hair covers more than half.
    """
    noise = skinmaps.sample(skinmaps.noise_map(), skinmaps.texture_coordinates(rest))
    fine = 0.7 * noise[:, 0] + 0.5 * noise[:, 1]
    albedo, classes = albedo.copy(), classes.copy()
    classes[(classes == FaceClass.SKIN) & template.on_nose(rest)] = FaceClass.NOSE
    skin = np.isin(classes, (FaceClass.SKIN, FaceClass.NOSE, FaceClass.NECK))

    def cover(share: np.ndarray, colour: np.ndarray, where: np.ndarray) -> None:
        share = (share * where).astype(np.float32)[:, None]
        albedo[:] += share * (colour - albedo)

    regions = beard_regions(rest)
    # Stubble is a bluish veil with dark dots; it stays skin.
    veil = grooming.stubble * regions.max(axis=1) * np.clip(0.33 + 0.3 * fine, 0, 0.9)
    cover(0.75 * veil, 0.5 * grooming.colour + 0.30 * albedo * (0.85, 0.98, 1.08), skin)
    grown = (regions * grooming.beard).max(axis=1)
    share = np.clip(1.7 * grown - 0.55 + 0.16 * fine, 0, 0.93) * (grown > 0.05)
    cover(share, grooming.colour * (1.0 + 0.25 * np.clip(fine, -2, 2))[:, None], skin)
    classes[skin & (share > 0.5)] = FaceClass.BEARD

    if grooming.scalp > 0:
        inside = hairline(rest, grooming.recession) + 0.18 * noise[:, 2] + 0.2 * fine
        if grooming.crown_bald:
            bare = 5.6 - rest[:, 1] + 0.3 * noise[:, 2]
            inside = np.minimum(inside, bare)
        dense = np.clip(inside / 0.9 + 0.15, 0, 1) * (rest[:, 1] > -9.0)
        share = np.clip(dense * grooming.scalp * (1.0 + 0.22 * fine), 0, 0.97)
        cover(share, grooming.colour * (0.85 + 0.22 * np.clip(fine, -2, 2))[:, None], skin)
        classes[skin & (share > 0.5)] = FaceClass.HAIR

    for texture, side, name in zip(grooming.brows, (-1, 1), (FaceClass.RIGHT_BROW, FaceClass.LEFT_BROW), strict=True):
        x, y, z = rest.T
        near = np.flatnonzero(skin & (x * side > 0.05) & (z > 3) & (y > 1.9) & (y < 6.2))
        if not len(near):
            continue
        spot = (np.stack([rest[near, 0] * side, rest[near, 1]], axis=1) - _BROW_ORIGIN) * _BROW_SCALE
        share = skinmaps.sample(texture[..., None].astype(np.float32), spot.astype(np.float32))[:, 0] / 255
        inside = (spot >= 0).all(axis=1) & (spot < np.array(_BROW_SHAPE[::-1])).all(axis=1)
        share = np.clip(share * 1.25, 0, 0.92) * inside
        albedo[near] += share[:, None] * (0.9 * grooming.colour + 0.004 - albedo[near])
        classes[near[share > 0.42]] = name
    return albedo, classes
