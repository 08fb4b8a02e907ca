"""Crops, batches: alignment, nearest class ids, endless order, and randomness that follows from seed and step alone."""

import numpy as np
import pytest
import torch

from tfake.archive.pairs import Pair
from tfake.core.classes import FaceClass
from tfake.imaging.augmentation import augment_rgb
from tfake.imaging.crops import CropSettings, ForegroundPixels, build_pyramid, draw_crop, warp_linear, warp_nearest
from tfake.imaging.foreground import estimate_foreground
from tfake.thermalizer.pair_sampling import PairSampler, SourceSampler
from tfake.training.rng import ProcessShard, RngStream, derive_seed, draw_indices

CROP = CropSettings(pixels=64, largest_zoom=1.0, rotation_degrees=30, shear_degrees=8, photometric_strength=1.0)
ROOMS = (20.0, 20.0)
PLAIN = CropSettings(pixels=64, largest_zoom=1.0, rotation_degrees=30, shear_degrees=8, photometric_strength=0.0)


def ramp(pixels=256):
    """Each pixel holds its own x and y."""
    y, x = np.mgrid[:pixels, :pixels].astype(np.float32)
    return np.stack((x, y), axis=-1)


def source(seed=0, pixels=160):
    rng = np.random.default_rng(seed)
    classes = np.zeros((pixels, pixels), np.uint8)
    classes[30:, 20:140] = 1
    classes[40:60, 40:120] = 13
    classes[100:110, 50:60] = 255
    return rng.integers(20, 255, (pixels, pixels, 3), dtype=np.uint8), classes


@pytest.mark.parametrize("zoom", [0.25, 0.3, 0.5, 0.8, 1.0])
def test_every_level_of_the_pyramid_samples_the_same_place(zoom):
    pixels = 64
    matrix = np.array([[1 / zoom, 0, 30.25], [0, 1 / zoom, 20.5]])
    crop = warp_linear(build_pyramid(ramp()), matrix, pixels)
    expected = ramp(pixels) / zoom + (30.25, 20.5)
    inside = (expected < 250).all(-1)
    np.testing.assert_allclose(crop[inside], expected[inside], atol=0.06)


def test_shrinking_does_not_alias():
    checks = ((np.indices((256, 256)).sum(0) % 2) * 200).astype(np.float32)
    crop = warp_linear(build_pyramid(checks), np.array([[4.0, 0, 1], [0, 4.0, 1]]), 60)
    np.testing.assert_allclose(crop, 100, atol=1)


def test_class_maps_are_sampled_by_nearest():
    """Defect 3 of the released code: between 1 and 13, a bilinear resize finds classes that are not there."""
    _, classes = source()
    rng = np.random.default_rng(0)
    for _ in range(20):
        crop = warp_nearest(classes, draw_crop(rng, classes > 0, CROP)[0], 64)
        assert set(np.unique(crop)) <= {0, 1, 13, 255}


def test_batches_of_sources_hold_no_new_class():
    sampler = SourceSampler([source(n) for n in range(3)], CROP, 4, 0, ROOMS)
    for step in range(5):
        assert set(sampler.batch(step).classes.unique().tolist()) <= {0, 1, 13, 255}


def test_magnifications_reach_from_the_whole_image_to_native_detail():
    rng = np.random.default_rng(0)
    foreground = np.ones((512, 512), bool)
    steps = [np.sqrt(abs(np.linalg.det(draw_crop(rng, foreground, CROP)[0][:, :2]))) for _ in range(300)]
    assert min(steps) < 1.15
    assert max(steps) > 0.9 * 512 / 64
    assert min(steps) >= 0.999
    assert max(steps) <= 512 / 64 + 1e-6


def test_crops_find_the_foreground():
    foreground = np.zeros((512, 512), bool)
    foreground[350:480, 40:200] = True
    rng = np.random.default_rng(0)
    shares = [draw_crop(rng, foreground, CROP)[1].mean() for _ in range(60)]
    assert np.mean(np.array(shares) > 0.02) > 0.95


def test_a_crop_comes_with_its_part_of_the_foreground():
    foreground = source()[1] > 0
    for seed in range(10):
        matrix, crop = draw_crop(np.random.default_rng(seed), foreground, CROP)
        np.testing.assert_array_equal(crop, warp_nearest(foreground.astype(np.uint8), matrix, 64) > 0)


@pytest.mark.parametrize("foreground", [source()[1] > 0, np.zeros((5, 7), bool)])
def test_places_are_those_of_the_foreground_in_reading_order(foreground):
    places = ForegroundPixels(foreground)
    rows, columns = np.nonzero(foreground if foreground.any() else ~foreground)
    assert len(places) == len(rows)
    for place in (0, len(rows) // 3, len(rows) - 1):
        assert places[place] == (columns[place], rows[place])


def test_order_is_endless_and_renewed():
    """Defect 4 of the released code: its second set ran dry."""
    drawn = [index for step in range(25) for index in draw_indices(10, 4, step, 0, RngStream.SOURCE_ORDER)]
    epochs = np.reshape(drawn, (10, 10))
    assert (np.sort(epochs, axis=1) == np.arange(10)).all()
    assert len({tuple(epoch) for epoch in epochs}) == 10


def test_a_set_smaller_than_a_batch_is_repeated():
    sampler = SourceSampler([source()], PLAIN, 3, 0, ROOMS)
    assert sampler.batch(1000).rgb.shape == (3, 3, 64, 64)


def test_randomness_depends_on_seed_and_step_alone():
    sources = [source(n) for n in range(5)]
    one, two = (SourceSampler(sources, CROP, 4, 7, ROOMS) for _ in range(2))
    one.batch(0)
    assert torch.equal(one.batch(3).rgb, two.batch(3).rgb)
    assert not torch.equal(one.batch(3).rgb, one.batch(4).rgb)
    assert not torch.equal(one.batch(3).rgb, SourceSampler(sources, CROP, 4, 8, ROOMS).batch(3).rgb)
    assert len({derive_seed(0, stream, step) for stream in RngStream for step in range(50)}) == 50 * len(RngStream)


def test_the_cache_changes_nothing():
    sources = [source(n) for n in range(3)]
    with_cache, without = (SourceSampler(sources, CROP, 3, 0, ROOMS, cache_bytes=n) for n in (1 << 30, 0))
    for step in range(3):
        assert torch.equal(with_cache.batch(step).rgb, without.batch(step).rgb)


def test_background_is_black_and_no_foreground():
    sampler = SourceSampler([source()], CROP, 4, 0, ROOMS)
    for step in range(5):
        batch = sampler.batch(step)
        assert (batch.rgb.permute(0, 2, 3, 1)[batch.classes == FaceClass.BACKGROUND] == 0).all()
        assert torch.equal(batch.foreground[:, 0], (batch.classes == 1) | (batch.classes == 13))


def test_pairs_move_together():
    rgb = np.zeros((160, 160, 3), np.uint8)
    rgb[..., 0] = np.arange(160)
    thermal = rgb[..., 0].astype(np.float32)
    sampler = PairSampler([Pair("a", rgb, thermal, np.ones((160, 160), np.uint8))], PLAIN, 4, 0, 23.0)
    batch = sampler.batch(0)
    difference = (batch.rgb[:, :1].float() - batch.thermal).abs()[batch.mask]
    assert difference.max() < 1.5


def test_pairs_with_classes_lose_their_background():
    rgb, classes = source()
    classes[classes == FaceClass.IGNORE] = FaceClass.SKIN
    batch = PairSampler([Pair("a", rgb, rgb[..., 0].astype(np.float32), classes)], PLAIN, 4, 0, 23.0).batch(0)
    assert torch.equal(batch.mask, batch.foreground)
    assert 0 < batch.mask.float().mean() < 1
    assert (batch.rgb.amax(1, keepdim=True)[~batch.mask] == 0).all()


def test_temperatures_do_not_fade_at_the_frame():
    thermal = np.full((160, 160), 30.0, np.float32)
    for classes in (None, np.ones((160, 160), np.uint8)):
        batch = PairSampler([Pair("a", source()[0], thermal, classes)], PLAIN, 8, 0, 23.0).batch(0)
        assert (batch.thermal == 30).all()
        assert (batch.rgb.amax(1, keepdim=True)[~batch.mask] == 0).all()


def test_pairs_without_classes_count_everywhere_inside_the_image():
    rgb, classes = source()
    thermal = 20 + 14.0 * (classes > 0).astype(np.float32)
    batch = PairSampler([Pair("a", rgb, thermal, None)], PLAIN, 8, 0, 23.0).batch(0)
    assert batch.mask.sum() > batch.foreground.sum() > 0
    assert (batch.thermal[batch.foreground] > 26).float().mean() > 0.95


def test_the_warm_part_is_taken_for_the_person():
    _, classes = source()
    thermal = np.where(classes > 0, 200.0, 30.0).astype(np.float32)
    thermal[80:90, 80:90] = 40  # a lens: cold, but inside
    np.testing.assert_array_equal(estimate_foreground(thermal), classes > 0)


@pytest.mark.parametrize("sampler", [PairSampler, SourceSampler])
def test_an_empty_set_is_refused(sampler):
    with pytest.raises(ValueError, match=r"empty|no source"):
        sampler([], CROP, 4, 0, ROOMS)


def test_augmentation_follows_its_strength_and_its_generator():
    rgb, _ = source()
    np.testing.assert_array_equal(augment_rgb(rgb, np.random.default_rng(0), 0.0), rgb)
    outcomes = [augment_rgb(rgb, np.random.default_rng(seed), 1.0) for seed in range(30)]
    np.testing.assert_array_equal(outcomes[3], augment_rgb(rgb, np.random.default_rng(3), 1.0))
    assert all(o.shape == rgb.shape and o.dtype == np.uint8 for o in outcomes)
    assert sum(not np.array_equal(o, rgb) for o in outcomes) > 20


def test_a_pair_shows_its_classes_with_lenses_filled_or_none_at_all():
    rgb, classes = source()
    classes[classes == 13] = 1
    classes[50:90, 50:110] = 16
    classes[55:85, 55:75] = 1  # a lens behind its frame
    thermal = classes.astype(np.float32)
    shown = PairSampler([Pair("a", rgb, thermal, classes)], PLAIN, 4, 0, 23.0).batch(0).classes
    unknown = PairSampler([Pair("a", rgb, thermal, None)], PLAIN, 4, 0, 23.0).batch(0).classes
    assert shown.shape == (4, 64, 64)
    assert (shown == 16).any()
    assert (unknown == 255).all()


def test_processes_share_a_batch_and_make_what_one_would():
    sources = [source(n) for n in range(5)]
    whole = SourceSampler(sources, CROP, 4, 7, (12.0, 30.0)).batch(2)
    parts = [SourceSampler(sources, CROP, 4, 7, (12.0, 30.0), ProcessShard(rank, 2)).batch(2) for rank in range(2)]
    for rank, part in enumerate(parts):
        assert torch.equal(part.rgb, whole.rgb[rank::2])
        assert torch.equal(part.ambient_celsius, whole.ambient_celsius[rank::2])


def test_rooms_are_drawn_between_their_ends_and_pairs_have_their_own():
    sampler = SourceSampler([source()], PLAIN, 4, 0, (12.0, 30.0))
    rooms = torch.cat([sampler.batch(step).ambient_celsius for step in range(50)])
    assert rooms.min() >= 12
    assert rooms.max() <= 30
    assert rooms.mean().item() == pytest.approx(21, abs=1.5)
    rgb, classes = source()
    pairs = [Pair(f"{room}", rgb, rgb[..., 0].astype(np.float32), classes, "", room) for room in (15.0, None)]
    assert sorted(PairSampler(pairs, PLAIN, 2, 0, 23.0).batch(0).ambient_celsius.tolist()) == [15, 23]


def test_dropped_class_maps_are_unknown_to_the_network_alone():
    sampler = SourceSampler([source()], PLAIN, 40, 0, ROOMS, class_dropout=0.5)
    batch = sampler.batch(0)
    assert 8 < batch.dropped.sum() < 32
    assert (batch.known_classes[batch.dropped] == FaceClass.IGNORE).all()
    assert torch.equal(batch.known_classes[~batch.dropped], batch.classes[~batch.dropped])
    assert (batch.classes[batch.dropped] == FaceClass.SKIN).any()
