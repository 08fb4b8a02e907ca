"""The filter of points: exact on its own model, without lag, and as quiet as its gains say."""

import numpy as np
import pytest

from tfake.landmarks import kalman

STEP = 1 / 9


def run(measured, variance, noise, speed=1e3, steps=None):
    """The filtered and the smoothed positions of (T, P, 2) measurements."""
    steps = [STEP] * (len(measured) - 1) if steps is None else steps
    points = measured.shape[1]
    variances, noises = np.full(points, variance), np.full(points, noise)
    filtered = [kalman.begin(measured[0], variances, np.full(points, speed))]
    for positions, step in zip(measured[1:], steps, strict=True):
        filtered.append(kalman.update(kalman.predict(filtered[-1], step, noises), positions, variances))
    smoothed = kalman.smooth(filtered, steps, [noises] * len(steps))
    return (np.array([state.positions for state in states]) for states in (filtered, smoothed))


def ramp(seconds):
    velocity = np.array([[7.0, -3.0], [0.0, 0.0], [-40.0, 12.0]])
    return np.array([[50.0, 60.0], [1.0, 2.0], [200.0, 9.0]]) + np.asarray(seconds)[:, None, None] * velocity


def test_a_constant_velocity_is_followed_exactly_at_uneven_times():
    steps = np.random.default_rng(0).uniform(0.05, 0.6, 40)
    truth = ramp(np.concatenate(([0.0], np.cumsum(steps))))
    filtered, smoothed = run(truth, 1.0, 1.0, speed=1e6, steps=list(steps))
    np.testing.assert_allclose(filtered[2:], truth[2:], atol=1e-3)
    np.testing.assert_allclose(smoothed, truth, atol=1e-3)


def test_smoothing_has_no_lag_where_filtering_has_one():
    """A turn: the filter overshoots after it, the smoother errs alike on both sides."""
    seconds = np.arange(-30, 31) * STEP
    turn = np.abs(seconds)[:, None, None] * np.array([[[10.0, 0.0]]])
    filtered, smoothed = run(turn, 1.0, 1.0)
    error = smoothed[:, 0, 0] - turn[:, 0, 0]
    np.testing.assert_allclose(error[10:-10], error[::-1][10:-10], atol=0.05 * error.max())
    after, before = filtered[31:40, 0, 0] - turn[31:40, 0, 0], filtered[21:30, 0, 0] - turn[21:30, 0, 0]
    assert np.abs(after).max() > 5 * np.abs(before).max()


@pytest.mark.parametrize("noise", [0.3, 30.0])
def test_white_noise_is_reduced_by_the_known_factor(noise):
    """The variance that a steady alpha-beta filter leaves of white noise (Kalata, IEEE TAES 20(2), 1984)."""
    rng = np.random.default_rng(1)
    measured = rng.normal(0, 1, (3000, 20, 2))
    filtered, smoothed = run(measured, 1.0, noise)
    state = kalman.begin(np.zeros((1, 2)), np.ones(1), np.ones(1))
    for _ in range(2000):
        predicted = kalman.predict(state, STEP, np.array([noise]))
        state = kalman.update(predicted, np.zeros((1, 2)), np.ones(1))
    alpha, beta = predicted.covariance[0, :, 0] / (predicted.covariance[0, 0, 0] + 1) * (1, STEP)
    expected = (2 * alpha**2 + beta * (2 - 3 * alpha)) / (alpha * (4 - beta - 2 * alpha))
    assert filtered[200:].var() == pytest.approx(expected, rel=0.05)
    assert smoothed[200:-200].var() < 0.6 * expected


def test_the_variances_are_those_of_the_errors():
    """On its own model the error is what the filter says, and the smoother's is smaller."""
    rng, noise = np.random.default_rng(2), 4.0
    shape = (60, 4000, 2)
    growth = noise * np.array([[STEP**3 / 3, STEP**2 / 2], [STEP**2 / 2, STEP]])
    kicks = rng.normal(size=(*shape, 2)) @ np.linalg.cholesky(growth).T
    truth, velocity = np.zeros(shape), rng.normal(0, 5.0, shape[1:])
    for time in range(1, shape[0]):
        truth[time] = truth[time - 1] + STEP * velocity + kicks[time, ..., 0]
        velocity = velocity + kicks[time, ..., 1]
    measured = truth + rng.normal(0, 2.0, shape)
    points = shape[1]
    variances, noises = np.full(points, 4.0), np.full(points, noise)
    states = [kalman.begin(measured[0], variances, np.full(points, 5.0))]
    for positions in measured[1:]:
        states.append(kalman.update(kalman.predict(states[-1], STEP, noises), positions, variances))
    smoothed = kalman.smooth(states, [STEP] * 59, [noises] * 59)
    for time in (5, 30, 59):
        for found in (states[time], smoothed[time]):
            assert (found.positions - truth[time]).var() == pytest.approx(found.variances[0], rel=0.06)
    assert smoothed[30].variances[0] < 0.7 * states[30].variances[0]
