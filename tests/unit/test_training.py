"""Training: the same bytes from the same seed, a course that can be read, and a stop when it goes wrong."""

import time

import numpy as np
import pytest
import torch

from tfake.sources.pairs import Pair
from tfake.thermalizer import training
from tfake.thermalizer.prior_table import load_prior
from tfake.thermalizer.sampling import PairSampler
from tfake.thermalizer.settings import TrainingSettings
from tfake.thermalizer.training import LOSS_COLUMNS, train
from tfake.thermalizer.weights import save_weights

TINY = {
    "steps": 3,
    "batch_pairs": 2,
    "batch_sources": 2,
    "image_pixels": 64,
    "patches": 32,
    "patch_scales": [1, 2],
    "encoder": "resnet18",
    "decoder_channels": [16, 8, 8],
}
CPU = torch.device("cpu")


pytestmark = pytest.mark.usefixtures("one_thread")


TARGETS = load_prior("tfake2025", "warm", 26.0)


def samples(count, pixels=96):
    """A bright disc of skin on dark clothing, before a background."""
    y, x = np.mgrid[:pixels, :pixels]
    for seed in range(count):
        rng = np.random.default_rng(seed)
        classes = np.zeros((pixels, pixels), np.uint8)
        classes[x + y > pixels * 0.4] = 15
        centre = rng.uniform(0.45, 0.55, 2) * pixels
        classes[(x - centre[0]) ** 2 + (y - centre[1]) ** 2 < (0.3 * pixels) ** 2] = 1
        shade = np.array([128, 60, 220])[np.searchsorted([0, 15, 1], classes, sorter=[0, 2, 1])]
        rgb = np.clip(shade[..., None] + rng.normal(0, 10, (pixels, pixels, 3)), 0, 255).astype(np.uint8)
        yield rgb, classes


def sources():
    return list(samples(4))


def pairs(celsius=True):
    for number, (rgb, classes) in enumerate(samples(3)):
        thermal = TARGETS[classes.astype(int)]
        yield Pair(f"{number}", rgb, thermal if celsius else 3 * thermal + 20, classes)


def run(values="celsius", **changes):
    settings = TrainingSettings.from_mapping(TINY | changes)
    return train(settings, list(pairs(values == "celsius")), values, sources(), TARGETS, CPU)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_one_seed_gives_one_file(tmp_path, precision):
    digests = [
        save_weights(tmp_path / f"{n}.pt", run(precision=precision, seed=seed).network, "warm")
        for n, seed in enumerate((1, 1, 2))
    ]
    assert digests[0] == digests[1]
    assert digests[0] != digests[2]


def test_the_globals_are_put_back():
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    run()
    assert torch.equal(torch.rand(2), expected)
    assert not torch.are_deterministic_algorithms_enabled()
    assert torch.utils.deterministic.fill_uninitialized_memory
    assert torch.is_grad_enabled()


@pytest.mark.parametrize("values", ["celsius", "relative"])
def test_every_step_is_recorded(values):
    losses = run(values).losses
    assert tuple(losses.columns) == LOSS_COLUMNS
    assert losses["step"].tolist() == [0, 1, 2]
    assert np.isfinite(losses.to_numpy()).all()
    total = losses["supervised"] + 0.1 * losses["wasserstein"] + 0.3 * losses["prior"]
    np.testing.assert_allclose(losses["total"], total, rtol=1e-5)
    assert (losses[["supervised", "wasserstein", "prior", "gradient_norm"]] > 0).all(axis=None)


def test_a_tiny_run_is_short():
    start = time.process_time()
    run()
    assert time.process_time() - start < 5


def test_a_short_run_learns():
    trained = run(steps=40, learning_rate=5e-3)
    first, last = trained.losses.head(5).mean(), trained.losses.tail(5).mean()
    assert last["supervised"] < 0.5 * first["supervised"]
    assert last["prior"] < 0.5 * first["prior"]
    assert not trained.network.training


def test_terms_of_weight_zero_are_left_out():
    losses = run(weight_wasserstein=0, weight_prior=0).losses
    assert (losses[["wasserstein", "prior"]] == 0).all(axis=None)
    np.testing.assert_array_equal(losses["total"], losses["supervised"])


@pytest.mark.parametrize("term", ["weight_wasserstein", "weight_prior"])
def test_every_term_reaches_the_network(term):
    """Defect 1 of the released code: its Wasserstein term changed no weight."""
    states = [run(**{term: weight}).network.state_dict() for weight in (0, 5.0)]
    assert any(not torch.equal(states[0][name], states[1][name]) for name in states[0] if name.endswith("weight"))


@pytest.mark.parametrize(("scale", "offset"), [(2.0, 0.0), (1.0, 64.0)])
def test_scale_and_offset_of_relative_pairs_change_no_loss(monkeypatch, scale, offset):
    plain = run("relative").losses
    original = PairSampler.__init__

    def rescaled(self, pairs, *arguments):
        changed = [Pair(p.name, p.rgb, scale * p.thermal + offset, p.classes) for p in pairs]
        original(self, changed, *arguments)

    monkeypatch.setattr(PairSampler, "__init__", rescaled)
    changed = run("relative").losses
    np.testing.assert_allclose(changed.iloc[0], plain.iloc[0], rtol=1e-3)


def test_a_loss_that_is_not_finite_stops_the_run(monkeypatch):
    def broken(network, *arguments):
        return torch.optim.SGD(network, lr=float("inf"))

    monkeypatch.setattr(training.torch.optim, "AdamW", lambda groups, rate, **more: broken(groups))
    with pytest.raises(FloatingPointError, match=r"not finite at step 1.*learning_rate"):
        run(learning_rate=1e30)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"stepps": 3}, "stepps"),
        ({"steps": 0}, "steps"),
        ({"image_pixels": 60}, "image_pixels.*multiple of 8"),
        ({"output_celsius": [45, 10]}, "output_celsius"),
        ({"precision": "half"}, "precision"),
        ({"patch_scales": []}, "patch_scales"),
        ({"weight_prior": -1}, "weight_prior"),
    ],
)
def test_settings_that_cannot_train_are_named(changes, message):
    with pytest.raises(ValueError, match=message):
        TrainingSettings.from_mapping(TINY | changes)
