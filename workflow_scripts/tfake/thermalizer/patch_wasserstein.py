"""The unpaired texture term: multi-scale patch Wasserstein-2 between generated and real thermal images.

    W = 1/S sum_s S_eps(P_s(generated), P_s(real))

P_s takes square patches of p x p pixels, wholly inside the foreground, from the images downsampled by area by the
factor s; a patch is a point of R^(p^2), scaled by 1/p, so that a squared distance is a mean squared difference a pixel
in K^2. S_eps is the debiased Sinkhorn divergence (Feydy, PhD thesis 2020, eq. 3.209) with cost |x - y|^2 and blur
sigma in K, which tends to the squared Wasserstein-2 distance as sigma -> 0. This is the patch term of the RGB2Thermal
loss (Flotho et al., CVPR 2025; there with blur .001, without debiasing). Its gradient reaches the generated images,
through the sampled patches and only there.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from geomloss import SamplesLoss
from torch import Tensor, nn

from tfake.thermalizer.supervised import RELATIVE_SPREAD_KELVIN

#: Ratio of successive blurs in the annealing; at .5 (geomloss's default) the divergence may come out negative.
ANNEALING_RATIO = 0.7

# Images flatter than this (in the units of the values) are not amplified to unit spread.
_FLAT = 1e-3


def standardise(values: Tensor, mask: Tensor, spread: float = RELATIVE_SPREAD_KELVIN) -> Tensor:
    """Give each image mean 0 and standard deviation ``spread`` over its mask, so that scale and offset are gone.

    Args:
        values: (B, 1, H, W) floating.
        mask: (B, 1, H, W) bool.
        spread: the standard deviation after it.

    Returns:
        (B, 1, H, W), 0 outside the mask; differentiable.
    """
    count = mask.sum((2, 3), keepdim=True).clamp(min=1)
    values = torch.where(mask, values, 0.0)
    centred = torch.where(mask, values - values.sum((2, 3), keepdim=True) / count, 0.0)
    deviation = (centred.square().sum((2, 3), keepdim=True) / count).clamp(min=_FLAT**2).sqrt()
    return spread * centred / deviation


def sample_patches(
    images: Tensor, mask: Tensor, patch_pixels: int, patches: int, generator: torch.Generator
) -> Tensor | None:
    """Draw patches that lie wholly inside the mask, uniformly over their positions, with replacement.

    Args:
        images: (B, 1, H, W) floating.
        mask: (B, 1, H, W) bool, the foreground.
        patch_pixels: edge p of a patch.
        patches: how many to draw, over all images.
        generator: a CPU generator.

    Returns:
        (patches, p^2), differentiable; None when no patch fits inside the mask.
    """
    if min(images.shape[2:]) < patch_pixels:
        return None
    # The sliding minimum of the mask marks every top-left corner of a patch without a background pixel.
    fits = -F.max_pool2d(-mask.float(), patch_pixels, stride=1) > 0
    corners = fits.nonzero()
    if not len(corners):
        return None
    chosen = corners[torch.randint(len(corners), (patches,), generator=generator).to(corners.device)]
    image, _, top, left = (column[:, None, None] for column in chosen.unbind(1))
    along = torch.arange(patch_pixels, device=images.device)
    return images[image, 0, top + along[:, None], left + along].flatten(1)


def sinkhorn_divergence(x: Tensor, y: Tensor, blur: float) -> Tensor:
    """Debiased Sinkhorn divergence with cost |x - y|^2, close to the squared Wasserstein-2 distance.

    geomloss needs guarding: it takes the logarithm of the clouds' diameter (0 when all points are one, its issue 51),
    forms squared distances from inner products (cancellation far from the origin), switches autograd on globally,
    and would compute in bfloat16 inside an autocast region.

    Args:
        x: (N, D) points, float32 or float64.
        y: (M, D) points.
        blur: sigma, in the points' units, > 0.

    Returns:
        () scalar, differentiable in both clouds.
    """
    centre = torch.cat((x, y)).detach().mean(0)
    x, y = x - centre, y - centre
    both = torch.cat((x, y)).detach()
    diameter = max(blur, float((both.amax(0) - both.amin(0)).norm()))
    divergence = SamplesLoss(
        "sinkhorn", p=2, blur=blur, diameter=diameter, scaling=ANNEALING_RATIO, backend="tensorized"
    )
    grad_was_enabled = torch.is_grad_enabled()
    try:
        with torch.autocast(x.device.type, enabled=False):
            # geomloss's cost is |x - y|^2 / 2.
            return 2 * divergence(x, y)
    finally:
        torch.set_grad_enabled(grad_was_enabled)


def downsample(images: Tensor, mask: Tensor, factor: int) -> tuple[Tensor, Tensor]:
    """Shrink by area; a pixel stays foreground when every pixel it came from was.

    Args:
        images: (B, 1, H, W) floating.
        mask: (B, 1, H, W) bool.
        factor: whole number >= 1; rows and columns beyond a multiple of it are dropped.

    Returns:
        (B, 1, H // factor, W // factor) images and bool mask.
    """
    if factor == 1:
        return images, mask
    return F.avg_pool2d(images, factor), -F.max_pool2d(-mask.float(), factor) > 0


def patch_wasserstein(
    generated: Tensor,
    mask: Tensor,
    real: Sequence[Tensor],
    *,
    generator: torch.Generator,
    patch_pixels: int = 8,
    scales: Sequence[int] = (1, 2, 4),
    blur_kelvin: float = 0.3,
) -> Tensor:
    """The term W of this module's head, in K^2.

    Args:
        generated: (B, 1, H, W) degrees Celsius, float32 or float64.
        mask: (B, 1, H, W) bool, its foreground.
        real: for each scale (N, p^2) patches of real thermal images in degrees Celsius, on generated's device; as many
            are drawn from the generated images.
        generator: a CPU generator; decides which patches are drawn.
        patch_pixels: edge p of a patch, the same at every scale.
        scales: downsampling factors.
        blur_kelvin: blur of the divergence.

    Returns:
        () scalar; a scale at which no patch fits inside the mask, or whose real patches are none, adds 0. The gradient
        is exactly 0 outside ``mask``.
    """
    # What lies outside may hold anything, NaN included; it must not pass through the downsampling.
    generated = torch.where(mask, generated, 0.0)
    total = generated.sum() * 0
    for factor, y in zip(scales, real, strict=True):
        if not len(y):
            continue
        x = sample_patches(*downsample(generated, mask, factor), patch_pixels, len(y), generator)
        if x is not None:
            total = total + sinkhorn_divergence(x / patch_pixels, y.to(x) / patch_pixels, blur_kelvin)
    return total / len(scales)


class PatchWasserstein(nn.Module):
    """``patch_wasserstein`` with its settings, for one declaration of what the real values mean."""

    def __init__(self, *, values: str, patch_pixels: int, scales: Sequence[int], blur_kelvin: float) -> None:
        """Keep the settings.

        Args:
            values: what the real patches hold: ``celsius``, or ``relative``, standardised over each image's
                foreground, as the generated images then are, too.
            patch_pixels: edge of a patch.
            scales: downsampling factors.
            blur_kelvin: blur of the divergence.
        """
        super().__init__()
        self.values = values
        self.settings = {"patch_pixels": patch_pixels, "scales": tuple(scales), "blur_kelvin": blur_kelvin}

    def forward(self, generated: Tensor, mask: Tensor, real: Sequence[Tensor], generator: torch.Generator) -> Tensor:
        """See ``patch_wasserstein``."""
        if self.values == "relative":
            generated = standardise(generated, mask)
        return patch_wasserstein(generated, mask, real, generator=generator, **self.settings)
