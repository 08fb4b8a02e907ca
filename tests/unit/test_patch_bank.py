"""Patch banks: foreground alone, the images' own distribution, every image's part, and equal bytes."""

import logging

import numpy as np
import pytest
import torch

from tfake.archive.thermal_images import open_thermal_images
from tfake.core.radiometry import encode_celsius
from tfake.imaging.crops import CropSettings
from tfake.thermalizer.patch_bank import PatchBank, load_patch_bank, sample_patch_bank, save_patch_bank
from tfake.thermalizer.patches import RELATIVE_SPREAD_KELVIN
from thermal_sets import write_set
from thermalizers.sample_patches import sample_patches

CROP = CropSettings(pixels=64, largest_zoom=1.0, rotation_degrees=25, shear_degrees=8, photometric_strength=0.0)
LARGE = CropSettings(pixels=160, largest_zoom=1.0, rotation_degrees=25, shear_degrees=8, photometric_strength=0.0)


def disc(height=120, width=100, radius=45):
    y, x = np.mgrid[:height, :width]
    return np.hypot(y - height / 2, x - width / 2) < radius


def image(inside=30.0, outside=1000.0, **shape):
    foreground = disc(**shape)
    return np.where(foreground, inside, outside).astype(np.float32), foreground


def bank_of(images, *, values="celsius", crop=CROP, patch_pixels=8, scales=(1, 2), patches=200, seed=0):
    return sample_patch_bank(
        images, values=values, crop=crop, patch_pixels=patch_pixels, scales=scales, patches=patches, seed=seed
    )


@pytest.mark.parametrize(
    ("shape", "crop"),
    [
        ({}, CROP),
        ({"height": 300, "width": 260, "radius": 100}, CROP),
        ({"height": 241, "width": 207, "radius": 80}, LARGE),
        ({"height": 64, "width": 64, "radius": 30}, LARGE),
    ],
    ids=["near native", "shrunk", "a little larger than a crop", "smaller than a crop"],
)
def test_patches_hold_foreground_alone(shape, crop):
    bank = bank_of([image(**shape)], crop=crop)
    assert [len(cloud) for cloud in bank.patches] == [200, 200]
    for cloud in bank.patches:
        assert cloud.dtype == np.float32
        np.testing.assert_allclose(cloud, 30, atol=0.02)


def test_nothing_comes_from_beyond_the_image():
    """A foreground that touches the border ends there, though the image's border is repeated for the crop."""
    thermal = np.tile(np.arange(48, dtype=np.float32), (48, 1))
    bank = bank_of([(thermal, np.ones((48, 48), bool))], scales=(1,), patches=500)
    spread = np.ptp(bank.patches[0], axis=1)
    assert spread.min() > 3  # a repeated border is flat


def test_every_image_gives_its_part():
    images = [image(inside=float(n)) for n in range(7)]
    bank = bank_of(images, patches=100)
    for cloud in bank.patches:
        counts = np.unique(np.rint(cloud.mean(1)), return_counts=True)[1]
        assert (counts.sum(), len(counts)) == (100, 7)
        assert set(counts) <= {14, 15}


def test_images_without_room_leave_their_part_to_the_others():
    empty = (np.full((50, 50), 5.0, np.float32), np.zeros((50, 50), bool))
    bank = bank_of([empty, image(inside=30), empty, image(inside=31)], patches=101)
    for cloud in bank.patches:
        assert len(cloud) == 101
        assert (cloud > 29).all()


def test_where_few_crops_have_room_others_make_up_for_it():
    bank = bank_of([image(radius=16), image(inside=31, radius=16)], scales=(1, 2), patches=300)
    assert [len(cloud) for cloud in bank.patches] == [300, 300]


def test_more_images_than_patches_give_one_each():
    bank = bank_of([image(inside=float(n)) for n in range(30)], patches=20)
    assert len(np.unique(np.rint(bank.patches[0].mean(1)))) == 20


@pytest.mark.slow
def test_the_distribution_is_the_image_s():
    rng = np.random.default_rng(0)
    thermal = rng.normal(33, 0.8, (200, 200)).astype(np.float32)
    # Magnified to itself and not turned, a crop keeps the pixels' spread, but for interpolation.
    crop = CropSettings(pixels=200, largest_zoom=1.0, rotation_degrees=0, shear_degrees=0, photometric_strength=0.0)
    bank = bank_of([(thermal, np.ones((200, 200), bool))], crop=crop, scales=(1, 2, 4), patches=2000)
    for scale, cloud in zip(bank.scales, bank.patches, strict=True):
        assert cloud.mean() == pytest.approx(33, abs=0.05)
        assert cloud.std() == pytest.approx(0.8 / scale, rel=0.06)


def test_relative_images_are_standardised():
    rng = np.random.default_rng(0)
    foreground = disc()
    base = rng.normal(0, 1, foreground.shape).astype(np.float32)
    one = [(np.where(foreground, base, 500).astype(np.float32), foreground)]
    two = [(np.where(foreground, 40 * base + 90, 0).astype(np.float32), foreground)]
    banks = [bank_of(images, values="relative") for images in (one, two)]
    for first, second in zip(banks[0].patches, banks[1].patches, strict=True):
        np.testing.assert_allclose(first, second, atol=1e-3)
    assert 0.5 < banks[0].patches[0].std() / RELATIVE_SPREAD_KELVIN < 1.1


def test_the_seed_decides(tmp_path):
    rng = np.random.default_rng(1)
    images = [(rng.normal(30, 1, (80, 80)).astype(np.float32), disc(80, 80, 35)) for _ in range(3)]
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        save_patch_bank(tmp_path / name, bank_of(images, seed=seed))
    a, b, c = ((tmp_path / name).read_bytes() for name in "abc")
    assert a == b
    assert a != c
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b", "c"]


def test_a_scale_without_room_is_empty_and_said(caplog):
    with caplog.at_level(logging.WARNING):
        bank = bank_of([image(radius=12)], scales=(1, 4, 16), patches=10)
    assert [len(cloud) for cloud in bank.patches] == [10, 0, 0]
    assert bank.patches[2].shape == (0, 64)
    assert "0 of 10 patches at scale 4" in caplog.text
    assert "scale 16" in caplog.text
    with pytest.raises(ValueError, match="no patch at scale 4"):
        bank.draw(1, 5, torch.Generator())


def test_no_patch_at_all_is_refused():
    with pytest.raises(ValueError, match="without any patch"):
        bank_of([image(radius=3)])
    with pytest.raises(ValueError, match="no thermal images"):
        bank_of([])


def test_draws_follow_the_generator():
    cloud = np.arange(40 * 4, dtype=np.float32).reshape(40, 4)
    bank = PatchBank("celsius", 2, (1,), (cloud,))
    one, two = (bank.draw(0, 1000, torch.Generator().manual_seed(5)) for _ in range(2))
    assert torch.equal(one, two)
    assert one.shape == (1000, 4)
    assert one.dtype == torch.float32
    assert set(one[:, 0].tolist()) == set(cloud[:, 0].tolist())


def test_a_bank_survives_its_file(tmp_path):
    bank = bank_of([image()], values="relative", scales=(1, 2, 16), patches=10)
    save_patch_bank(tmp_path / "b.npz", bank)
    loaded = load_patch_bank(tmp_path / "b.npz")
    assert (loaded.values, loaded.patch_pixels, loaded.scales) == ("relative", 8, (1, 2, 16))
    for before, after in zip(bank.patches, loaded.patches, strict=True):
        np.testing.assert_array_equal(before, after)


def test_a_file_that_is_no_bank_is_named(tmp_path):
    path = tmp_path / "b.npz"
    with pytest.raises(FileNotFoundError):
        load_patch_bank(path)
    save_patch_bank(path, bank_of([image()], patches=10))
    whole = path.read_bytes()
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    flipped = bytearray(whole)
    flipped[whole.index(b"NUMPY", 2000) + 300] ^= 0xFF
    for content in (b"", b"no bank", whole[:-50], bytes(flipped), (tmp_path / "other.npz").read_bytes()):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"b\.npz is no usable patch bank"):
            load_patch_bank(path)


@pytest.mark.parametrize(
    "parts",
    [
        ("kelvin", 2, (1,), (np.zeros((3, 4), np.float32),)),
        ("celsius", 2, (1, 2), (np.zeros((3, 4), np.float32),)),
        ("celsius", 3, (1,), (np.zeros((3, 4), np.float32),)),
        ("celsius", 2, (1,), (np.zeros((3, 4)),)),
        ("celsius", 2, (1,), (np.full((3, 4), np.nan, np.float32),)),
    ],
)
def test_parts_that_do_not_fit_are_refused(parts):
    with pytest.raises(ValueError, match=r"expected|one of"):
        PatchBank(*parts)


SETTINGS = {
    "image_pixels": 48,
    "largest_zoom": 1.0,
    "rotation_degrees": 25.0,
    "shear_degrees": 8.0,
    "patch_pixels": 4,
    "patch_scales": [1, 2],
    "bank_patches": 64,
    "seed": 0,
    "threads": 1,
}


def test_the_script_reads_thermal_images_and_pairs(tmp_path, one_thread):
    thermal = np.where(disc(64, 64, 25), 33.0, 20.0).astype(np.float32)
    rgb = np.zeros((64, 64, 3), np.uint8)
    write_set(tmp_path / "alone", {"x.npy": thermal})
    write_set(tmp_path / "pairs", {"visible/x.png": rgb, "thermal/x.png": encode_celsius(thermal)})
    for name, layout in (("alone", None), ("pairs", "folders")):
        out = tmp_path / f"{name}.npz"
        sample_patches(str(out), str(tmp_path / name), "celsius", layout, **SETTINGS)
        bank = load_patch_bank(out)
        assert [cloud.shape for cloud in bank.patches] == [(64, 16), (64, 16)]
        np.testing.assert_allclose(bank.patches[0], 33, atol=0.01)


def test_real_faces_fill_a_bank(request):
    folder = request.config.rootpath / "../shared/data/lwir_faces"
    if not folder.is_dir():
        pytest.skip("needs ../shared/data/lwir_faces")
    images = open_thermal_images(folder, "relative")
    bank = bank_of(images, values="relative", crop=LARGE, scales=(1, 2, 4), patches=1024)
    assert [len(cloud) for cloud in bank.patches] == [1024] * 3
    for cloud in bank.patches:
        # What is wrongly taken from the background would lie ten spreads below the faces.
        assert 0.4 < cloud.std() / RELATIVE_SPREAD_KELVIN < 1.5
        assert abs(cloud.mean()) < RELATIVE_SPREAD_KELVIN
