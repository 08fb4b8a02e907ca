"""Crops for landmark training: points stay on what they mark, mirrors swap sides, all follows from seed and step."""

from dataclasses import fields

import numpy as np
import pytest
import torch

from tfake.imaging.real_world import RealWorld
from tfake.imaging.textures import draw_texture
from tfake.imaging.thermal_augmentation import augment_thermal
from tfake.labels.conventions import reference_face
from tfake.landmarks.crop_sampling import FaceSampler, center_crop, crop_face, mirror_order, negative_crops
from tfake.landmarks.landmark_settings import LandmarkSettings
from tfake.training.rng import ProcessShard
from tiny_landmarks import make_faces, settings

FACES = make_faces(4)
PLAIN = {"thermal_share": 1.0, "thermal_strength": 0.0, "real_world_strength": 0.0}


@pytest.mark.parametrize("landmarks", [70, 478])
def test_mirror_order_is_an_involution_and_mirrors_the_mean_face(landmarks):
    order = mirror_order(landmarks)
    assert sorted(order) == list(range(landmarks))
    np.testing.assert_array_equal(order[order], np.arange(landmarks))
    mean = reference_face()[:70] if landmarks == 70 else reference_face()[70:]
    face = mean[:, :2] - mean[:, :2].mean(axis=0)
    mirrored = (face * (-1, 1))[order]
    size = np.sqrt(np.prod(np.ptp(face, axis=0)))
    error = np.linalg.norm(mirrored - face, axis=1).mean() / size
    unswapped = np.linalg.norm(face * (-1, 1) - face, axis=1).mean() / size
    assert error < 0.01
    assert unswapped > 0.2


def dots(image, points, pixels):
    """How bright a crop is at points, against its median."""
    places = np.clip(np.round(points * pixels - 0.5).astype(int), 0, pixels - 1)
    values = image[places[:, 1], places[:, 0]]
    values = values if image.ndim == 2 else values[:, 0]
    return values / 255 if image.dtype == np.uint8 else values


def test_points_stay_on_what_they_mark():
    """The first four points of each face lie on warm dots; turned, sheared and moved, they still do."""
    plain = settings(
        thermal_share=1.0,
        thermal_strength=0.0,
        real_world_strength=0.0,
        background_share=0.0,
        image_pixels=96,
        crop_scale=[1.0, 1.5],
        shift=0.02,
    )
    order = np.arange(70)
    for number in range(20):
        rng = np.random.default_rng(number)
        image, points, _ = crop_face(FACES[number % 4], order, rng, plain)[:3]
        assert dots(image, points[:4], 96).min() > 0.8  # 39 °C is .95, skin at 35 °C is .75


def test_points_stay_on_what_they_mark_when_heads_are_rolled_and_cut(monkeypatch):
    framed = RealWorld(
        **{field.name: float(field.name in ("strength", "rolled", "cut")) for field in fields(RealWorld)}
    )
    monkeypatch.setattr(LandmarkSettings, "real_world", framed)
    plain = settings(thermal_share=1.0, thermal_strength=0.0, background_share=0.0, image_pixels=96, shift=0.02)
    beyond = 0
    for number in range(20):
        image, points, _ = crop_face(FACES[number % 4], np.arange(70), np.random.default_rng(number), plain)[:3]
        inside = ((points[:4] > 0.02) & (points[:4] < 0.98)).all(axis=1)
        assert dots(image, points[:4][inside], 96).min() > 0.8
        beyond += (np.abs(points - 0.5) > 0.5).any()
    assert beyond > 5


def test_a_mirrored_crop_names_the_other_side():
    order = mirror_order(70)
    plain = settings(
        thermal_share=1.0, thermal_strength=0.0, real_world_strength=0.0, background_share=0.0, image_pixels=96
    )
    seen = set()
    for number in range(8):
        swapped = crop_face(FACES[0], order, np.random.default_rng(number), plain)[1]
        kept = crop_face(FACES[0], np.arange(70), np.random.default_rng(number), plain)[1]
        mirrored = not np.array_equal(swapped, kept)
        np.testing.assert_array_equal(swapped, kept[order] if mirrored else kept)
        seen.add(mirrored)
    assert seen == {True, False}


def test_a_step_gives_the_same_crops_whatever_ran_before():
    first, second = (FaceSampler(FACES, 70, settings(seed=3)) for _ in range(2))
    second.batch(0)
    for name, value in vars(first.batch(5)).items():
        assert torch.equal(value, getattr(second.batch(5), name)), name
    assert not torch.equal(first.batch(5).images, first.batch(6).images)


def test_batches_hold_faces_and_textures():
    batch = FaceSampler(FACES, 70, settings(batch=8, texture_share=0.25)).batch(0)
    assert batch.images.shape == (8, 3, 32, 32)
    assert batch.images.dtype == torch.float32
    assert batch.is_face.sum() == 6
    assert (len(batch.colour) + len(batch.gray), batch.colour.dtype, batch.gray.dtype) == (
        8,
        torch.uint8,
        torch.float16,
    )
    assert 0 <= batch.images.min() <= batch.images.max() <= 1
    assert ((batch.points[~batch.is_face] >= 0) & (batch.points[~batch.is_face] <= 1)).all()


@pytest.mark.parametrize("processes", [2, 4, 8])
def test_processes_make_as_many_crops_as_one_another(processes):
    chosen = settings(batch=8, texture_share=0.125, real_share=0.5, others_share=0.2)
    sets = {"real": make_faces(2), "others": make_faces(3)}
    whole = FaceSampler(FACES, 70, chosen, **sets).batch(2)
    shards = [ProcessShard(rank, processes) for rank in range(processes)]
    parts = [FaceSampler(FACES, 70, chosen, shard, **sets).batch(2) for shard in shards]
    assert [len(part.points) for part in parts] == [8 // processes] * processes
    crops = torch.cat([part.points.flatten(1) for part in parts])
    assert sorted(crops.tolist()) == sorted(whole.points.flatten(1).tolist())


def test_modalities():
    """RGB crops have colour, thermal ones have none."""
    for share in (0.0, 1.0):
        batch = FaceSampler(FACES, 70, settings(batch=8, thermal_share=share, background_share=0.0)).batch(0)
        gray = (batch.images[batch.is_face].std(1).mean((1, 2)) < 1e-6).float().mean().item()
        assert gray == 1.0 if share else gray < 0.5


def test_a_texture_fills_the_background_alone():
    plain = settings(
        thermal_share=1.0, thermal_strength=0.0, real_world_strength=0.0, background_share=1.0, image_pixels=96
    )
    image, points, _ = crop_face(FACES[0], np.arange(70), np.random.default_rng(0), plain)[:3]
    assert dots(image, points[:4], 96).min() > 0.8
    assert image.shape == (96, 96)
    assert image.std() > 0.05


def test_still_crops_are_centred():
    image, points, weights = center_crop(FACES[0], "warm", 1.25, 64)
    assert image.shape == (64, 64, 3)
    np.testing.assert_allclose((points.min(0) + points.max(0)) / 2, 0.5, atol=0.01)
    assert np.ptp(points, axis=0).max() == pytest.approx(0.8, abs=0.01)
    assert (weights == 1).all()
    assert dots(image, points[:4], 64).min() > 0.8
    assert len(negative_crops(FACES[0], None, 64)) == 4


def test_thermal_looks():
    celsius = np.linspace(15, 45, 64 * 64, dtype=np.float32).reshape(64, 64)
    plain = augment_thermal(celsius, np.random.default_rng(0), 0.0)
    np.testing.assert_allclose(plain, np.clip((celsius - 20) / 20, 0, 1), atol=1e-6)
    looks = [augment_thermal(celsius, np.random.default_rng(seed), 1.0) for seed in range(40)]
    assert all(look.dtype == np.float32 and look.min() >= 0 and look.max() <= 1 for look in looks)
    inverted = [np.corrcoef(look.ravel(), plain.ravel())[0, 1] < 0 for look in looks]
    assert 0 < sum(inverted) < 15


def test_textures_differ_and_repeat():
    textures = [draw_texture(np.random.default_rng(seed), 48) for seed in range(30)]
    assert all(texture.shape == (48, 48, 3) and 0 <= texture.min() <= texture.max() <= 1 for texture in textures)
    np.testing.assert_array_equal(textures[3], draw_texture(np.random.default_rng(3), 48))
    assert np.mean([texture.std() > 0.02 for texture in textures]) > 0.8
