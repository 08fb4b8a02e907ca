"""Sample the bank of real thermal patches of one condition."""

import logging
from collections.abc import Mapping

from tfake.archive.pairs import open_pairs
from tfake.archive.thermal_images import ThermalsOfPairs, open_thermal_images
from tfake.core.devices import limit_threads
from tfake.imaging.crops import CropSettings
from tfake.thermalizer.patch_bank import sample_patch_bank, save_patch_bank


def sample_patches(
    patches: str,
    images: str,
    values: str | Mapping,
    pair_layout: str | None,
    image_pixels: int,
    largest_zoom: float,
    rotation_degrees: float,
    shear_degrees: float,
    patch_pixels: int,
    patch_scales: list[int],
    bank_patches: int,
    seed: int,
    threads: int,
) -> None:
    """Write a bank of patches of thermal images.

    Args:
        patches: the bank to write (:func:`tfake.thermalizer.patch_bank.load_patch_bank` reads it).
        images: folder or zip of thermal images, or of pairs.
        values: what they hold, as :func:`tfake.thermal_io.scales.parse_scale` reads it.
        pair_layout: how pairs are named (:data:`tfake.archive.pairs.PAIR_LAYOUTS`); None for thermal images.
        image_pixels: edge of the crops.
        largest_zoom: finest magnification of a crop, crop pixels an image pixel.
        rotation_degrees: largest rotation of a crop, either way.
        shear_degrees: largest shear of a crop, either way.
        patch_pixels: edge of a patch.
        patch_scales: downsampling factors.
        bank_patches: how many patches at each scale.
        seed: every random choice follows from it.
        threads: threads for torch.

    Raises:
        ValueError: a set of images that cannot be used, or no patch fits anywhere; the message names it.
    """
    limit_threads(threads)
    if pair_layout is None:
        thermal = open_thermal_images(images, values)
    else:
        thermal = ThermalsOfPairs(open_pairs(images, values, pair_layout))
    crop = CropSettings(image_pixels, largest_zoom, rotation_degrees, shear_degrees, photometric_strength=0.0)
    bank = sample_patch_bank(
        thermal,
        values=thermal.values,
        crop=crop,
        patch_pixels=patch_pixels,
        scales=patch_scales,
        patches=bank_patches,
        seed=seed,
    )
    for scale, cloud in zip(bank.scales, bank.patches, strict=True):
        logging.info("scale %d: %d patches of %d images", scale, len(cloud), len(thermal))
    save_patch_bank(patches, bank)


if __name__ == "__main__":
    from tfake.core.runlog import start_log

    start_log(snakemake.log[0])
    is_bank = snakemake.params.bank_path is not None
    sample_patches(
        patches=snakemake.output.patches,
        images=str(snakemake.input.images),
        values=snakemake.params.bank_values if is_bank else snakemake.params.pair_values,
        pair_layout=None if is_bank else snakemake.params.pair_layout,
        image_pixels=snakemake.params.image_pixels,
        largest_zoom=snakemake.params.largest_zoom,
        rotation_degrees=snakemake.params.rotation_degrees,
        shear_degrees=snakemake.params.shear_degrees,
        patch_pixels=snakemake.params.patch_pixels,
        patch_scales=list(snakemake.params.patch_scales),
        bank_patches=snakemake.params.bank_patches,
        seed=snakemake.params.seed,
        threads=snakemake.threads,
    )
