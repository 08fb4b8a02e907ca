"""The region prior against hand-computed values, and its table."""

import math

import pytest
import torch

from tfake.core.classes import FaceClass
from tfake.products.report.temperatures import prior_pull
from tfake.thermalizer.objective import StepOutput
from tfake.thermalizer.pair_sampling import SourceBatch, StepDraws
from tfake.thermalizer.supervised import celsius_mse
from tfake.thermalizer.temperature_prior import (
    DETAIL_CM,
    TemperaturePrior,
    field_prior,
    is_skin,
    region_means,
    temperature_prior,
)

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


@pytest.mark.parametrize("weight", [0.1, 0.3, 1.0])
def test_between_pairs_and_prior_a_class_settles_by_the_weight_whatever_its_area(weight):
    """What the report says of eyes that lie below their prior: few pixels, and yet no less of the way."""
    _, classes = scene()
    pairs = torch.where(classes[:, None] == FaceClass.SKIN, 32.1, 28.0).double()
    way = prior_pull(
        {
            "conditions": {"cold": {"pairs": {"values": "celsius", "supervision": "absolute"}}},
            "thermalizers": {},
            "thermalizer": {"weight_prior": weight},
        }
    )
    settled = pairs + way * (TARGETS.double()[classes.long().clamp(max=18)][:, None] - pairs)
    settled.requires_grad_()
    foreground = (classes > 0)[:, None] & (classes < 255)[:, None]
    loss = celsius_mse(settled, pairs, foreground) + weight * temperature_prior(settled, classes, TARGETS.double())
    loss.backward()
    assert settled.grad.abs().max() < 1e-12


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


def test_a_spread_of_two_kelvin_weighs_a_quarter():
    celsius, classes = scene()
    spreads = torch.ones(19).index_fill(0, torch.tensor([FaceClass.SKIN]), 2.0)
    expected = 8 / 12 * 2**2 / 4 + 4 / 12 * 3**2
    assert temperature_prior(celsius, classes, TARGETS, spreads).item() == pytest.approx(expected)
    sources = SourceBatch(None, classes, None, None, None, None, None)
    step = StepOutput(None, celsius, None, sources, StepDraws(TARGETS[None], None, None))
    assert TemperaturePrior(spreads, per_pixel=False)(step).item() == pytest.approx(expected)


def held_to_a_field(drift, pixels_per_cm=0.01, spread=0.5):
    """The scene, its skin at a field of 34 °C plus some drift; hair at 33 °C."""
    celsius, classes = scene()
    field = torch.full_like(celsius, 34.0)
    skin = is_skin(classes)
    celsius = torch.where(skin[:, None], field + drift, celsius)
    field[0, 0, 2:] = torch.nan
    return celsius, classes, field, torch.full_like(field, spread), torch.tensor([pixels_per_cm])


def test_skin_is_held_to_its_field_and_hair_to_its_class_by_hand():
    celsius, classes, field, spread, scale = held_to_a_field(1.0)
    sources = SourceBatch(None, classes, None, None, field, spread, scale)
    step = StepOutput(None, celsius, None, sources, StepDraws(TARGETS[None], None, None))
    assert TemperaturePrior(torch.ones(19))(step).item() == pytest.approx(8 / 12 * 1 / 0.25 + 4 / 12 * 3**2)
    means_alone = TemperaturePrior(torch.ones(19), per_pixel=False)(step).item()
    assert means_alone == pytest.approx(8 / 12 * 0 + 4 / 12 * 3**2)
    unknown = SourceBatch(None, classes, None, None, torch.full_like(field, torch.nan), spread, scale)
    step = StepOutput(None, celsius, None, unknown, StepDraws(TARGETS[None], None, None))
    assert TemperaturePrior(torch.ones(19))(step).item() == pytest.approx(means_alone)


def test_what_covers_skin_is_no_skin():
    classes = torch.arange(19, dtype=torch.uint8).reshape(1, 1, 19)
    found = [FaceClass(c).name for c in torch.flatten(is_skin(classes).nonzero()[:, 2]).tolist()]
    assert set(found).isdisjoint(("BACKGROUND", "HAIR", "BEARD", "CLOTHING", "GLASSES", "HEADWEAR", "FACEWEAR"))
    assert len(found) == 12
    assert not is_skin(torch.full((1, 1, 1), 255, dtype=torch.uint8)).any()


def test_fine_detail_is_free_and_drift_is_not():
    classes = torch.ones(1, 64, 64, dtype=torch.uint8)
    field, spread, held = torch.full((1, 1, 64, 64), 34.0), torch.ones(1, 1, 64, 64), classes > 0
    checks = ((torch.arange(64)[:, None] + torch.arange(64)) % 2).float() - 0.5
    scale = torch.tensor([2.0 / DETAIL_CM])

    def cost(drift, scale=scale):
        return field_prior(field + drift, classes, field, spread, scale, held).item()

    assert cost(0.3 * torch.ones(64, 64)) == pytest.approx(0.09, rel=1e-3)
    assert cost(checks) < 1e-4
    assert cost(checks, torch.tensor([0.01])) == pytest.approx(0.25, rel=1e-3)
    # A wave of 32 pixels is coarse beside a Gaussian of 2: it is hardly damped.
    wave = torch.sin(2 * torch.pi * torch.arange(64) / 32).expand(64, 64)
    assert cost(wave) == pytest.approx(0.5 * math.exp(-((2 * torch.pi / 32 * 2) ** 2)), rel=0.05)


def test_the_field_s_gradients_agree_with_finite_differences():
    celsius, classes, field, spread, scale = held_to_a_field(0.7, pixels_per_cm=4.0)
    by_pixel = is_skin(classes)
    noise = torch.randn(celsius.shape, generator=torch.Generator().manual_seed(0))
    assert torch.autograd.gradcheck(
        lambda c: field_prior(c, classes, field, spread, scale, by_pixel), (celsius + noise).requires_grad_()
    )


def test_every_image_may_have_a_room_of_its_own():
    celsius, classes = scene()
    rooms = torch.stack((TARGETS, TARGETS + 1))
    both = temperature_prior(torch.cat((celsius, celsius + 1)), torch.cat((classes, classes)), rooms)
    assert both.item() == pytest.approx(temperature_prior(celsius, classes, TARGETS).item())
