"""The camera: noise of the stated size, its own pattern, and a blur that keeps the mean."""

import numpy as np
import pytest

from heads.truth_camera import COLUMN_KELVIN, PIXEL_KELVIN, ROW_KELVIN, record
from tfake.core.sensor import blur, fixed_pattern
from tfake.heat.subject import Stream

FLAT = np.full((256, 256), 30.0, np.float32)


def pattern_of(seed: int, shape=FLAT.shape) -> np.ndarray:
    rng = np.random.default_rng([seed, Stream.FIXED_PATTERN])
    return fixed_pattern(rng, shape, PIXEL_KELVIN, ROW_KELVIN, COLUMN_KELVIN)


def temporal(face: int, ambient: float = 20.0) -> np.ndarray:
    return record(FLAT, ambient, 7, face, pattern_scale=0.0) - FLAT


def test_temporal_noise_is_the_netd():
    assert temporal(1).std() == pytest.approx(0.05, rel=0.05)
    assert temporal(1).mean() == pytest.approx(0.0, abs=0.001)
    assert (record(FLAT, 20.0, 7, 1, netd_kelvin=0.2, pattern_scale=0.0) - FLAT).std() == pytest.approx(0.2, rel=0.05)


def test_temporal_noise_differs_between_recordings():
    for other in (temporal(2), temporal(1, ambient=26.0)):
        assert abs(np.corrcoef(temporal(1).ravel(), other.ravel())[0, 1]) < 0.02
    assert np.array_equal(temporal(1), temporal(1))


def test_fixed_pattern_is_the_cameras():
    first, second = (record(FLAT, 20.0, 7, face, netd_kelvin=0.0) for face in (1, 2))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, record(FLAT, 20.0, 8, 1, netd_kelvin=0.0))
    assert np.allclose(first - FLAT, pattern_of(7), atol=1e-5)


def test_fixed_pattern_has_rows_columns_and_pixels():
    pattern = pattern_of(7, (512, 512))
    assert pattern.mean() == pytest.approx(0.0, abs=1e-5)
    assert pattern.mean(axis=1).std() == pytest.approx(ROW_KELVIN, rel=0.15)
    assert pattern.mean(axis=0).std() == pytest.approx(COLUMN_KELVIN, rel=0.15)
    residue = pattern - pattern.mean(axis=0) - pattern.mean(axis=1, keepdims=True)
    assert residue.std() == pytest.approx(PIXEL_KELVIN, rel=0.02)


@pytest.mark.parametrize("sigma", [0.5, 1.0, 3.0])
def test_blur_keeps_the_mean(sigma):
    scene = np.random.default_rng(0).uniform(20.0, 36.0, (64, 80)).astype(np.float32)
    scene[:, :3] = 40.0
    assert blur(scene, sigma).mean(dtype=np.float64) == pytest.approx(scene.mean(dtype=np.float64), abs=1e-3)


def test_blur_of_a_point_is_gaussian():
    point = np.zeros((65, 65), np.float32)
    point[32, 32] = 1.0
    spread = blur(point, 2.0)
    x = np.arange(65) - 32
    assert np.sqrt((spread.sum(axis=0) * x**2).sum()) == pytest.approx(2.0, rel=0.02)


def test_blur_covers_the_same_part_of_the_face_at_any_size():
    step = np.repeat(np.float32([20.0, 34.0]), 64)[None].repeat(128, 0)
    coarse = record(step, 20.0, 1, 1, blur_pixels=4.0, netd_kelvin=0.0, pattern_scale=0.0)
    assert coarse[0, 64] == pytest.approx(blur(step, 1.0)[0, 64], abs=1e-5)


def test_record_leaves_its_input():
    scene = FLAT.copy()
    record(scene, 20.0, 1, 1, blur_pixels=0.0)
    assert np.array_equal(scene, FLAT)
