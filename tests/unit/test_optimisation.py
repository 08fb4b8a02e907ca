"""Schedules against their definitions, averaging against its closed form."""

import pytest
import torch
from torch import nn

from tfake.thermalizer.thermalizer_settings import TrainingSettings
from tfake.training.optimisation import Optimisation

CPU = torch.device("cpu")


def start(**settings):
    torch.manual_seed(0)
    network = nn.Linear(2, 1)
    return network, Optimisation(network, TrainingSettings(steps=100, learning_rate=1.0, **settings), "float32", CPU)


def rates(schedule):
    network, optimisation = start(schedule=schedule)
    found = []
    for _ in range(100):
        found.append(optimisation.learning_rate)
        optimisation.backward(network.weight.sum() * 0)
        optimisation.step()
    return found


def test_schedules():
    assert set(rates("constant")) == {1.0}
    step = rates("step")
    assert step[39] == 1.0
    assert step[40] == pytest.approx(0.1)
    assert step[99] == pytest.approx(0.1)
    cosine = rates("cosine")
    assert (cosine[0], cosine[50]) == (1.0, pytest.approx(0.5))
    cycle = rates("onecycle")
    assert cycle[0] == pytest.approx(0.1)
    assert max(cycle) == pytest.approx(1.0, abs=0.01)
    assert cycle.index(max(cycle)) in (9, 10)
    assert cycle[99] < 0.01


def test_the_average_is_exponential():
    network, optimisation = start(schedule="constant", ema_decay=0.5, weight_decay=0.0)
    seen = []
    for _ in range(3):
        optimisation.backward(network.weight.square().sum())
        optimisation.step()
        seen.append(network.weight.detach().clone())
    # The first update copies.
    expected = 0.25 * seen[0] + 0.25 * seen[1] + 0.5 * seen[2]
    torch.testing.assert_close(optimisation.result.weight, expected)


def test_the_gradient_is_clipped_and_its_norm_told():
    network, optimisation = start(clip_norm=1.0)
    norm = optimisation.backward((network.weight * torch.tensor([30.0, 40.0])).sum())
    assert norm.item() == pytest.approx(50)
    assert network.weight.grad.norm().item() == pytest.approx(1, rel=1e-4)


def test_only_weights_decay():
    _, optimisation = start(weight_decay=0.3)
    groups = optimisation.optimiser.param_groups
    assert [(group["weight_decay"], group["params"][0].ndim) for group in groups] == [(0.3, 2), (0.0, 1)]
