"""A face mask: a cushion over nose, mouth and chin that follows the shaped face, and its ear loops."""

from functools import lru_cache

import numpy as np
from scipy.spatial import Delaunay

from heads.parts import Material, Part, make_part
from tfake.core.classes import FaceClass
from tfake.mesh import template
from tfake.mesh.topology import grid_triangles, tube, vertex_normals

_ROWS, _COLUMNS = 22, 31
#: Linear albedos: surgical blue, white, black, rose.
_COLOURS = np.array([(0.30, 0.52, 0.66), (0.72, 0.73, 0.74), (0.018, 0.018, 0.02), (0.55, 0.25, 0.28)])


@lru_cache(maxsize=1)
def _cover() -> tuple[np.ndarray, np.ndarray]:
    """The mask's grid on the face patch: three vertices (G, 3) and their weights (G, 3) for each grid point."""
    across = np.linspace(-1, 1, _COLUMNS)[None]
    down = np.linspace(0, 1, _ROWS)[:, None]
    top = 0.5 - 2.4 * across**2 + 0.7 * across**4
    bottom = -8.75 + 2.6 * across**2 + 0.9 * across**4
    x = across * (5.75 - 0.55 * np.abs(2 * down - 1) ** 3)
    spots = np.stack(np.broadcast_arrays(x, top + down * (bottom - top)), axis=-1).reshape(-1, 2)
    flat = template.face_vertices()[: template.FACE_VERTICES, :2]
    net = Delaunay(flat)
    simplex = net.find_simplex(spots)
    nearest = np.argmin(((spots[:, None] - flat[None]) ** 2).sum(axis=2), axis=1)
    affine = net.transform[simplex]
    two = np.einsum("nij,nj->ni", affine[:, :2], spots - affine[:, 2])
    weights = np.concatenate([two, 1 - two.sum(axis=1, keepdims=True)], axis=1)
    outside = simplex < 0
    vertices = net.simplices[simplex]
    vertices[outside], weights[outside] = nearest[outside, None], 1 / 3
    return vertices, weights


def _stretch(grid: np.ndarray) -> np.ndarray:
    """Pull a sheet (R, C, 3) taut over the face: smooth it, but never behind where it was."""
    taut = grid.copy()
    for _ in range(14):
        mean = taut.copy()
        mean[1:-1, 1:-1] = (taut[:-2, 1:-1] + taut[2:, 1:-1] + taut[1:-1, :-2] + taut[1:-1, 2:]) / 4
        mean[..., 2] = np.maximum(mean[..., 2], grid[..., 2])
        taut = mean
    return taut


def build_mask(rng: np.random.Generator, control: np.ndarray) -> list[Part]:
    """Build a mask.

    Args:
        rng: source of randomness.
        control: (n, 3) shaped control positions of the head.

    Returns:
        The cushion and two pairs of ear loops, class FACEWEAR.
    """
    vertices, weights = _cover()
    rest = (template.face_vertices()[vertices] * weights[..., None]).sum(axis=1)
    shaped = (control[vertices] * weights[..., None]).sum(axis=1)
    triangles = grid_triangles(_ROWS, _COLUMNS)
    taut = _stretch(shaped.reshape(_ROWS, _COLUMNS, 3)).reshape(-1, 3)
    normal = vertex_normals(taut, triangles)
    if normal[:, 2].sum() < 0:
        triangles, normal = triangles[:, ::-1], -normal
    row, column = np.divmod(np.arange(len(rest)), _COLUMNS)
    inner = np.minimum(np.minimum(row, _ROWS - 1 - row) / 2.0, np.minimum(column, _COLUMNS - 1 - column) / 2.0)
    pleats = 0.09 * np.sin(row * 1.5) * (rng.uniform() < 0.6) * (row > 3) * (row < 18)
    taut = taut + (0.17 + 0.29 * np.clip(inner, 0, 1) + pleats)[:, None] * normal
    colour = _COLOURS[rng.choice(len(_COLOURS), p=(0.4, 0.3, 0.22, 0.08))]
    coordinates = np.stack([rest[:, 0], rest[:, 1], np.zeros(len(rest))], axis=1)
    parts = [
        make_part(
            rest,
            triangles,
            FaceClass.FACEWEAR,
            Material.CLOTH,
            shaped=taut,
            coordinates=coordinates,
            colour=colour,
            two_sided=True,
            sway=1.0,
        )
    ]
    for corner, ear in ((2 * _COLUMNS, (7.55, 2.6, -0.9)), ((_ROWS - 4) * _COLUMNS, (7.4, -2.0, -0.9))):
        for last, side in ((0, -1), (_COLUMNS - 1, 1)):
            start = taut[corner + last]
            end = np.array(ear) * (side, 1, 1)
            fraction = np.linspace(0, 1, 10)[:, None]
            path = (1 - fraction) * start + fraction * end + np.sin(np.pi * fraction) * np.array([side * 0.9, 0, 0])
            loop, faces = tube(path, 0.09, 0.09, np.array([1.0, 0, 0]), closed=False)
            white = np.full(3, 0.7)
            parts.append(
                make_part(loop, faces, FaceClass.FACEWEAR, Material.CLOTH, colour=white, two_sided=True, sway=1.0)
            )
    return parts
