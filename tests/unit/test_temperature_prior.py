"""The region prior against hand-computed values, and its table."""

import numpy as np
import pytest
import torch

from tfake.classes import FaceClass
from tfake.thermalizer.prior_table import load_prior
from tfake.thermalizer.temperature_prior import TemperaturePrior, region_means, temperature_prior

TARGETS = torch.full((19,), 30.0).index_fill(0, torch.tensor([FaceClass.SKIN]), 35.0)


def scene():
    """One image: 8 skin, 4 hair, 2 background, 2 ignored pixels."""
    classes = torch.tensor([[1, 1, 1, 1], [1, 1, 1, 1], [13, 13, 13, 13], [0, 0, 255, 255]], dtype=torch.uint8)[None]
    return torch.full((1, 1, 4, 4), 33.0, dtype=torch.float64), classes


def test_the_value_by_hand():
    celsius, classes = scene()
    assert temperature_prior(celsius, classes, TARGETS).item() == pytest.approx(8 / 12 * 2**2 + 4 / 12 * 3**2)


def test_only_the_mean_of_a_region_counts():
    celsius, classes = scene()
    varied = celsius.clone()
    varied[0, 0, 0] += torch.tensor([3.0, -3.0, 1.0, -1.0])
    assert temperature_prior(varied, classes, TARGETS).item() == pytest.approx(
        temperature_prior(celsius, classes, TARGETS).item()
    )


def test_background_and_ignored_pixels_take_no_part():
    celsius, classes = scene()
    celsius.requires_grad_()
    temperature_prior(celsius, classes, TARGETS).backward()
    assert celsius.grad[0, 0, 3].abs().max() == 0
    assert celsius.grad[0, 0, :3].abs().min() > 0
    moved = celsius.detach().clone()
    moved[0, 0, 3] = 500
    assert temperature_prior(moved, classes, TARGETS) == temperature_prior(celsius, classes, TARGETS)


def test_images_weigh_the_same():
    celsius, classes = scene()
    empty = torch.zeros_like(classes)
    both = temperature_prior(torch.cat((celsius, celsius)), torch.cat((classes, empty)), TARGETS)
    assert both.item() == pytest.approx(temperature_prior(celsius, classes, TARGETS).item() / 2)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_it_vanishes_at_the_targets(dtype):
    _, classes = scene()
    celsius = TARGETS.to(dtype)[classes.long().clamp(max=18)][:, None]
    assert temperature_prior(celsius, classes, TARGETS).item() == pytest.approx(0, abs=1e-9)


def test_gradients_agree_with_finite_differences():
    celsius, classes = scene()
    celsius = (celsius + torch.randn(celsius.shape, generator=torch.Generator().manual_seed(0))).requires_grad_()
    assert torch.autograd.gradcheck(lambda c: temperature_prior(c, classes, TARGETS), celsius)


def test_class_maps_that_were_mixed_are_refused():
    """Defect 3 of the released code: a bilinear resize of ids, which gives fractions."""
    celsius, classes = scene()
    mixed = torch.nn.functional.interpolate(classes[None].double(), (4, 4), mode="bilinear")[0]
    with pytest.raises(ValueError, match="integer class maps"):
        temperature_prior(celsius, mixed, TARGETS)
    with pytest.raises(ValueError, match="integer class maps"):
        temperature_prior(celsius, classes[:, :2], TARGETS)


def test_means_and_counts():
    celsius, classes = scene()
    means, counts = region_means(celsius, classes)
    assert counts[0, [0, 1, 13]].tolist() == [2, 8, 4]
    assert counts.sum() == 14
    assert means[0, [1, 13, 5]].tolist() == [33, 33, 0]


def test_the_shipped_table_holds_the_published_targets():
    warm, cold = load_prior("tfake2025", "warm", 26.0), load_prior("tfake2025", "cold", 18.0)
    assert warm.dtype == np.float32
    assert warm.shape == (19,)
    expected = {"SKIN": (35, 33), "NOSE": (35, 31.5), "LEFT_EYE": (35, 34), "RIGHT_BROW": (34, 31)}
    expected |= {"LEFT_EAR": (35, 32), "MOUTH_INTERIOR": (35, 35), "TOP_LIP": (35, 32.5), "BOTTOM_LIP": (35, 32.5)}
    expected |= {"NECK": (35, 34), "HAIR": (30, 30), "BEARD": (32, 31), "CLOTHING": (32, 30), "FACEWEAR": (28, 28)}
    expected |= {"HEADWEAR": (28, 28), "GLASSES": (26, 18), "BACKGROUND": (26, 18)}
    for name, temperatures in expected.items():
        assert (warm[FaceClass[name]], cold[FaceClass[name]]) == temperatures, name


def write_table(path, edit):
    from importlib import resources

    text = (resources.files("tfake.thermalizer") / "priors/tfake2025.csv").read_text()
    path.write_text(edit(text))
    return path


def test_a_table_of_ones_own(tmp_path):
    path = write_table(tmp_path / "mine.csv", lambda text: text.replace("HAIR,30,30", "HAIR,27.5,26"))
    assert load_prior(path, "warm", 20.0)[FaceClass.HAIR] == 27.5


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda text: text.replace("warm,", "hot,", 1), "expected the columns"),
        (lambda text: text.replace("\nHAIR,", "\nHAIRS,"), "HAIR"),
        (lambda text: text.replace("\nHAIR,", "\nSKIN,"), "19 classes"),
        (lambda text: text.replace("HAIR,30,", "HAIR,,"), "HAIR is no number"),
        (lambda text: text.replace("HAIR,30,30,false", "HAIR,30,30,maybe"), "follows_ambient"),
    ],
)
def test_a_faulty_table_is_named(tmp_path, edit, message):
    path = write_table(tmp_path / "faulty.csv", edit)
    with pytest.raises(ValueError, match=message) as caught:
        load_prior(path, "warm", 20.0)
    assert "faulty.csv" in str(caught.value)


def test_an_unknown_table_or_condition_is_named():
    with pytest.raises(FileNotFoundError, match=r"nowhere.*tfake2025"):
        load_prior("nowhere", "warm", 20.0)
    with pytest.raises(ValueError, match="hot"):
        load_prior("tfake2025", "hot", 20.0)


def test_the_module_keeps_its_targets():
    celsius, classes = scene()
    assert TemperaturePrior(TARGETS.numpy())(celsius, classes) == temperature_prior(celsius, classes, TARGETS)
