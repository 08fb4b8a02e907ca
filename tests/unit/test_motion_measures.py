"""Jitter and lag of points: noise of a known size, points that come late by known frames, errors that are neither."""

import numpy as np
import pytest

from tfake.studies.motion_measures import MotionSums, sum_motion

SHAPE = np.random.default_rng(0).uniform(-20, 20, (70, 2))
SIZE = np.sqrt(np.prod(np.ptp(SHAPE, axis=0)))


def swaying(frames=200, late=0.0, period=40.0):
    """A face that sways by 10 pixels, sideways and, a quarter later, up and down."""
    phase = 2 * np.pi * (np.arange(frames) - late) / period
    return SHAPE + 10 * np.stack((np.sin(phase), np.cos(phase)), axis=1)[:, None]


def test_the_truth_has_no_error():
    sums = sum_motion(swaying(), swaying())
    assert (sums.frames, sums.triples) == (200, 198)
    assert (sums.nme, sums.mean_jitter, sums.lag_frames) == pytest.approx((0, 0, 0), abs=1e-12)


def test_an_error_that_stays_is_neither_jitter_nor_lag():
    offset = np.random.default_rng(1).normal(0, 2, (1, 70, 2))
    sums = sum_motion(swaying() + offset, swaying())
    assert sums.nme == pytest.approx(np.linalg.norm(offset[0], axis=1).mean() / SIZE)
    assert (sums.mean_jitter, sums.lag_frames) == pytest.approx((0, 0), abs=1e-9)


def test_noise_is_jitter_and_no_lag():
    """Noise of deviation s has a second difference of deviation sqrt(6) s; its norm's mean is sqrt(pi / 2) of that."""
    noise = np.random.default_rng(2).normal(0, 0.5, (200, 70, 2))
    sums = sum_motion(swaying() + noise, swaying())
    assert sums.mean_jitter == pytest.approx(np.sqrt(6 * np.pi / 2) * 0.5 / SIZE, rel=0.02)
    assert sums.lag_frames == pytest.approx(0, abs=0.02)


@pytest.mark.parametrize("late", [-1.0, 0.5, 1.0, 2.0])
def test_points_that_come_late_have_that_lag(late):
    found = swaying(late=late)
    assert sum_motion(found, swaying()).lag_frames == pytest.approx(late, rel=0.02)
    # Points that are also drawn to the middle come no later.
    shrunk = SHAPE + 0.7 * (found - SHAPE) + 3
    assert sum_motion(shrunk, swaying()).lag_frames == pytest.approx(0.7 * late, rel=0.02)


def test_frames_without_a_face_count_for_nothing():
    found = swaying(late=1.0)
    found[[20, 21, 90]] = np.nan
    sums = sum_motion(found, swaying())
    assert (sums.frames, sums.triples) == (197, 198 - 4 - 3)
    assert sums.lag_frames == pytest.approx(1.0, rel=0.02)
    nothing = sum_motion(np.full((5, 70, 2), np.nan), swaying(5))
    assert nothing == MotionSums()
    assert np.isnan((nothing.nme, nothing.mean_jitter, nothing.lag_frames)).all()


def test_a_face_that_stands_has_no_lag():
    still = np.repeat(SHAPE[None], 10, axis=0)
    assert np.isnan(sum_motion(still + 1, still).lag_frames)


def test_films_add_up_and_shapes_must_agree():
    one = sum_motion(swaying(50, late=1.0), swaying(50))
    assert (one + one).lag_frames == pytest.approx(one.lag_frames)
    with pytest.raises(ValueError, match="expected points of the truth's shape"):
        sum_motion(swaying(5), swaying(6))
