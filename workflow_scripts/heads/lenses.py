"""Clear lenses: they cover pixels, tint and mirror a little, and leave the class behind them as it is."""

import numpy as np

from heads.glasses import Glasses
from heads.identity import Traits, shape_points
from heads.lighting import Lighting
from heads.raster import Fragments, rasterise
from heads.shading import normalised
from heads.topology import vertex_normals
from heads.viewpoint import Viewpoint


def look_through(
    glasses: Glasses,
    traits: Traits,
    viewpoint: Viewpoint,
    fragments: Fragments,
    lighting: Lighting,
    radiance: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Put clear lenses in front of shaded points.

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
