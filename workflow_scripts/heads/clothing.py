"""Clothes: shells over the lofted torso with different necklines, collars and jackets."""

from dataclasses import dataclass

import numpy as np

from heads.parts import Material, Part, make_part
from tfake.core.classes import FaceClass
from tfake.mesh.head import COLUMNS, head_mesh, loft_position
from tfake.mesh.topology import grid_triangles, vertex_normals

_BOTTOM_ROW = 19.6
_FRONT = COLUMNS / 2


@dataclass(frozen=True)
class Textile:
    """A cloth: linear albedo (3,), the number of its pattern as in shade_cloth, and the pattern's fineness 0..1."""

    colour: np.ndarray
    pattern: int
    fineness: float


def _garment(top: np.ndarray, columns: np.ndarray, offset: float, textile: Textile, creases: np.ndarray) -> Part:
    """A shell over the loft, from row top (C,) downwards along its columns (C,).

    The first row lies on the skin, which gives the edge its thickness. The columns close around the body if they cover
    it, and stay open in front otherwise.

    Args:
        top, columns: (C,) fractional rows and columns of the loft.
        offset: cm from the skin.
        textile: the cloth.
        creases: (4,) waves around, their twist, finer waves around, phase.
    """
    closed = bool(columns[-1] - columns[0] > COLUMNS - 0.75)
    down = np.concatenate([[0.0], np.linspace(0, 1, 22) ** 1.25])[:, None]
    rows = top[None] + down * (_BOTTOM_ROW - top[None])
    points = loft_position(head_mesh().rings, rows, np.broadcast_to(columns, rows.shape)).reshape(-1, 3)
    triangles = grid_triangles(*rows.shape, closed)[:, ::-1]
    around, edge = columns[None], np.arange(len(rows))[:, None]
    wave = np.sin(around * creases[0] + 9 * down * creases[1]) + np.sin(around * creases[2] - 15 * down + creases[3])
    thickness = offset * (edge > 0) + 0.16 * down**0.7 * wave * (edge > 1)
    return make_part(
        points + thickness.reshape(-1, 1) * vertex_normals(points, triangles),
        triangles,
        FaceClass.CLOTHING,
        Material.CLOTH,
        coordinates=_pattern(around * 2.6, rows * 2.4, textile),
        colour=textile.colour,
        two_sided=True,
    )


def _pattern(around: np.ndarray, down: np.ndarray, textile: Textile) -> np.ndarray:
    """Coordinates (n, 3) of shade_cloth: cm around, cm down, pattern and its fineness."""
    number = textile.pattern + 0.9 * textile.fineness
    return np.stack(np.broadcast_arrays(around, down, number), axis=-1).reshape(-1, 3)


def _collar(textile: Textile, opening: float, height: float) -> Part:
    """A folded shirt collar that stands around the neck and is open in front."""
    columns = np.linspace(_FRONT + opening, _FRONT + COLUMNS - opening, 40)
    inner = loft_position(head_mesh().rings, np.full(40, 13.0), columns)
    middle = inner[:, [0, 2]].mean(axis=0)
    away = inner - np.array([middle[0], 0, middle[1]])
    away[:, 1] = 0
    away /= np.linalg.norm(away, axis=1, keepdims=True)
    front = np.exp(-((np.minimum(columns - columns[0], columns[-1] - columns) / 3.5) ** 2))[:, None]
    up = np.array([0.0, 1.0, 0.0])
    rows = [
        inner + 0.2 * away - 0.6 * up,
        inner + 0.35 * away + (height - 0.7 * front) * up,
        inner + 0.65 * away + (height + 0.05 - 0.7 * front) * up,
        inner + (1.7 + 0.5 * front) * away - (1.1 + 1.5 * front) * up,
    ]
    points = np.concatenate(rows)
    plain = Textile(textile.colour, 0, 0.0)
    return make_part(
        points,
        grid_triangles(4, 40)[:, ::-1],
        FaceClass.CLOTHING,
        Material.CLOTH,
        coordinates=_pattern(np.tile(columns * 2.6, 4), points[:, 1], plain),
        colour=textile.colour,
        two_sided=True,
    )


def draw_dye(rng: np.random.Generator) -> np.ndarray:
    """Linear albedo (3,) of a textile: greys and blacks are as common as colours."""
    if rng.uniform() < 0.45:
        return np.full(3, rng.choice((0.02, 0.05, 0.15, 0.35, 0.65))) * rng.uniform(0.85, 1.15, 3)
    hue = rng.uniform(0.0, 1.0, 3) ** 2
    dyed = hue / hue.max() * rng.uniform(0.06, 0.5)
    return np.clip(dyed.mean() + rng.uniform(0.35, 0.9) * (dyed - dyed.mean()), 0.015, 0.75)


def build_clothing(rng: np.random.Generator) -> list[Part]:
    """Draw and build what is worn on the torso, at rest; always something."""
    columns = np.arange(COLUMNS * 2) / 2.0
    front = (1 - np.cos(2 * np.pi * columns / COLUMNS)) / 2
    kind = rng.choice(("crew", "scoop", "v", "turtleneck", "shirt", "jacket"), p=(0.3, 0.13, 0.12, 0.09, 0.18, 0.18))
    textile = Textile(draw_dye(rng), int(rng.choice(5, p=(0.5, 0.15, 0.12, 0.13, 0.1))), rng.uniform())
    once_around = 2 * np.pi / COLUMNS
    waves = 2 * rng.integers(1, 4) * once_around, rng.integers(2, 6) * once_around
    creases = np.array([waves[0], rng.uniform(0.3, 1.5), waves[1], rng.uniform(0, 6)])
    near_front = np.exp(-(((columns - _FRONT) / 3.2) ** 2))
    top = {
        "crew": 13.1 + 0.8 * front,
        "scoop": 13.8 + 2.0 * front,
        "v": 13.2 + 0.3 * front + 2.8 * near_front,
        "turtleneck": 10.6 + 0.6 * front,
        "shirt": 13.0 + 0.2 * front + rng.uniform(0.2, 2.0) * near_front,
        "jacket": 13.1 + 0.8 * front,
    }[str(kind)]
    parts = [_garment(top, columns, 0.35, textile, creases)]
    if kind == "shirt" or (kind == "jacket" and rng.uniform() < 0.6):
        parts.append(_collar(textile, rng.uniform(0.6, 2.2), rng.uniform(1.0, 1.9)))
    if kind == "jacket":
        opening = rng.uniform(1.5, 3.5)
        around = np.linspace(_FRONT + opening, _FRONT + COLUMNS - opening, 60)
        edge = np.minimum(around - around[0], around[-1] - around)
        start = 13.7 + 0.5 * np.exp(-((edge / 2.0) ** 2))
        outer = Textile(draw_dye(rng), int(rng.choice((0, 0, 2))), 0.3)
        parts.append(_garment(start, around, 0.95, outer, creases))
    return parts
