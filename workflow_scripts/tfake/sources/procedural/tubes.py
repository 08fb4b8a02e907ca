"""Tubes and patches: the building blocks of frames, straps and brims."""

import numpy as np

from tfake.sources.procedural.strands import unit
from tfake.sources.procedural.topology import grid_triangles


def tube(
    path: np.ndarray, across: float, along_normal: float, normal: np.ndarray, closed: bool
) -> tuple[np.ndarray, np.ndarray]:
    """An elliptic tube around a path.

    Args:
        path: (K, 3) centre line.
        across, along_normal: radii in the plane of the path and along `normal`, cm.
        normal: (3,) or (K, 3) unit direction that the section is oriented by.
        closed: join the last point to the first.

    Returns:
        Vertices (8 K, 3) and triangles (m, 3), counter-clockwise seen from outside.
    """
    sides = 8
    following, before = np.roll(path, -1, axis=0), np.roll(path, 1, axis=0)
    if not closed:
        following[-1], before[0] = path[-1], path[0]
    tangent = unit(following - before)
    binormal = unit(np.cross(tangent, np.broadcast_to(normal, path.shape)))
    upright = unit(np.cross(binormal, tangent))
    angle = 2 * np.pi * np.arange(sides) / sides
    ring = (
        across * np.cos(angle)[:, None] * binormal[:, None] + along_normal * np.sin(angle)[:, None] * upright[:, None]
    )
    vertices = (path[:, None] + ring).reshape(-1, 3)
    rows = np.concatenate([vertices, vertices[:sides]]) if closed else vertices
    triangles = grid_triangles(len(rows) // sides, sides, closed=True) % len(vertices)
    return vertices, triangles


def fan(outline: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A patch spanned by a closed outline (K, 3): vertices (K + 1, 3), the centre last, and triangles (K, 3)."""
    count = len(outline)
    index = np.arange(count)
    triangles = np.stack([index, (index + 1) % count, np.full(count, count)], axis=1)
    return np.concatenate([outline, outline.mean(axis=0, keepdims=True)]), triangles
