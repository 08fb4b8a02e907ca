"""Patches of thermal images: square, of p x p pixels, wholly inside the foreground, at one of several scales."""

import torch
import torch.nn.functional as F
from torch import Tensor

#: What a relative image's standard deviation stands for, in K: it weighs such images against radiometric ones.
RELATIVE_SPREAD_KELVIN = 1.0

# Images flatter than this (in the units of the values) are not amplified to unit spread.
_FLAT = 1e-3


def standardise(values: Tensor, mask: Tensor, spread: float = RELATIVE_SPREAD_KELVIN) -> Tensor:
    """Give each image mean 0 and standard deviation ``spread`` over its mask, which removes scale and offset.

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
    std = (centred.square().sum((2, 3), keepdim=True) / count).clamp(min=_FLAT**2).sqrt()
    return spread * centred / std


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
    fitting = _count_fitting(mask, patch_pixels)
    places = int(fitting[-1])
    if not places:
        return None
    return _cut(images, fitting, patch_pixels, torch.randint(places, (patches,), generator=generator))


def take_patches(images: Tensor, mask: Tensor, patch_pixels: int, places: Tensor) -> tuple[Tensor, Tensor]:
    """As ``sample_patches`` with places that were drawn before; a GPU is not waited for.

    Args:
        images: (B, 1, H, W) floating, at least as large as a patch.
        mask: (B, 1, H, W) bool, the foreground.
        patch_pixels: edge p of a patch.
        places: (N,) float64, uniform in [0, 1): which of the places where a patch fits, on the images' device.

    Returns:
        (N, p^2), differentiable, and () bool whether any patch fits: without one they are cut anywhere.
    """
    fitting = _count_fitting(mask, patch_pixels)
    return _cut(images, fitting, patch_pixels, (places * fitting[-1]).long()), fitting[-1] > 0


def _count_fitting(mask: Tensor, patch_pixels: int) -> Tensor:
    """(places,) int64: how many of the places so far, image by image and row by row, have a patch inside the mask."""
    # The sliding minimum of the mask marks every top-left corner of a patch without a background pixel.
    return (F.max_pool2d((~mask).float(), patch_pixels, stride=1) == 0).flatten().cumsum(0)


def _cut(images: Tensor, fitting: Tensor, patch_pixels: int, ranks: Tensor) -> Tensor:
    """(N, p^2): the patches at some of the places that fit, by their number among these."""
    rows, columns = (edge - patch_pixels + 1 for edge in images.shape[2:])
    # Where nothing fits, the search ends behind the last place.
    corners = torch.searchsorted(fitting, ranks.to(fitting.device), right=True).clamp(max=len(fitting) - 1)
    image, top, left = corners // (rows * columns), corners // columns % rows, corners % columns
    along = torch.arange(patch_pixels, device=images.device)
    row, column = top[:, None, None] + along[:, None], left[:, None, None] + along
    return images[image[:, None, None], 0, row, column].flatten(1)


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
