"""What real pictures have: each thing does what its name says, moves no point, and never happens at strength 0."""

from dataclasses import fields

import numpy as np
import pytest

from tfake.imaging.real_world import (
    LEAST_ZOOM,
    ROLL_DEGREES,
    Framing,
    RealWorld,
    disturb_display,
    disturb_optics,
    disturb_scene,
    draw_framing,
)

P = 96
Y, X = np.mgrid[:P, :P]
FACE = (X - 48) ** 2 + (Y - 48) ** 2 < 30**2
CELSIUS = (np.where(FACE, 34.0, 22.0) + 0.02 * (X - 48)).astype(np.float32)
POINTS = np.array([(20, 20), (76, 20), (48, 48), (20, 76), (76, 76)], np.float32)
NAMES = [field.name for field in fields(RealWorld) if field.name != "strength"]
SCENE, DISPLAY = ("warm_background", "hot_object", "occluder"), ("saturated", "overlaid", "inverted")


def only(name):
    return RealWorld(**{other: float(other == name) for other in NAMES})


def seen(name, seed, image=CELSIUS):
    rng = np.random.default_rng(seed)
    if name in SCENE:
        return disturb_scene(image, POINTS, lambda: FACE.view(np.uint8), rng, only(name))
    if name in DISPLAY:
        return disturb_display(np.clip((image - 20) / 20, 0, 1), POINTS, rng, only(name))
    return disturb_optics(image, POINTS, rng, only(name))


def test_nothing_happens_and_nothing_is_drawn_without_strength():
    never, rng = RealWorld(0.0), np.random.default_rng(0)
    shown = np.clip((CELSIUS - 20) / 20, 0, 1)
    assert draw_framing(rng, never) == Framing()
    assert disturb_scene(CELSIUS, POINTS, lambda: FACE.view(np.uint8), rng, never) is CELSIUS
    assert disturb_optics(CELSIUS, POINTS, rng, never) is CELSIUS
    assert disturb_display(shown, POINTS, rng, never) is shown
    assert rng.random() == np.random.default_rng(0).random()


@pytest.mark.parametrize("name", [*SCENE, "blurred", "tiny", *DISPLAY])
def test_each_follows_from_its_seed_alone_and_leaves_its_input(name):
    before = CELSIUS.copy()
    first, again, other = seen(name, 1), seen(name, 1), seen(name, 2)
    np.testing.assert_array_equal(first, again)
    assert first.dtype == np.float32
    assert np.isfinite(first).all()
    assert name == "inverted" or not np.array_equal(first, other)
    np.testing.assert_array_equal(CELSIUS, before)
    if name in DISPLAY:
        assert 0 <= first.min() <= first.max() <= 1


def test_how_often_is_strength_times_probability():
    world = RealWorld(0.5, rolled=0.8)
    rng = np.random.default_rng(0)
    happened = np.mean([world.happens("rolled", rng) for _ in range(4000)])
    assert happened == pytest.approx(0.4, abs=0.03)
    for wrong in ({"strength": -1.0}, {"tiny": 1.5}, {"cut": float("nan")}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            RealWorld(**wrong)


def test_framings_stay_within_their_bounds():
    rng = np.random.default_rng(0)
    rolls = [draw_framing(rng, only("rolled")) for _ in range(200)]
    assert max(abs(framing.roll_degrees) for framing in rolls) == pytest.approx(ROLL_DEGREES, abs=3)
    assert {framing.zoom for framing in rolls} == {1.0}
    cuts = [draw_framing(rng, only("cut")) for _ in range(200)]
    assert all(LEAST_ZOOM <= framing.zoom < 1 and framing.roll_degrees is None for framing in cuts)
    reach = [np.hypot(*framing.shift) for framing in cuts]
    assert 0.05 <= min(reach) <= max(reach) <= 0.2


def test_a_warm_background_is_behind_the_person_alone():
    inside, outside = np.hypot(X - 48, Y - 48) < 26, np.hypot(X - 48, Y - 48) > 34
    for seed in range(10):
        image = seen("warm_background", seed)
        np.testing.assert_allclose(image[inside], CELSIUS[inside], atol=0.05)
        assert 34 - 3 < np.median(image[outside]) < 34 + 8
    unknown = disturb_scene(CELSIUS, POINTS, lambda: None, np.random.default_rng(0), only("warm_background"))
    assert unknown is CELSIUS


def test_objects_and_occluders_have_their_temperatures():
    extremes = np.array([seen("hot_object", seed) - CELSIUS for seed in range(40)])
    assert extremes.max() > 30
    assert extremes.min() < -15
    changed = [np.abs(seen("occluder", seed) - CELSIUS) > 0.5 for seed in range(40)]
    covered = np.array([mask[FACE].mean() for mask in changed])
    assert 0.05 < covered.mean() < 0.4
    assert covered.max() < 0.6


def test_a_lens_spreads_and_keeps_the_mean():
    sharp = np.zeros((P, P), np.float32)
    sharp[48, 48] = 1
    spread = seen("blurred", 0, sharp)
    assert spread.sum() == pytest.approx(1, abs=1e-3)
    variance = (spread * (X - 48) ** 2).sum()
    assert 0.8 < np.sqrt(variance) < 0.065 * 56


def test_a_tiny_face_has_a_few_pixels_and_stays_in_place():
    """A ramp goes through area and linear sampling unchanged, but for its ends: nothing is shifted."""
    ramp = X.astype(np.float32)
    for seed in range(5):
        image = seen("tiny", seed, ramp)
        np.testing.assert_allclose(image[48, 20:76], ramp[48, 20:76], atol=0.6)
    checks = ((X // 2 + Y // 2) % 2).astype(np.float32)
    assert max(seen("tiny", seed, checks)[20:76, 20:76].std() for seed in range(10)) < 0.25 < checks.std()


def test_too_much_gain_makes_much_of_the_face_white():
    plain = np.clip((CELSIUS - 20) / 20, 0, 1)
    box = np.s_[20:77, 20:77]
    for seed in range(20):
        white = (seen("saturated", seed)[box] == 1).mean()
        assert 0.35 < white < 0.95
    assert (plain == 1).mean() == 0
    assert seen("saturated", 0)[0, 0] == pytest.approx(0, abs=0.1)


def test_inversion_and_marks():
    plain = np.clip((CELSIUS - 20) / 20, 0, 1)
    np.testing.assert_allclose(seen("inverted", 0), 1 - plain, atol=1e-6)
    changed = [(seen("overlaid", seed) != plain) for seed in range(30)]
    shares = np.array([mask.mean() for mask in changed])
    assert (shares > 0).all()
    assert shares.max() < 0.25
