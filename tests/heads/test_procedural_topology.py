from collections import Counter

import numpy as np
import pytest

from tfake.mesh.topology import cross, grid_triangles, loop_subdivision, vertex_normals

_OCTAHEDRON = np.array([[1, 0, 0], [0, 1, 0], [-1, 0, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1]], dtype=float)
_FACES = np.array([[0, 1, 4], [1, 2, 4], [2, 3, 4], [3, 0, 4], [1, 0, 5], [2, 1, 5], [3, 2, 5], [0, 3, 5]])


def test_subdivision_weights_sum_to_one_and_triangles_quadruple():
    step = loop_subdivision(_FACES, len(_OCTAHEDRON))
    np.testing.assert_allclose(np.asarray(step.matrix.sum(axis=1)).ravel(), 1)
    assert step.matrix.shape == (6 + 12, 6)
    assert len(step.triangles) == 4 * len(_FACES)
    np.testing.assert_array_equal(np.bincount(step.parents()), 4)


def test_loops_masks_on_the_octahedron():
    # Valence 4: beta = 3/32, so an old vertex moves to (1 - 4 * 3/32) p; an edge point is 3/8 of its ends plus 1/8 of
    # the two opposite vertices, which cancel here.
    fine = loop_subdivision(_FACES, 6).matrix @ _OCTAHEDRON
    np.testing.assert_allclose(fine[:6], (1 - 12 / 32) * _OCTAHEDRON)
    np.testing.assert_allclose(np.linalg.norm(fine[6:], axis=1), 3 / 8 * np.sqrt(2))


def test_a_flat_grid_stays_flat_and_keeps_its_straight_border():
    points = np.stack(np.meshgrid(np.arange(5.0), np.arange(4.0)), axis=-1).reshape(-1, 2)
    fine = loop_subdivision(grid_triangles(4, 5), 20).matrix @ np.column_stack([points, np.full(20, 2.0)])
    np.testing.assert_allclose(fine[:, 2], 2)
    assert fine[:, 0].min() < 0.13
    assert fine[:, 0].min() >= 0


def test_subdivision_keeps_orientation():
    triangles = loop_subdivision(_FACES, 6).triangles
    directed = Counter((t[k], t[(k + 1) % 3]) for t in triangles for k in range(3))
    assert set(directed.values()) == {1}
    assert all((b, a) in directed for a, b in directed)


def test_normals_of_a_sphere_point_outwards():
    normals = vertex_normals(_OCTAHEDRON, _FACES)
    np.testing.assert_allclose(normals, _OCTAHEDRON, atol=1e-12)


@pytest.mark.parametrize("closed", [False, True])
def test_grid_triangles_use_each_inner_edge_once_in_each_direction(closed):
    triangles = grid_triangles(4, 6, closed)
    assert len(triangles) == 2 * 3 * (6 if closed else 5)
    directed = Counter((t[k], t[(k + 1) % 3]) for t in triangles for k in range(3))
    assert set(directed.values()) == {1}


def test_cross_agrees_with_numpy():
    a, b = np.random.default_rng(0).normal(size=(2, 9, 3))
    np.testing.assert_allclose(cross(a, b), np.cross(a, b))
