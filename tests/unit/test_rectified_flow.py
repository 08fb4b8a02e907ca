"""Rectified flow in closed form: paths, velocities, and what Euler's method makes of them."""

import pytest
import torch

from tfake.thermalizer.rectified_flow import LEAST_TIME, integrate, interpolate, velocity_error


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_a_path_is_straight_from_data_to_noise():
    data, noise = drawn(3, 1, 4, 4), drawn(3, 1, 4, 4, seed=1)
    noisy = interpolate(data, noise, torch.tensor([0.0, 0.25, 1.0]))
    assert torch.equal(noisy[0], data[0])
    assert torch.equal(noisy[2], noise[2])
    torch.testing.assert_close(noisy[1], 0.75 * data[1] + 0.25 * noise[1])


def test_an_error_of_the_data_is_one_of_the_velocity():
    """Of the velocity (x_t - d) / t that an estimate d gives, and the true x_1 - x_0."""
    data, noise, estimate = drawn(2, 1, 4, 4), drawn(2, 1, 4, 4, seed=1), drawn(2, 1, 4, 4, seed=2)
    times = torch.tensor([0.4, 1.0])
    noisy = interpolate(data, noise, times)
    given = (noisy - estimate) / times[:, None, None, None]
    error = velocity_error(estimate, data, times)
    torch.testing.assert_close(error, given - (noise - data), atol=1e-5, rtol=0)
    early = velocity_error(estimate, data, torch.tensor([0.0, LEAST_TIME / 2]))
    torch.testing.assert_close(early, (data - estimate) / LEAST_TIME)


@pytest.mark.parametrize("steps", [1, 3, 8])
def test_the_true_data_of_a_path_is_reached_along_it(steps):
    data, noise = drawn(2, 1, 5, 5), drawn(2, 1, 5, 5, seed=1)
    seen = []

    def estimate_at(points, times):
        seen.append(times[0].item())
        torch.testing.assert_close(points, interpolate(data, noise, times), atol=1e-5, rtol=0)
        return data

    torch.testing.assert_close(integrate(estimate_at, noise, steps), data, atol=1e-5, rtol=0)
    torch.testing.assert_close(torch.tensor(seen), torch.linspace(1, 1 / steps, steps))


@pytest.mark.parametrize("steps", [1, 4])
def test_a_constant_target_is_reached_from_any_noise(steps):
    noise = drawn(2, 1, 5, 5)
    found = integrate(lambda points, times: torch.full_like(points, 3.5), noise, steps)
    torch.testing.assert_close(found, torch.full_like(noise, 3.5), atol=1e-5, rtol=0)


def test_noise_becomes_data_of_the_spread_that_the_true_means_have():
    """Independent N(2, 0.5^2) data: its mean at x_t is known, and the flow ends with that distribution."""
    mean, sd = 2.0, 0.5

    def estimate_at(points, times):
        time = times[:, None, None, None]
        variance = (1 - time) ** 2 * sd**2 + time**2
        return mean + (1 - time) * sd**2 / variance * (points - (1 - time) * mean)

    found = integrate(estimate_at, drawn(1, 1, 100, 200), 64)
    assert found.mean().item() == pytest.approx(mean, abs=0.01)
    # Euler's steps end a little too narrow.
    assert found.std().item() == pytest.approx(sd, abs=0.05)
    coarse = integrate(estimate_at, drawn(1, 1, 100, 200), 4)
    assert coarse.std() < found.std() < sd
