"""The likelihood against torch's own and its minimum; calibration against numbers drawn from what it assumes."""

import numpy as np
import pytest
import torch

from tfake.landmarks.landmark_network import (
    calibration_curve,
    calibration_error,
    choose_threshold,
    fit_temperature,
    gaussian_nll,
    separation,
    weighted_mean,
)


def drawn(batch=2, points=5):
    generator = torch.Generator().manual_seed(0)
    found = torch.rand(batch, points, 3, generator=generator, dtype=torch.float64) + 0.05
    return found, torch.rand(batch, points, 2, generator=generator, dtype=torch.float64)


def test_the_likelihood_is_torchs():
    found, points = drawn()
    ours = gaussian_nll(found, points)
    theirs = torch.nn.functional.gaussian_nll_loss(
        found[..., :2], points, found[..., 2:].square().expand(-1, -1, 2), reduction="none", eps=1e-12
    )
    torch.testing.assert_close(ours, theirs.mean(-1))


def test_its_gradient_is_right():
    found, points = drawn()
    assert torch.autograd.gradcheck(lambda value: gaussian_nll(value, points), found.requires_grad_())


def test_its_minimum_is_the_true_deviation():
    """e^2 = 2 s^2 over two coordinates: the best sigma is |e| / sqrt(2)."""
    points = torch.zeros(1, 1, 2)
    sigmas = torch.linspace(0.01, 0.3, 2000)
    found = torch.stack((torch.full_like(sigmas, 0.1), torch.zeros_like(sigmas), sigmas), 1)[:, None]
    best = sigmas[gaussian_nll(found, points.expand(2000, 1, 2)).argmin()]
    assert best.item() == pytest.approx(0.1 / np.sqrt(2), rel=0.01)


def test_beta_weighs_by_the_deviation_and_passes_no_gradient_through_the_weight():
    found, points = drawn()
    found.requires_grad_()
    plain = gaussian_nll(found, points)
    torch.testing.assert_close(gaussian_nll(found, points, 0.5), plain * found[..., 2])
    (slope,) = torch.autograd.grad(gaussian_nll(found, points, 1.0).sum(), found)
    # With beta 1 the mean's gradient is that of squared errors: (x - p) / 2.
    torch.testing.assert_close(slope[..., :2], (found[..., :2] - points) / 2)


def test_a_point_of_no_weight_does_not_count():
    values = torch.tensor([[1.0, 100.0]])
    assert weighted_mean(values, torch.tensor([[1.0, 0.0]])).item() == 1.0
    assert weighted_mean(values, torch.zeros(1, 2)).item() == 0.0


def test_the_temperature_is_found_back():
    rng = np.random.default_rng(0)
    true = rng.uniform(0.01, 0.1, 20000)
    distances = np.linalg.norm(rng.normal(0, true[:, None], (20000, 2)), axis=1)
    assert fit_temperature(distances, true) == pytest.approx(1.0, abs=0.02)
    assert fit_temperature(distances, true / 3) == pytest.approx(3.0, abs=0.06)
    assert calibration_error(distances, true) < 0.03
    assert calibration_error(distances, true / 2) == pytest.approx(1.0, abs=0.05)
    predicted, measured = calibration_curve(distances, true)
    assert (np.diff(predicted) > 0).all()
    np.testing.assert_allclose(measured, predicted, rtol=0.06)


def test_a_few_lost_points_stretch_nobody():
    rng = np.random.default_rng(0)
    distances = np.linalg.norm(rng.normal(0, 0.01, (1000, 2)), axis=1)
    distances[:3] = 5.0
    assert fit_temperature(distances, np.full(1000, 0.01)) < 1.1


def test_separation_is_the_share_of_pairs_in_order():
    faces, others = np.array([1.0, 2.0, 4.0]), np.array([3.0, 4.0])
    pairs = np.mean([(f < o) + 0.5 * (f == o) for f in faces for o in others])
    assert separation(faces, others) == pytest.approx(pairs)
    assert separation(others, others) == pytest.approx(0.5)


def test_the_threshold_is_just_above_the_faces():
    assert choose_threshold(np.array([0.1, 0.2]), np.array([0.5, 0.9])) == pytest.approx(0.22)
    assert choose_threshold(np.array([0.1, 0.2]), np.array([0.21, 0.9])) == pytest.approx(0.205)
    faces, others = np.linspace(0, 0.6, 61), np.linspace(0.4, 1, 61)
    assert 0.4 <= choose_threshold(faces, others) <= 0.66
    assert choose_threshold(np.array([0.9]), np.array([0.1, 0.2])) > 0
