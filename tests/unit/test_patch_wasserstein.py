"""The patch Wasserstein term against closed forms; where its gradient goes; geomloss's traps."""

import pytest
import torch
from geomloss import SamplesLoss

from tfake.thermalizer.patch_wasserstein import (
    ANNEALING_RATIO,
    PatchWasserstein,
    patch_wasserstein,
    sinkhorn_divergence,
)
from tfake.thermalizer.patches import downsample, sample_patches, standardise, take_patches
from tiny_training import make_bank


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def cloud(points, seed, dtype=torch.float64, dimensions=16):
    return torch.randn(points, dimensions, generator=generator(seed), dtype=dtype)


def images(seed, count=2, pixels=48, dtype=torch.float32):
    return 33 + torch.randn(count, 1, pixels, pixels, generator=generator(seed), dtype=dtype)


def left_half(like):
    mask = torch.zeros_like(like, dtype=torch.bool)
    mask[..., : like.shape[-1] // 2] = True
    return mask


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_equal_clouds_are_at_distance_zero(dtype):
    x = cloud(100, 0, dtype)
    assert sinkhorn_divergence(x, x.clone(), 0.3).item() == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("origin", [0.0, 300.0])
def test_a_translation_costs_its_squared_length(dtype, origin):
    """Also far from the origin, where squared distances from inner products would cancel."""
    x = cloud(100, 0, dtype) + origin
    step = torch.full((16,), 0.25, dtype=dtype)
    assert sinkhorn_divergence(x, x + step, 0.05).item() == pytest.approx(1.0, rel=2e-3)


def test_one_dimension_is_solved_by_sorting():
    x, y = cloud(64, 0, dimensions=1), 2 * cloud(64, 1, dimensions=1) + 3
    exact = (x.sort(0).values - y.sort(0).values).square().mean().item()
    assert sinkhorn_divergence(x, y, 0.02).item() == pytest.approx(exact, rel=0.01)


def test_gaussians_agree_with_the_closed_form_of_bures():
    """Clouds with exactly a Gaussian's quantiles in one dimension: (m1 - m2)^2 + (s1 - s2)^2."""
    normal = torch.distributions.Normal(0.0, 1.0).icdf(((torch.arange(400) + 0.5) / 400).double())[:, None]
    divergence = sinkhorn_divergence(1.0 * normal, 2.0 * normal + 3.0, 0.02)
    assert divergence.item() == pytest.approx(9 + 1, rel=0.02)


@pytest.mark.parametrize("seed", range(5))
def test_it_is_never_clearly_negative(seed):
    x = cloud(200, seed)
    y = x + 0.05 * cloud(200, seed + 100)
    assert sinkhorn_divergence(x, y, 0.3).item() > -1e-6


@pytest.mark.parametrize("value", [0.0, 35.0])
def test_flat_clouds_are_finite(value):
    x = torch.full((50, 64), value).requires_grad_()
    divergence = sinkhorn_divergence(x, torch.full((50, 64), value + 0.125), 0.3)
    divergence.backward()
    assert divergence.item() == pytest.approx(1.0, rel=1e-3)
    assert torch.isfinite(x.grad).all()
    assert sinkhorn_divergence(x.detach(), x.detach(), 0.3).item() == pytest.approx(0, abs=1e-6)


def test_the_gradient_of_a_translation_is_the_translation():
    x = cloud(60, 0).requires_grad_()
    sinkhorn_divergence(x, x.detach() + 0.5, 0.05).backward()
    torch.testing.assert_close(x.grad.sum(0), torch.full((16,), -2 * 0.5).double(), rtol=1e-3, atol=1e-3)


def test_gradients_agree_with_finite_differences():
    # Few well separated points and a large blur: geomloss differentiates at convergence of its iterations.
    x, y = cloud(4, 0, dimensions=3).requires_grad_(), cloud(5, 1, dimensions=3)
    sinkhorn_divergence(x, y, 3.0).backward()
    for index in [(0, 0), (1, 2), (3, 1)]:
        step = torch.zeros_like(y[:4])
        step[index] = 1e-4
        with torch.no_grad():
            slope = (sinkhorn_divergence(x + step, y, 3.0) - sinkhorn_divergence(x - step, y, 3.0)) / 2e-4
        assert slope.item() == pytest.approx(x.grad[index].item(), rel=0.02, abs=1e-3)


@pytest.mark.parametrize("enabled", [True, False])
def test_autograd_stays_as_it_was(enabled):
    with torch.set_grad_enabled(enabled):
        sinkhorn_divergence(cloud(20, 0), cloud(20, 1), 0.3)
        assert torch.is_grad_enabled() is enabled
        with pytest.raises(RuntimeError):
            sinkhorn_divergence(cloud(20, 0), cloud(20, 1, dimensions=3), 0.3)
        assert torch.is_grad_enabled() is enabled


def test_it_computes_in_full_precision_inside_autocast():
    x, y = cloud(50, 0, torch.float32), cloud(50, 1, torch.float32)
    with torch.autocast("cpu", torch.bfloat16):
        inside = sinkhorn_divergence(x, y, 0.3)
    assert inside == sinkhorn_divergence(x, y, 0.3)


def geomloss_divergence(x, y, blur):
    """As geomloss solves one pair, given what it would stumble over."""
    centre = torch.cat((x, y)).detach().mean(0)
    x, y = x - centre, y - centre
    both = torch.cat((x, y)).detach()
    diameter = max(blur, float((both.amax(0) - both.amin(0)).norm()))
    loss = SamplesLoss("sinkhorn", p=2, blur=blur, diameter=diameter, scaling=ANNEALING_RATIO, backend="tensorized")
    return 2 * loss(x, y)


@pytest.mark.parametrize("blur", [0.05, 0.3])
@pytest.mark.parametrize("counts", [(40, 40), (30, 45), (45, 30)])
def test_many_pairs_at_once_are_what_geomloss_says_of_each(blur, counts):
    """Of very different sizes, so that their annealings begin at different steps."""
    pairs = [[size * cloud(count, size + side) + 30 for side, count in enumerate(counts)] for size in (1, 3, 20)]
    xs, ys = (torch.stack(clouds).requires_grad_() for clouds in zip(*pairs, strict=True))
    found = sinkhorn_divergence(xs, ys, blur)
    expected = torch.stack([geomloss_divergence(x, y, blur) for x, y in zip(xs, ys, strict=True)])
    torch.testing.assert_close(found, expected, rtol=1e-7, atol=1e-7)
    slopes, expected_slopes = (torch.autograd.grad(values.sum(), (xs, ys)) for values in (found, expected))
    for slope, expected_slope in zip(slopes, expected_slopes, strict=True):
        torch.testing.assert_close(slope, expected_slope, rtol=1e-7, atol=1e-7)


def test_in_single_precision_it_is_geomloss_s_value_too():
    x, y = torch.stack([cloud(96, 0, torch.float32)] * 2), torch.stack([cloud(96, 1, torch.float32) + 1] * 2)
    expected = geomloss_divergence(x[0], y[0], 0.3).item()
    assert sinkhorn_divergence(x, y, 0.3).tolist() == pytest.approx([expected] * 2, rel=1e-6)


def test_patches_lie_wholly_inside_the_mask():
    values = torch.zeros(2, 1, 32, 32)
    mask = torch.zeros_like(values, dtype=torch.bool)
    mask[1, 0, 3:20, 5:14] = True
    values[mask] = 1
    patches = sample_patches(values, mask, 8, 500, generator())
    assert patches.shape == (500, 64)
    assert (patches == 1).all()


def test_patches_are_the_images_own_squares():
    values = torch.arange(100.0).reshape(1, 1, 10, 10)
    patches = sample_patches(values, torch.ones(1, 1, 10, 10, dtype=torch.bool), 8, 200, generator())
    assert len(patches.unique(dim=0)) == 9
    squares = values.unfold(2, 8, 1).unfold(3, 8, 1).reshape(9, 64)
    assert sorted(patches.unique(dim=0)[:, 0].tolist()) == squares[:, 0].tolist()
    assert all(any(torch.equal(patch, square) for square in squares) for patch in patches)


def test_places_drawn_before_take_each_patch_alike():
    values = torch.arange(200.0).reshape(2, 1, 10, 10)
    mask = torch.ones(2, 1, 10, 10, dtype=torch.bool)
    mask[0, :, :, 0] = False
    whole = sample_patches(values, mask, 8, 500, generator()).unique(dim=0)
    assert len(whole) == 15
    each = (torch.arange(15, dtype=torch.float64) + 0.5) / 15
    patches, fits = take_patches(values, mask, 8, each)
    assert fits
    assert torch.equal(patches.unique(dim=0), whole)
    last, _ = take_patches(values, mask, 8, torch.tensor([1 - 2**-53], dtype=torch.float64))
    assert torch.equal(last[0], values[1, 0, 2:, 2:].flatten())
    assert not take_patches(values, torch.zeros_like(mask), 8, each)[1]


def test_no_patch_fits():
    narrow = torch.zeros(1, 1, 20, 14)
    assert sample_patches(narrow, left_half(narrow), 8, 5, generator()) is None
    small = narrow[..., :7]
    assert sample_patches(small, torch.ones_like(small) > 0, 8, 5, generator()) is None


def test_downsampling_keeps_only_pixels_wholly_inside():
    values = torch.arange(16.0).reshape(1, 1, 4, 4)
    mask = torch.ones_like(values, dtype=torch.bool)
    mask[0, 0, 0, 0] = False
    small, small_mask = downsample(values, mask, 2)
    torch.testing.assert_close(small, torch.tensor([[[[2.5, 4.5], [10.5, 12.5]]]]))
    assert small_mask.flatten().tolist() == [False, True, True, True]


def places(real, seed=0):
    """Which places are taken, as many as there are real patches."""
    return torch.rand(len(real), max(map(len, real)), generator=generator(seed), dtype=torch.float64)


def patches_of(values, mask, scales=(1,), count=64):
    """Patches of real images, as a bank holds them: none where none fits."""
    clouds = [sample_patches(*downsample(values, mask, factor), 8, count, generator(9)) for factor in scales]
    return [torch.zeros(0, 64) if cloud is None else cloud for cloud in clouds]


def test_the_term_has_a_gradient_inside_the_foreground_and_none_outside():
    """Defects 1 and 2 of the released code: patches detached from the network; the foreground dropped."""
    generated = images(0).requires_grad_()
    mask = left_half(generated)
    real = patches_of(images(1) + 2, mask, (1, 2), 200)
    loss = patch_wasserstein(generated, mask, real, places=places(real), scales=(1, 2))
    loss.backward()
    assert loss.item() > 2
    assert (generated.grad[mask] != 0).float().mean() > 0.9
    assert generated.grad[~mask].abs().max() == 0


def test_descending_the_gradient_brings_the_foreground_to_the_real_temperatures():
    generated = images(0).requires_grad_()
    mask = left_half(generated)
    real = patches_of(images(1) + 3, mask)
    optimiser = torch.optim.Adam([generated], 0.1)
    for step in range(60):
        optimiser.zero_grad()
        patch_wasserstein(generated, mask, real, places=places(real, step), scales=(1,)).backward()
        optimiser.step()
    assert generated[mask].mean().item() == pytest.approx(36, abs=0.3)
    assert generated[~mask].mean().item() == pytest.approx(33, abs=0.1)


def test_what_lies_outside_the_mask_is_never_seen():
    mask = left_half(images(0))
    real = patches_of(images(1), mask, (1, 2))
    expected = patch_wasserstein(images(0), mask, real, places=places(real), scales=(1, 2))
    generated = images(0)
    generated[~mask] = torch.nan
    assert patch_wasserstein(generated, mask, real, places=places(real), scales=(1, 2)) == expected


def test_an_offset_costs_its_square_at_every_scale():
    same = images(0, count=1, pixels=8)  # one patch only, at scale 1
    mask = torch.ones_like(same, dtype=torch.bool)
    real = patches_of(same + 1.5, mask, count=10)
    loss = patch_wasserstein(same, mask, real, places=places(real), scales=(1,))
    assert loss.item() == pytest.approx(2.25, rel=1e-3)


def test_no_foreground_or_no_real_patch_is_no_loss():
    generated = images(0).requires_grad_()
    nowhere = torch.zeros_like(generated) > 0
    for mask, real in (
        (nowhere, patches_of(images(1), left_half(generated))),
        (left_half(generated), patches_of(images(1), nowhere)),
    ):
        loss = patch_wasserstein(generated, mask, real, places=places(real), scales=(1,))
        generated.grad = None
        loss.backward()
        assert loss.item() == 0
        assert generated.grad.abs().max() == 0


def test_standardised_images_have_lost_scale_and_offset():
    values, mask = images(0, dtype=torch.float64), left_half(images(0))
    once, changed = standardise(values, mask), standardise(0.3 * values - 80, mask)
    torch.testing.assert_close(once, changed)
    assert once[0][mask[0]].mean().item() == pytest.approx(0, abs=1e-9)
    flat = torch.full_like(values, 7.0).requires_grad_()
    standardise(flat, mask).sum().backward()
    assert torch.isfinite(flat.grad).all()


def test_against_relative_patches_scale_and_offset_of_the_generated_image_are_nothing():
    generated, real, mask = images(0), images(1), left_half(images(0))
    relative, celsius = (PatchWasserstein(make_bank(values=values), 0.3).distance for values in ("relative", "celsius"))
    standardised = patches_of(standardise(real, mask), mask, (1, 2))
    chosen = places(standardised)
    plain = relative(generated, mask, standardised, chosen)
    assert relative(7 * generated + 40, mask, standardised, chosen).item() == pytest.approx(plain.item(), rel=1e-3)
    near, far = (patches_of(real + offset, mask, (1, 2)) for offset in (0, 4))
    assert celsius(generated, mask, far, chosen) > celsius(generated, mask, near, chosen) + 5
