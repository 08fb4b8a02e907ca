"""One smooth mesh of face, skull, neck and torso at rest: the face patch, lofted backwards and downwards."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import sparse
from scipy.interpolate import CubicSpline
from scipy.spatial import cKDTree

from tfake.core.classes import FaceClass
from tfake.mesh import template
from tfake.mesh.topology import grid_triangles, loop_subdivision

#: Profile of the lofted rings in the median plane, cm: throat side (y, z), crown and nape side (y, z), half widths
#: near the throat and near the crown. Hand-made after common head and neck breadths.
_RINGS = np.array(
    [
        (-9.2, 7.2, 8.6, 9.0, 6.4, 6.9),
        (-9.5, 6.3, 10.5, 7.3, 6.45, 7.2),
        (-9.8, 5.4, 12.2, 4.2, 6.5, 7.4),
        (-10.0, 4.6, 12.9, 0.4, 6.45, 7.55),
        (-10.3, 4.0, 12.2, -3.6, 6.3, 7.6),
        (-10.6, 3.5, 9.8, -6.8, 6.05, 7.5),
        (-11.0, 3.1, 6.6, -8.7, 5.8, 7.2),
        (-11.4, 2.8, 3.0, -9.3, 5.2, 6.7),
        (-11.9, 2.4, -0.6, -8.7, 4.9, 6.1),
        (-12.2, 2.1, -3.8, -7.4, 4.7, 5.5),
        (-12.7, 1.8, -6.6, -6.6, 4.7, 5.0),
        (-13.4, 1.5, -9.2, -6.5, 4.9, 5.2),
        (-14.1, 1.4, -11.4, -7.1, 5.5, 6.2),
        (-14.8, 1.6, -13.0, -8.0, 7.4, 8.5),
        (-15.6, 2.4, -14.3, -9.0, 10.9, 11.6),
        (-16.9, 3.8, -16.0, -10.0, 15.2, 15.4),
        (-19.5, 5.3, -18.7, -10.6, 18.6, 18.6),
        (-23.5, 6.4, -23.0, -11.0, 20.6, 20.6),
        (-30.5, 7.6, -30.5, -11.0, 21.4, 21.4),
        (-44.0, 8.0, -44.0, -11.0, 21.0, 21.0),
    ]
)
#: How far each ring still follows the curved outline of the face instead of its own plane.
_FOLLOWS_OVAL = (0.86, 0.68, 0.45, 0.22, 0.08)
COLUMNS = len(template.FACE_OVAL)


@dataclass(frozen=True)
class HeadMesh:
    """The control mesh and its subdivided surface.

    Attributes:
        control: (n, 3) float64 cm rest positions of the control mesh; the first 468 are FaceMesh's vertices.
        rest: (N, 3) float64 cm rest positions of the fine mesh; the first n belong to the control vertices.
        refine: (N, n) sparse matrix from control to fine positions.
        triangles: (M, 3) int64 of the fine mesh.
        classes: (M,) uint8 class of each fine triangle, before brows, nose and hair are told apart on the skin.
        face_patch: (M,) bool, the triangle belongs to FaceMesh's patch.
        rings: (R, 36, 3) float64 the loft: row 0 is the face oval, later rows go over skull and neck to the torso;
            column 0 is the median of the crown, columns run over the subject's left.
    """

    control: np.ndarray
    rest: np.ndarray
    refine: sparse.csr_matrix
    triangles: np.ndarray
    classes: np.ndarray
    face_patch: np.ndarray
    rings: np.ndarray


def _rings(oval: np.ndarray) -> np.ndarray:
    """Loft the face oval (36, 3) over skull, neck and torso: (R, 36, 3)."""
    angle = 2 * np.pi * np.arange(COLUMNS) / COLUMNS
    height = (1 + np.cos(angle)) / 2
    rings = []
    for throat_y, throat_z, crown_y, crown_z, low, high in _RINGS:
        width = low + (high - low) * np.clip(height * 1.6 - 0.3, 0, 1)
        y = throat_y + (crown_y - throat_y) * height
        z = throat_z + (crown_z - throat_z) * height
        rings.append(np.stack([width * np.sign(np.sin(angle)) * np.abs(np.sin(angle)) ** 0.85, y, z], axis=1))
    loft = np.stack([oval, *rings])
    flat = np.stack([oval[:, 0], -9.0 + 15.6 * height, 7.8 + 1.9 * height], axis=1)
    for k, fraction in enumerate(_FOLLOWS_OVAL, start=1):
        loft[k, :, 2] += fraction * (oval[:, 2] - flat[:, 2])
        loft[k, :, 1] += fraction * 0.6 * (oval[:, 1] - flat[:, 1])
    for _ in range(8):
        around = (np.roll(loft, 1, axis=1) + np.roll(loft, -1, axis=1)) / 2
        loft[1:-1] = 0.5 * loft[1:-1] + 0.25 * around[1:-1] + 0.125 * (loft[:-2] + loft[2:])
    return loft


def loft_position(rings: np.ndarray, row: np.ndarray, column: np.ndarray) -> np.ndarray:
    """Points (..., 3) of the loft at fractional rows (along) and columns (around), smooth in both.

    Args:
        rings: (R, 36, 3) the loft.
        row: (...) float in 0..R-1.
        column: (...) float, any; 36 is once around.
    """
    closed = np.concatenate([rings, rings[:, :1]], axis=1)
    around = CubicSpline(np.arange(COLUMNS + 1), closed, axis=1, bc_type="periodic")
    row, column = np.broadcast_arrays(row, column)
    low = np.clip(np.floor(row).astype(int), 0, len(rings) - 2)
    fraction = (row - low)[..., None]
    points = around(column.ravel() % COLUMNS)[:, np.arange(column.size)].reshape(len(rings), *column.shape, 3)
    index = np.indices(row.shape)
    return (1 - fraction) * points[(low, *index)] + fraction * points[(low + 1, *index)]


def _loop(ring: tuple[int, ...], inner: np.ndarray, first: int) -> np.ndarray:
    """Triangles between a boundary loop (k vertex ids) and rings of k new vertices, numbered from first."""
    count = len(ring)
    ids = np.concatenate([np.array(ring), first + np.arange(inner.shape[0] * count)])
    return ids[grid_triangles(inner.shape[0] + 1, count, closed=True)][:, ::-1]


def _eyelid_rims(face: np.ndarray) -> list[tuple[tuple[int, ...], np.ndarray]]:
    """The thickness of the lids: per eye its loop and two rings (2, 16, 3) inside it."""
    rims = []
    for side in ("right", "left"):
        upper, lower = template.UPPER_LID[side], template.LOWER_LID[side]
        loop = upper + lower[-2:0:-1]
        points = face[list(loop)]
        centre = points.mean(axis=0)
        edge = points + (centre - points) * (0.03, 0.06, 0.0) - (0.0, 0.0, 0.16)
        root = points + (centre - points) * (0.0, -0.2, 0.0) - (0.0, 0.0, 0.95)
        rim = np.stack([edge, root])
        rims.append((loop if side == "left" else loop[::-1], rim if side == "left" else rim[:, ::-1]))
    return rims


def _mouth_bag(face: np.ndarray) -> tuple[tuple[int, ...], np.ndarray]:
    """The inside of the lips and the cavity: the lips' opening and four rings (4, 20, 3) behind it."""
    loop = (template.UPPER_LIP[3] + template.LOWER_LIP[3][-2:0:-1])[::-1]
    points = face[list(loop)]
    centre = points.mean(axis=0)
    away = points - centre
    lower = np.isin(loop, template.LOWER_LIP[3][1:-1])[:, None]
    behind = np.where(lower, -1.0, 1.0) * (0.0, 1.0, 0.0)
    rings = [
        points - (0, 0, 0.35) + away * (-0.02, 0.0, 0.0) + behind * 0.06,
        centre + away * (0.95, 1.0, 1.0) - (0, 0, 1.3) + behind * 0.5,
        centre + away * (0.6, 1.0, 1.0) - (0, 0, 4.0) + behind * 0.6,
        centre + away * 0.02 - (0, 0, 4.6),
    ]
    return loop, np.stack(rings)


def _blend_oval(control: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Smooth the seam of face and loft: the outline runs into the skull without a crease."""
    edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    graph = sparse.csr_matrix((np.ones(len(edges)), edges.T), (len(control), len(control)))
    graph = ((graph + graph.T) > 0).astype(float)
    mean = sparse.diags(1 / np.asarray(graph.sum(axis=1)).ravel()) @ graph
    twin = cKDTree(control).query(control * (-1, 1, 1))[1]
    oval = np.zeros(len(control))
    oval[list(template.FACE_OVAL)] = 1.0
    strength = np.clip(oval + 0.7 * (mean @ oval > 0) + 0.3 * (mean @ (mean @ oval) > 0), 0, 1) * 0.45
    strength[: template.FACE_VERTICES] *= 0.7
    for _ in range(5):
        control = control + strength[:, None] * (mean @ control - control)
    # The grid's diagonals pull to one side; the mean head is symmetric.
    return (control + control[twin] * (-1, 1, 1)) / 2


def _coarse_classes(triangles: np.ndarray, control: np.ndarray, bag: slice) -> np.ndarray:
    """Class (m,) uint8 of each control triangle by the vertex sets it belongs to."""
    classes = np.full(len(triangles), FaceClass.SKIN, dtype=np.uint8)
    upper = np.isin(triangles, np.array(template.UPPER_LIP)).all(axis=1)
    lower = np.isin(triangles, np.array(template.LOWER_LIP)).all(axis=1)
    classes[lower] = FaceClass.BOTTOM_LIP
    classes[upper] = FaceClass.TOP_LIP
    loft = (triangles >= template.FACE_VERTICES).any(axis=1)
    classes[loft & (control[triangles, 1].mean(axis=1) < -3.6)] = FaceClass.NECK
    classes[bag] = FaceClass.MOUTH_INTERIOR
    bag_index = np.arange(len(triangles))[bag]
    opening = np.array(template.UPPER_LIP[3])
    first_ring = np.isin(triangles[bag_index], np.concatenate([opening, template.LOWER_LIP[3]])).any(axis=1)
    top = np.isin(triangles[bag_index], opening[1:-1]).any(axis=1)
    classes[bag_index[first_ring]] = FaceClass.BOTTOM_LIP
    classes[bag_index[first_ring & top]] = FaceClass.TOP_LIP
    return classes


@lru_cache(maxsize=1)
def head_mesh() -> HeadMesh:
    """The mean head, built once a process."""
    face = template.face_vertices()[: template.FACE_VERTICES]
    rings = _rings(face[list(template.FACE_OVAL)])
    vertices, triangles = [face], [template.face_triangles()]
    count = len(face)
    lofted = rings[1:]
    triangles.append(_loop(template.FACE_OVAL, lofted, count))
    vertices.append(lofted.reshape(-1, 3))
    count += lofted.shape[0] * COLUMNS
    for loop, rim in _eyelid_rims(face):
        triangles.append(_loop(loop, rim, count))
        vertices.append(rim.reshape(-1, 3))
        count += rim.shape[0] * rim.shape[1]
    loop, bag = _mouth_bag(face)
    triangles.append(_loop(loop, bag, count))
    vertices.append(bag.reshape(-1, 3))

    control, coarse = np.concatenate(vertices), np.concatenate(triangles)
    classes = _coarse_classes(coarse, control, slice(len(coarse) - len(triangles[-1]), len(coarse)))
    control = _blend_oval(control, coarse)
    step = loop_subdivision(coarse, len(control))
    parents = step.parents()
    patch = parents < len(triangles[0])
    return HeadMesh(control, step.matrix @ control, step.matrix, step.triangles, classes[parents], patch, rings)
