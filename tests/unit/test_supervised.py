"""The supervised term against closed forms, and what relative pairs may not feel."""

import pytest
import torch

from tfake.thermalizer.pair_sampling import PairBatch
from tfake.thermalizer.patches import RELATIVE_SPREAD_KELVIN
from tfake.thermalizer.supervised import (
    SupervisedLoss,
    celsius_mse,
    relative_mse,
    within_class_mse,
)

FULL = torch.ones(2, 1, 8, 8, dtype=torch.bool)


def images(seed, dtype=torch.float64, pixels=8):
    generator = torch.Generator().manual_seed(seed)
    return 33 + 2 * torch.randn(2, 1, pixels, pixels, generator=generator, dtype=dtype)


def loss_and_gradient(term, prediction, *arguments):
    prediction = prediction.clone().requires_grad_()
    loss = term(prediction, *arguments)
    loss.backward()
    return loss.detach(), prediction.grad


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_constant_offset_costs_its_square(dtype):
    target = images(0, dtype)
    assert celsius_mse(target + 1.5, target, FULL).item() == pytest.approx(2.25, rel=1e-5)


def test_every_image_weighs_the_same_however_small_its_mask():
    target, mask = images(0), FULL.clone()
    mask[1] = False
    mask[1, 0, 0, 0] = True
    prediction = target.clone()
    prediction[1, 0, 0, 0] += 2
    assert celsius_mse(prediction, target, mask).item() == pytest.approx(2.0)


@pytest.mark.parametrize("term", [celsius_mse, relative_mse])
def test_nothing_outside_the_mask_counts(term):
    target, mask = images(1), FULL.clone()
    mask[..., :4] = False
    expected = loss_and_gradient(term, images(0), target, mask)
    target[..., :4] = torch.nan
    loss, gradient = loss_and_gradient(term, images(0), target, mask)
    assert loss == expected[0]
    assert gradient[..., :4].abs().max() == 0
    assert gradient[..., 4:].abs().min() > 0


@pytest.mark.parametrize("term", [celsius_mse, relative_mse])
def test_an_empty_mask_is_no_loss(term):
    loss, gradient = loss_and_gradient(term, images(0), images(1), ~FULL)
    assert loss == 0
    assert gradient.abs().max() == 0


@pytest.mark.parametrize("term", [celsius_mse, relative_mse])
def test_gradients_agree_with_finite_differences(term):
    mask = FULL[..., :5, :5].clone()
    mask[0, 0, :2] = False
    target = images(1, pixels=5)
    prediction = images(0, pixels=5).requires_grad_()
    assert torch.autograd.gradcheck(lambda p: term(p, target, mask), prediction)


@pytest.mark.parametrize(("scale", "offset"), [(3.0, 0.0), (0.25, 0.0), (1.0, 40.0), (0.4, -17.0)])
def test_scale_and_offset_of_relative_values_change_nothing(scale, offset):
    values = torch.randint(0, 255, (2, 1, 8, 8), generator=torch.Generator().manual_seed(1)).double()
    loss, gradient = loss_and_gradient(relative_mse, images(0), values, FULL)
    changed_loss, changed_gradient = loss_and_gradient(relative_mse, images(0), scale * values + offset, FULL)
    assert loss > 0
    torch.testing.assert_close(changed_loss, loss, rtol=1e-12, atol=0)
    torch.testing.assert_close(changed_gradient, gradient, rtol=1e-10, atol=1e-15)


def test_relative_values_of_the_other_sign_are_the_worst_match():
    shape = images(0)
    limit = 4 * RELATIVE_SPREAD_KELVIN**2
    assert relative_mse(shape, 10 * shape - 7, FULL).item() == pytest.approx(0, abs=0.01 * limit)
    assert relative_mse(shape, -10 * shape, FULL).item() == pytest.approx(limit, rel=0.01)


def test_a_relative_pair_does_not_reward_a_flat_prediction():
    """Along the prediction's own scale the loss hardly changes; a least-squares residual would pull it to 0."""
    prediction, target = 3 * (images(0) - 33) + 33, images(1)
    _, gradient = loss_and_gradient(relative_mse, prediction, target, FULL)
    centred = prediction - prediction.mean((2, 3), keepdim=True)
    along = (gradient * centred).sum() / (gradient.norm() * centred.norm())
    assert abs(along) < 0.01
    flat = relative_mse(torch.full_like(target, 33.0), target, FULL)
    assert flat.item() == pytest.approx(2 * RELATIVE_SPREAD_KELVIN**2, rel=1e-6)


@pytest.mark.parametrize("value", [0.0, 255.0])
def test_a_flat_relative_target_says_nothing(value):
    loss, gradient = loss_and_gradient(relative_mse, images(0), torch.full((2, 1, 8, 8), value).double(), FULL)
    assert loss == 0
    assert gradient.abs().max() == 0


def test_a_flat_prediction_has_a_finite_gradient():
    prediction = torch.full((2, 1, 8, 8), 33.0)
    _, gradient = loss_and_gradient(relative_mse, prediction, images(1, torch.float32), FULL)
    assert torch.isfinite(gradient).all()
    assert gradient.abs().max() > 0


def test_the_module_takes_the_declared_form():
    prediction, target, classes = images(0), images(1), halves()
    batch = PairBatch(None, target, FULL, FULL, classes, None, None)
    assert SupervisedLoss("celsius").compare(prediction, batch) == celsius_mse(prediction, target, FULL)
    assert SupervisedLoss("relative").compare(prediction, batch) == relative_mse(prediction, target, FULL)
    within = SupervisedLoss("celsius", "within_class").compare(prediction, batch)
    assert within == within_class_mse(prediction, target, FULL, classes)
    with pytest.raises(ValueError, match="kelvin"):
        SupervisedLoss("kelvin")


def halves():
    """Left half one class, right half another."""
    classes = torch.ones(2, 8, 8, dtype=torch.uint8)
    classes[..., 4:] = 13
    return classes


def test_within_classes_a_step_a_class_costs_nothing():
    target, classes = images(0), halves()
    stepped = target + torch.where(classes == 13, -3.0, 1.5)[:, None]
    assert within_class_mse(stepped, target, FULL, classes).item() == pytest.approx(0, abs=1e-12)
    assert celsius_mse(stepped, target, FULL).item() > 1


def test_within_classes_what_varies_inside_counts():
    target, classes = images(0), halves()
    varied = target.clone()
    varied[..., 0:2] += 1.0
    varied[..., 2:4] -= 1.0
    assert within_class_mse(varied, target, FULL, classes).item() == pytest.approx(0.5)


def test_within_classes_pixels_of_no_known_class_are_one_class():
    target, unknown = images(0), torch.full((2, 8, 8), 255, dtype=torch.uint8)
    assert within_class_mse(target + 4, target, FULL, unknown).item() == pytest.approx(0, abs=1e-12)
    mask = FULL.clone()
    mask[..., :4] = False
    broken = target.clone()
    broken[..., :4] = torch.nan
    loss, gradient = loss_and_gradient(within_class_mse, images(1), broken, mask, halves())
    assert torch.isfinite(loss)
    assert gradient[..., :4].abs().max() == 0


def test_relative_values_have_no_class_means():
    with pytest.raises(ValueError, match="relative pairs"):
        SupervisedLoss("relative", "within_class")
    with pytest.raises(ValueError, match="supervision"):
        SupervisedLoss("celsius", "guessed")
