"""Triangle meshes: normals, grids, tubes, patches and Loop subdivision."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse


@dataclass(frozen=True)
class Subdivision:
    """One linear subdivision step: fine = matrix @ coarse.

    Attributes:
        matrix: (n_fine, n_coarse) sparse float64; the first n_coarse rows are the old vertices, in order.
        triangles: (4 m, 3) int64; rows 4 k .. 4 k + 3 are the children of triangle k.
    """

    matrix: sparse.csr_matrix
    triangles: np.ndarray

    def parents(self) -> np.ndarray:
        """Coarse triangle (4 m,) of each fine triangle."""
        return np.arange(len(self.triangles)) // 4


def cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Cross products (n, 3) of rows; np.cross is several times slower on long lists."""
    ax, ay, az = a.T
    bx, by, bz = b.T
    return np.stack([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx], axis=1)


def vertex_normals(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Area-weighted unit normals (n, 3) of vertices (n, 3) in a mesh of triangles (m, 3)."""
    a, b, c = (vertices[triangles[:, k]] for k in range(3))
    face = cross(b - a, c - a)
    normals = np.empty(vertices.shape)
    for axis in range(3):
        normals[:, axis] = np.bincount(triangles.ravel(), weights=np.repeat(face[:, axis], 3), minlength=len(vertices))
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)


def grid_triangles(rows: int, columns: int, closed: bool = False) -> np.ndarray:
    """Triangles of a (rows, columns) vertex grid in row-major order; closed joins the last column to the first."""
    last = columns if closed else columns - 1
    row, column = np.meshgrid(np.arange(rows - 1), np.arange(last), indexing="ij")
    a = (row * columns + column).ravel()
    b = (row * columns + (column + 1) % columns).ravel()
    c, d = a + columns, b + columns
    return np.concatenate([np.stack([a, c, b], axis=1), np.stack([b, c, d], axis=1)])


def unit(vectors: np.ndarray) -> np.ndarray:
    """Unit vectors along the last axis."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)


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


def loop_subdivision(triangles: np.ndarray, vertices: int) -> Subdivision:
    """Loop's subdivision with boundary rules, as a sparse matrix.

    Charles Loop, "Smooth subdivision surfaces based on triangles", 1987, with Warren's weights (3/16 for valence 3,
    3/(8 k) above); edges with one triangle are kept as a cubic B-spline.

    Args:
        triangles: (m, 3) int indices of an oriented manifold mesh.
        vertices: number of coarse vertices.

    Returns:
        The step from the coarse to the fine mesh.
    """
    directed = np.concatenate([triangles[:, [1, 2]], triangles[:, [2, 0]], triangles[:, [0, 1]]])
    opposite = np.concatenate([triangles[:, 0], triangles[:, 1], triangles[:, 2]])
    edges, edge_of, uses = np.unique(np.sort(directed, axis=1), axis=0, return_inverse=True, return_counts=True)
    edge_of = edge_of.ravel()
    boundary = uses == 1

    opposite_sum = sparse.csr_matrix((np.ones(len(opposite)), (edge_of, opposite)), (len(edges), vertices))
    ends = sparse.csr_matrix((np.ones(2 * len(edges)), (np.repeat(np.arange(len(edges)), 2), edges.ravel())))
    ends.resize((len(edges), vertices))
    odd = (
        sparse.diags(np.where(boundary, 0.5, 0.375)) @ ends + sparse.diags(np.where(boundary, 0, 0.125)) @ opposite_sum
    )

    def neighbours(chosen: np.ndarray) -> sparse.csr_matrix:
        pairs = np.concatenate([chosen, chosen[:, ::-1]])
        return sparse.csr_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), (vertices, vertices))

    everywhere, along = neighbours(edges), neighbours(edges[boundary])
    valence = np.maximum(np.asarray(everywhere.sum(axis=1)).ravel(), 1)
    on_boundary = np.asarray(along.sum(axis=1)).ravel() > 0
    beta = np.where(on_boundary, 0.0, np.where(valence == 3, 3 / 16, 3 / (8 * valence)))
    keep = np.where(on_boundary, 0.75, 1 - valence * beta)
    even = sparse.diags(keep) + sparse.diags(beta) @ everywhere + 0.125 * sparse.diags(on_boundary * 1.0) @ along

    count = len(triangles)
    side = vertices + edge_of
    ab, bc, ca = side[2 * count :], side[:count], side[count : 2 * count]
    a, b, c = triangles.T
    children = np.stack([a, ab, ca, ab, b, bc, ca, bc, c, ab, bc, ca], axis=1).reshape(-1, 3)
    return Subdivision(sparse.vstack([even, odd]).tocsr(), children)
