"""Glasses: rims, bridge, temples, and opaque lenses as parts; clear ones tint and mirror what is seen through them."""

from dataclasses import dataclass

import numpy as np

from heads.identity import Traits, shape_points
from heads.lighting import Lighting
from heads.parts import Material, Part, make_part
from heads.shading import normalised
from heads.viewpoint import Viewpoint
from tfake.core.classes import FaceClass
from tfake.mesh.raster import Fragments, rasterise
from tfake.mesh.topology import fan, tube, vertex_normals

_GOLD = np.array([1.0, 0.85, 0.6])
#: Linear albedos: black, tortoise, blue, red, milky.
_PLASTICS = np.array(
    [(0.008, 0.008, 0.01), (0.06, 0.022, 0.010), (0.02, 0.03, 0.08), (0.20, 0.02, 0.03), (0.45, 0.42, 0.38)]
)
_FORWARD = np.array([0.0, 0.0, 1.0])


@dataclass(frozen=True)
class Glasses:
    """Glasses at rest on the mean head.

    Attributes:
        parts: everything of class GLASSES: frame, and lenses if they are opaque.
        lenses: (n, 3) vertices and (m, 3) triangles of clear lenses; empty for sunglasses.
        tint: (3,) transmission of clear lenses.
    """

    parts: list[Part]
    lenses: tuple[np.ndarray, np.ndarray]
    tint: np.ndarray


def _front(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The curved sheet (n, 3) in which rims and lenses lie, just ahead of brows and cheeks."""
    return np.stack([x, y, 10.25 - 0.036 * x**2 - 0.05 * (2.0 - y)], axis=1)


def _solid(piece: tuple[np.ndarray, np.ndarray], colour: np.ndarray) -> Part:
    """A part of class GLASSES from vertices and triangles."""
    vertices, triangles = piece
    return make_part(vertices, triangles, FaceClass.GLASSES, Material.FRAME, colour=colour, two_sided=True, sway=1.0)


def draw_glasses(rng: np.random.Generator, opaque: bool) -> Glasses:
    """Draw a pair of glasses.

    Args:
        rng: source of randomness.
        opaque: sunglasses whose lenses belong to class GLASSES.
    """
    width, height = rng.uniform(2.35, 2.85), rng.uniform(1.55, 2.35)
    squareness, slant = rng.uniform(2.0, 4.5), rng.uniform(-0.05, 0.12)
    thick = rng.uniform(0.07, 0.24)
    centre_x, centre_y = width + rng.uniform(0.75, 0.95), 1.75
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    cosine, sine = np.cos(angle), np.sin(angle)
    round_x = np.sign(cosine) * np.abs(cosine) ** (2 / squareness)
    round_y = np.sign(sine) * np.abs(sine) ** (2 / squareness)
    metal = rng.uniform() < 0.35
    colour = rng.uniform(0.3, 0.7) * _GOLD if metal else rng.choice(_PLASTICS)
    if metal:
        thick = rng.uniform(0.05, 0.08)
    pieces, lenses = [], []
    for side in (1, -1):
        x = side * (centre_x + width * round_x)
        y = centre_y + height * round_y + slant * (np.abs(x) - centre_x) - 0.18 * (round_y < 0) * np.abs(round_x)
        outline = _front(x, y)
        if side < 0:
            outline = outline[::-1]
        pieces.append(tube(outline, thick, thick * 0.9 + 0.04, _FORWARD, closed=True))
        lenses.append(fan(outline))
        hinge = _front(np.array([side * (centre_x + width)]), np.array([centre_y + 0.55 * height]))[0]
        ear = np.array([(7.75, 2.1, 3.5), (7.75, 1.9, -0.6), (7.55, 0.2, -2.2)]) * (side, 1, 1)
        reach = np.stack([hinge + (0, 0, 0.05), hinge + (side * 0.35, 0, -0.5), *ear])
        steps = np.linspace(0, len(reach) - 1, 16)
        temple = np.stack([np.interp(steps, range(len(reach)), reach[:, k]) for k in range(3)], axis=1)
        pieces.append(tube(temple, max(thick * 0.9, 0.07), 0.06, np.array([1.0, 0, 0]), closed=False))
    span = np.linspace(-1, 1, 9)
    inner = centre_x - width
    bridge = _front(inner * span, centre_y + 0.35 * height + 0.25 * (1 - span**2))
    pieces.append(tube(bridge, max(0.8 * thick, 0.06), 0.09, _FORWARD, closed=False))
    parts = [_solid(piece, colour) for piece in pieces]
    if opaque:
        shade = rng.uniform(0.004, 0.03) * rng.uniform(0.5, 1.5, 3)
        parts += [_solid(lens, shade) for lens in lenses]
        lenses = []
    vertices = np.concatenate([v for v, _ in lenses]) if lenses else np.zeros((0, 3))
    offsets = np.cumsum([0] + [len(v) for v, _ in lenses])
    triangles = [t + start for (_, t), start in zip(lenses, offsets, strict=False)]
    tint = 1 - rng.uniform(0.0, 0.25) * rng.uniform(0.2, 1.0, 3) if rng.uniform() < 0.2 else np.full(3, 0.96)
    joined = np.concatenate(triangles) if triangles else np.zeros((0, 3), dtype=np.int64)
    return Glasses(parts, (vertices, joined), tint)


def look_through(
    glasses: Glasses,
    traits: Traits,
    viewpoint: Viewpoint,
    fragments: Fragments,
    lighting: Lighting,
    radiance: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Put clear lenses in front of shaded points; the class behind them stays as it is.

    Args:
        glasses: what is worn.
        traits: whose head they sit on.
        viewpoint: pose and camera.
        fragments: the visible surface without lenses.
        lighting: what the lenses mirror.
        radiance: (P, 3) of the visible points.

    Returns:
        The radiance (P, 3) through the lenses and the flat pixel indices that a lens covers, seen or not over
        background.
    """
    vertices, triangles = glasses.lenses
    if not len(triangles):
        return radiance, np.zeros(0, dtype=np.int64)
    placed = viewpoint.place(shape_points(vertices, traits, detail=False), np.ones(len(vertices)))
    seen = rasterise(viewpoint.project(placed), triangles, fragments.depth.shape, two_sided=True)
    ahead = seen.depth.ravel()[seen.pixels] > fragments.depth.ravel()[seen.pixels]
    covered = seen.pixels[ahead]
    index = np.searchsorted(fragments.pixels, covered)
    index = np.minimum(index, len(fragments.pixels) - 1)
    over = fragments.pixels[index] == covered
    normal = normalised(seen.interpolate(vertex_normals(placed, triangles), triangles)[ahead][over])
    view = normalised(-seen.interpolate(placed, triangles)[ahead][over])
    mirrored = 2 * np.einsum("ij,ij->i", normal, view)[:, None] * normal - view
    grazing = 0.04 + 0.6 * (1 - np.abs(np.einsum("ij,ij->i", normal, view))) ** 5
    window = np.clip((mirrored @ np.array([0.35, 0.80, 0.48]) - 0.90) / 0.06, 0, 1)
    shine = lighting.sky * (grazing * (0.5 + 3.0 * window))[:, None]
    radiance = radiance.copy()
    radiance[index[over]] = radiance[index[over]] * glasses.tint + shine
    return radiance, covered
