"""Banks of real thermal patches, sampled once: what the patch Wasserstein term compares generated images with.

A bank is a file of p x p patches at a few scales, drawn out of thermal images that need no visible partner. Its
patches are cut from random crops of the images, magnified and turned exactly as the crops of pairs are in training, so
that both sides of the term see the same detail.
"""

import io
import logging
import math
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from tfake.core.files import write_whole
from tfake.imaging.crops import CropSettings, build_pyramid, draw_crop, warp_linear, warp_nearest
from tfake.thermal_io.scales import MEANINGS
from tfake.thermalizer.patches import downsample, sample_patches, standardise

FORMAT = "tfake-patch-bank-1"

# Patches of one crop resemble each other: an image that gives more is cropped again.
_PATCHES_PER_CROP = 16
# Passes over the images; one is enough where every crop has room for a patch.
_PASSES = 8
# The random stream of this use of a seed ("bank").
_STREAM = 0x62616E6B
# Below 1 by the rounding of an area average alone.
_WHOLLY = 1 - 1e-5


@dataclass(frozen=True, eq=False)
class PatchBank:
    """Patches of real thermal images.

    Attributes:
        values: ``celsius``; or ``relative``: each image standardised over its foreground (``standardise``).
        patch_pixels: edge p of a patch.
        scales: downsampling factors, relative to the training's crops.
        patches: for each scale (N, p^2) float32; N may be 0.
    """

    values: str
    patch_pixels: int
    scales: tuple[int, ...]
    patches: tuple[np.ndarray, ...]

    def __post_init__(self) -> None:
        """Check that the parts fit together.

        Raises:
            ValueError: they do not; or there is no patch at all.
        """
        if self.values not in MEANINGS:
            raise ValueError(f"a patch bank's values must be one of {', '.join(MEANINGS)}; found {self.values!r}")
        expected = f"expected (N, {self.patch_pixels**2}) finite float32 for each of the scales {self.scales}"
        if len(self.patches) != len(self.scales):
            raise ValueError(f"a patch bank of {len(self.patches)} arrays: {expected}")
        for scale, cloud in zip(self.scales, self.patches, strict=True):
            if cloud.dtype != np.float32 or cloud.ndim != 2 or cloud.shape[1] != self.patch_pixels**2:
                raise ValueError(f"a patch bank with {cloud.dtype} {cloud.shape} at scale {scale}: {expected}")
            if not np.isfinite(cloud).all():
                raise ValueError(f"a patch bank with values at scale {scale} that are not finite: {expected}")
        if not any(map(len, self.patches)):
            raise ValueError("a patch bank without any patch: no patch fits wholly inside a foreground")

    def draw(self, scale_index: int, count: int, generator: torch.Generator) -> Tensor:
        """Draw (count, p^2) float32 patches of one of ``scales``, with replacement, by a CPU generator.

        Raises:
            ValueError: the bank has no patch of that scale.
        """
        cloud = self.patches[scale_index]
        if not len(cloud):
            raise ValueError(f"the patch bank has no patch at scale {self.scales[scale_index]}")
        return torch.from_numpy(cloud)[torch.randint(len(cloud), (count,), generator=generator)]


def sample_patch_bank(
    images: Sequence[tuple[np.ndarray, np.ndarray]],
    *,
    values: str,
    crop: CropSettings,
    patch_pixels: int,
    scales: Sequence[int],
    patches: int,
    seed: int,
) -> PatchBank:
    """Sample a bank, spread evenly over the images.

    Args:
        images: (thermal (H, W) float32, foreground (H, W) bool) by index; of any size, smaller than a crop included.
        values: ``celsius`` or ``relative``.
        crop: limits of the crops, as in training; the photometric strength is of no use here.
        patch_pixels: edge of a patch.
        scales: downsampling factors.
        patches: how many at each scale. Fewer come out where few fit into the foregrounds.
        seed: decides crops and places.

    Returns:
        The bank; equal arguments give an equal one. Every pixel of a patch is made of foreground alone. A scale at
        which no patch fits has none, with a logged warning.

    Raises:
        ValueError: no image, or no patch fits anywhere.
    """
    if not len(images):
        raise ValueError("there are no thermal images to sample patches from")
    order = np.random.default_rng([seed, _STREAM]).permutation(len(images))[:patches].tolist()
    clouds: list[list[Tensor]] = [[] for _ in scales]
    quotas = [_spread(patches if crop.pixels // scale >= patch_pixels else 0, order) for scale in scales]
    had_room: list[dict[int, None]] = [{} for _ in scales]
    for number in range(_PASSES):
        for index in order:
            wanted = [quota.get(index, 0) for quota in quotas]
            if any(wanted):
                thermal, foreground = images[index]
                entropy = [seed, _STREAM, number, index]
                cut = _cut_image(thermal, foreground, values, crop, patch_pixels, scales, wanted, entropy)
                for scale, found in enumerate(cut):
                    clouds[scale] += found
                    had_room[scale] |= dict.fromkeys([index] if found else [])
        got = [sum(map(len, cloud)) for cloud in clouds]
        # What did not fit into these crops is asked for again, of the images that had room for some.
        quotas = [_spread(patches - have, list(fit)) for have, fit in zip(got, had_room, strict=True)]
        if not any(any(quota.values()) for quota in quotas):
            break
    for scale, have in zip(scales, got, strict=True):
        if have < patches:
            logging.warning("patch bank: %d of %d patches at scale %d: too few fit", have, patches, scale)
    empty = torch.zeros((0, patch_pixels**2))
    stacked = tuple(torch.cat((empty, *cloud)).numpy().astype(np.float32) for cloud in clouds)
    return PatchBank(values, patch_pixels, tuple(scales), stacked)


def save_patch_bank(path: str | Path, bank: PatchBank) -> None:
    """Write a bank as ``.npz``, whole or not at all; equal banks give equal bytes."""
    arrays = {
        "format": np.array(FORMAT),
        "values": np.array(bank.values),
        "patch_pixels": np.array(bank.patch_pixels),
        "scales": np.array(bank.scales),
        **{f"patches_{scale}": cloud for scale, cloud in enumerate(bank.patches)},
    }
    data = io.BytesIO()
    np.savez(data, **arrays)
    write_whole(str(path), lambda part: Path(part).write_bytes(data.getvalue()))


def load_patch_bank(path: str | Path) -> PatchBank:
    """Read a bank of ``save_patch_bank``.

    Raises:
        FileNotFoundError: no such file.
        ValueError: not a patch bank, or damaged; the message names the file.
    """
    data = Path(path).read_bytes()
    try:
        return _unpack(data)
    except (ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} is no usable patch bank: {error}") from error


def _unpack(data: bytes) -> PatchBank:
    if not zipfile.is_zipfile(io.BytesIO(data)):
        raise ValueError("expected an .npz, whole")
    with np.load(io.BytesIO(data), allow_pickle=False) as file:
        if str(file["format"]) != FORMAT:
            raise ValueError(f"expected the format {FORMAT}, found {file['format']}")
        scales = tuple(int(scale) for scale in file["scales"])
        clouds = tuple(file[f"patches_{scale}"] for scale in range(len(scales)))
        return PatchBank(str(file["values"]), int(file["patch_pixels"]), scales, clouds)


def _spread(count: int, places: Sequence[int]) -> dict[int, int]:
    """How many of ``count`` each place gives, the larger numbers first."""
    return {place: count // len(places) + (n < count % len(places)) for n, place in enumerate(places)}


def _cut_image(
    thermal: np.ndarray,
    foreground: np.ndarray,
    values: str,
    crop: CropSettings,
    patch_pixels: int,
    scales: Sequence[int],
    wanted: Sequence[int],
    entropy: list[int],
) -> list[list[Tensor]]:
    """Patches of one image, for each scale at most as many as wanted."""
    found: list[list[Tensor]] = [[] for _ in scales]
    if not foreground.any():
        return found
    if values == "relative":
        mask = torch.from_numpy(foreground)[None, None]
        thermal = standardise(torch.from_numpy(thermal)[None, None], mask)[0, 0].numpy()
    rng = np.random.default_rng(entropy)
    generator = torch.Generator().manual_seed(int(rng.integers(1 << 62)))
    pyramid, coverage = build_pyramid(thermal), build_pyramid(foreground.astype(np.float32))
    crops = math.ceil(max(wanted) / _PATCHES_PER_CROP)
    quotas = [_spread(count, range(crops)) for count in wanted]
    for number in range(crops):
        matrix, _ = draw_crop(rng, foreground, crop)
        # A pixel between the two is mixed of both; and beyond the image there is nothing, whatever its border holds.
        inside = warp_linear(coverage, matrix, crop.pixels) >= _WHOLLY
        inside &= warp_nearest(foreground.astype(np.uint8), matrix, crop.pixels) > 0
        mask = torch.from_numpy(inside)[None, None]
        image = torch.where(mask, torch.from_numpy(warp_linear(pyramid, matrix, crop.pixels))[None, None], 0.0)
        for place, scale in enumerate(scales):
            if quotas[place][number]:
                patches = sample_patches(
                    *downsample(image, mask, scale), patch_pixels, quotas[place][number], generator
                )
                found[place] += [] if patches is None else [patches]
    return found
