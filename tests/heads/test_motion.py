"""Curves in time against their closed forms."""

import numpy as np
import pytest

from heads import motion


def test_minimum_jerk_starts_and_ends_at_rest_and_is_steepest_halfway():
    times = np.linspace(0.0, 3.0, 3001)
    rise = motion.minimum_jerk(times, 1.0, 2.0)
    assert (rise[times <= 1.0] == 0.0).all()
    assert (rise[times >= 2.0] == 1.0).all()
    speed, acceleration = np.gradient(rise, times), np.gradient(np.gradient(rise, times), times)
    # The peak of the speed is 15/8 of its mean, that of the acceleration 10 / sqrt(3) of distance over time squared.
    assert speed.max() == pytest.approx(15 / 8, rel=1e-5)
    assert times[speed.argmax()] == pytest.approx(1.5, abs=1e-3)
    assert acceleration.max() == pytest.approx(10 / np.sqrt(3), rel=1e-3)
    np.testing.assert_allclose(rise + motion.minimum_jerk(3.0 - times, 1.0, 2.0), 1.0, atol=1e-12)
    with pytest.raises(ValueError, match="ends after it starts"):
        motion.minimum_jerk(times, 1.0, 1.0)


def test_smooth_noise_has_the_covariance_that_it_says():
    step, constant, count = 0.2, 0.5, 12
    rng = np.random.default_rng(0)
    paths = np.array([motion.smooth_noise(rng, np.arange(count) * step, constant) for _ in range(4000)])
    lag = np.arange(count) * step / constant
    expected = (1 + lag) * np.exp(-lag)
    found = (paths[:, :1] * paths).mean(axis=0)
    # Standard error of a product's mean over 4,000 paths: at most sqrt(2 / 4000).
    np.testing.assert_allclose(found, expected, atol=5 * np.sqrt(2 / 4000))
    np.testing.assert_allclose(paths.var(axis=0), 1.0, atol=0.1)


def test_smooth_noise_is_the_same_path_at_any_rate_in_distribution():
    rng = np.random.default_rng(1)
    fine = np.array([motion.smooth_noise(rng, np.linspace(0, 1, 11), 0.5)[[0, 5, 10]] for _ in range(1500)])
    coarse = np.array([motion.smooth_noise(rng, np.array([0.0, 0.5, 1.0]), 0.5) for _ in range(1500)])
    np.testing.assert_allclose(np.cov(fine.T), np.cov(coarse.T), atol=0.15)


def test_smooth_noise_refuses_times_that_do_not_rise():
    with pytest.raises(ValueError, match="rise"):
        motion.smooth_noise(np.random.default_rng(0), np.array([0.0, 0.0]), 1.0)


def test_blinks_come_as_often_as_asked_and_close_wholly():
    begins = motion.blink_times(np.random.default_rng(2), 6000.0, 17.0)
    assert len(begins) == pytest.approx(1700, rel=0.08)
    assert np.diff(begins).min() >= 1 / 3
    assert len(motion.blink_times(np.random.default_rng(2), 60.0, 0.0)) == 0
    times = np.arange(0.0, 1.0, 0.001)
    closure = motion.blink_closure(times, [0.3])
    assert closure.max() == pytest.approx(1.0, abs=1e-6)
    assert times[closure.argmax()] == pytest.approx(0.38, abs=2e-3)
    assert closure[times < 0.3].max() == closure[times > 0.561].max() == 0.0
    # The lids close faster than they open.
    assert np.gradient(closure).max() > -1.9 * np.gradient(closure).min()


def test_saccades_are_fast_and_fixations_still():
    times = np.arange(0.0, 60.0, 0.002)
    looked = motion.saccades(np.random.default_rng(3), times, (8.0, 4.0), 0.8)
    moving = np.abs(np.diff(looked, axis=0)).max(axis=1) > 1e-9
    assert 0.02 < moving.mean() < 0.12
    starts = np.flatnonzero(np.diff(moving.astype(int)) == 1)
    assert len(starts) == pytest.approx(60 / 0.85, rel=0.25)
    jump = np.abs(looked[starts + 60] - looked[starts]).max(axis=1)
    assert jump.max() > 5.0
    assert looked[:, 0].std() == pytest.approx(8.0, rel=0.3)


def test_a_nod_is_over_when_it_is_over():
    times = np.linspace(0, 3, 601)
    moved = motion.nod(times, 1.0, 2.0, 2.0)
    assert (moved[(times <= 1.0) | (times >= 2.0)] == 0.0).all()
    assert 0.5 < moved.max() <= 1.0
    assert np.count_nonzero(np.diff(np.sign(moved[(times > 1.01) & (times < 1.99)]))) >= 3


def test_speech_opens_at_the_rate_of_syllables_and_rests_between_phrases():
    times = np.arange(0.0, 40.0, 0.01)
    moved = motion.speech(np.random.default_rng(4), times)
    assert moved.min() >= 0.0
    assert moved.max() <= 1.0
    jaw = moved[:, 0] - moved[:, 0].mean()
    power = np.abs(np.fft.rfft(jaw)) ** 2
    rates = np.fft.rfftfreq(len(jaw), 0.01)
    band = rates > 1.5
    assert 3.0 < (power[band] * rates[band]).sum() / power[band].sum() < 7.0
    assert (moved.max(axis=1) == 0.0).mean() > 0.05
