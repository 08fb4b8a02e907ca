import numpy as np
import pytest

from tfake.mesh.raster import rasterise, rasterise_depth, signed_areas


def brute_force(screen, triangles, shape):
    """Nearest triangle of every pixel centre by testing all of them."""
    rows, columns = np.indices(shape)
    depth, seen = np.zeros(shape), np.full(shape, -1)
    for index, (a, b, c) in enumerate(screen[triangles]):
        area = (b[0] - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (b[1] - a[1])
        if abs(area) < 1e-9:
            continue
        v = ((columns - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (rows - a[1])) / area
        w = ((b[0] - a[0]) * (rows - a[1]) - (columns - a[0]) * (b[1] - a[1])) / area
        u = 1 - v - w
        here = u * a[2] + v * b[2] + w * c[2]
        nearer = (u >= 0) & (v >= 0) & (w >= 0) & (here > depth)
        depth[nearer], seen[nearer] = here[nearer], index
    return seen, depth


@pytest.fixture
def soup():
    """Random triangles that overlap, reach over the border and lie at different depths."""
    rng = np.random.default_rng(3)
    screen = np.column_stack([rng.uniform(-12, 52, (120, 2)), rng.uniform(0.01, 0.05, 120)])
    return screen, np.arange(120).reshape(40, 3)


def test_every_pixel_sees_its_nearest_triangle(soup):
    screen, triangles = soup
    fragments = rasterise(screen, triangles, (36, 40), two_sided=True)
    seen, depth = brute_force(screen, triangles, (36, 40))
    found = np.full(36 * 40, -1)
    found[fragments.pixels] = fragments.triangle
    np.testing.assert_array_equal(found.reshape(36, 40), seen)
    np.testing.assert_allclose(fragments.depth, depth, rtol=1e-4)
    np.testing.assert_array_equal(rasterise_depth(screen, triangles, (36, 40)), fragments.depth)


def test_one_sided_triangles_show_only_their_outside(soup):
    screen, triangles = soup
    outside = signed_areas(screen, triangles) > 0
    shown = rasterise(screen, triangles, (36, 40), two_sided=False)
    assert outside[shown.triangle].all()
    np.testing.assert_array_equal(shown.pixels, rasterise(screen, triangles[outside], (36, 40), two_sided=True).pixels)


def test_triangles_with_a_common_edge_leave_no_gap_between_them():
    corners = np.array([[2.2, 3.1, 1], [29.7, 4.4, 1], [27.3, 30.9, 1], [4.9, 28.2, 1], [14.3, 17.7, 1]])
    around = np.array([[0, 4, 1], [1, 4, 2], [2, 4, 3], [3, 4, 0]])
    apart = rasterise(corners, around, (34, 34), two_sided=True)
    whole = rasterise(corners, np.array([[0, 1, 2], [0, 2, 3]]), (34, 34), two_sided=True)
    np.testing.assert_array_equal(apart.pixels, whole.pixels)


def test_interpolation_is_perspective_correct():
    # A floor that recedes: world depth is linear in space, not on screen.
    world = np.array([[-4.0, -2, -5], [4, -2, -5], [4, -2, -40], [-4, -2, -40]])
    inverse = -1 / world[:, 2]
    screen = np.column_stack([32 + 40 * world[:, 0] * inverse, 20 - 40 * world[:, 1] * inverse, inverse])
    triangles = np.array([[0, 1, 2], [0, 2, 3]])
    fragments = rasterise(screen, triangles, (48, 64), two_sided=True)
    z = fragments.interpolate(world, triangles)[:, 2]
    row = fragments.pixels // 64
    np.testing.assert_allclose(z, -40 * 2 / (row - 20), rtol=1e-3)
    np.testing.assert_allclose(fragments.weights.sum(axis=1), 1, atol=1e-5)


def test_nothing_on_screen_is_no_error():
    fragments = rasterise(np.array([[90.0, 90, 1], [99, 90, 1], [90, 99, 1]]), np.array([[0, 1, 2]]), (16, 16), True)
    assert len(fragments.pixels) == 0
    assert not fragments.depth.any()
