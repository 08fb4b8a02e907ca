"""The guided filter in closed form, against OpenCV's own, and on windows that stand on coarser cells."""

import cv2
import numpy as np
import pytest

from tfake.imaging.guided_filter import filter_guided


@pytest.fixture
def guide() -> np.ndarray:
    noise = np.random.default_rng(0).random((96, 120), np.float32)
    return cv2.GaussianBlur(noise, (0, 0), 2.0) * 3.0 - 1.0


@pytest.fixture
def mask() -> np.ndarray:
    mask = np.zeros((96, 120), np.float32)
    cv2.circle(mask, (70, 30), 17, 1.0, -1)
    return mask


@pytest.mark.parametrize("step", [1, 2])
def test_a_linear_function_of_the_guide_comes_back(guide, step):
    (filtered,) = filter_guided(guide, [2.0 * guide + 1.0], 5, 1e-9, step)
    assert np.allclose(filtered, 2.0 * guide + 1.0, atol=1e-3)


def test_a_flat_guide_makes_it_a_double_mean(mask):
    (filtered,) = filter_guided(np.full_like(mask, 0.3), [mask], 4, 1e-2)
    twice = cv2.blur(cv2.blur(mask, (9, 9), borderType=cv2.BORDER_REFLECT), (9, 9), borderType=cv2.BORDER_REFLECT)
    assert np.allclose(filtered, twice, atol=1e-5)


def test_it_is_opencvs_filter(guide, mask):
    (filtered,) = filter_guided(guide, [mask], 6, 4e-3)
    assert np.allclose(filtered, cv2.ximgproc.guidedFilter(guide, mask, 6, 4e-3), atol=1e-4)


@pytest.mark.parametrize("radius", [5, 6])
def test_coarser_windows_are_near_to_fine_ones(guide, mask, radius):
    fine, coarse = (filter_guided(guide, [mask, 1.0 - mask], radius, 4e-3, step) for step in (1, 2))
    for one, other in zip(fine, coarse, strict=True):
        assert np.abs(one - other).mean() < 0.01
        assert np.abs(one - other).max() < 0.1
    assert np.allclose(sum(coarse), 1.0, atol=1e-3)


def test_what_is_empty_stays_empty_and_odd_sizes_work(guide, mask):
    assert not filter_guided(guide, [np.zeros_like(mask)], 5, 1e-2, 2)[0].any()
    odd = filter_guided(guide[:-1], [mask[:-1]], 5, 1e-2, 2)[0]
    assert np.allclose(odd, filter_guided(guide[:-1], [mask[:-1]], 5, 1e-2)[0])
