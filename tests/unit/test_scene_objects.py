"""What thermal scenes hold beside people: each thing, and each background, within what it may be."""

import numpy as np
import pytest

from tfake.imaging.scene_backgrounds import draw_background, smooth_field
from tfake.imaging.scene_objects import OBJECTS, SceneObject, draw_object, lay_over

SHAPE = (60, 80)


@pytest.mark.parametrize("name", OBJECTS)
def test_a_thing_follows_from_its_generator_and_covers_a_part(name):
    shares = []
    for seed in range(12):
        thing, again = (draw_object(np.random.default_rng(seed), SHAPE, (name,)) for _ in range(2))
        np.testing.assert_array_equal(thing.share, again.share)
        np.testing.assert_array_equal(thing.celsius, again.celsius)
        assert thing.share.shape == thing.celsius.shape == SHAPE
        assert thing.share.dtype == np.float32
        assert thing.share.min() >= 0
        assert thing.share.max() <= 1.001
        assert np.isfinite(thing.celsius).all()
        shares.append(thing.share.mean())
    assert max(shares) > 0.003
    assert min(shares) < 0.7


def where_covered(name):
    """(M, 2) coldest and warmest temperature of things that are seen."""
    things = [draw_object(np.random.default_rng(seed), SHAPE, (name,)) for seed in range(60)]
    seen = [thing.celsius[thing.share > 0.9] for thing in things if (thing.share > 0.9).sum() > 3]
    return np.array([(part.min(), part.max()) for part in seen])


def test_things_are_as_warm_as_they_are():
    lamps, arms, animals = where_covered("lamp"), where_covered("arm"), where_covered("animal")
    assert lamps.min() > 33
    assert lamps.max() > 80
    # Skin and sleeves, and a hand of which some fingers are cold.
    assert 14 < arms.min() <= arms.max() < 42
    # The eyes of an animal are warmer than its fur.
    assert (animals[:, 1] - animals[:, 0]).max() > 5
    assert animals.max() < 42


def test_a_thing_is_before_the_scene():
    share = np.zeros(SHAPE, np.float32)
    share[:30], share[30] = 1.0, 0.5
    scene = lay_over(np.full(SHAPE, 20, np.float32), SceneObject(share, np.full(SHAPE, 60, np.float32)))
    assert [scene[row, 0] for row in (0, 30, 31)] == [60, 40, 20]


def test_backgrounds_are_places_that_exist():
    means = []
    for seed in range(120):
        background, again = (draw_background(np.random.default_rng(seed), SHAPE) for _ in range(2))
        np.testing.assert_array_equal(background, again)
        assert (background.shape, background.dtype) == (SHAPE, np.float32)
        assert -60 < background.min() <= background.max() < 70
        means.append(background.mean())
    # Skies and walls as warm as skin are among them.
    assert min(means) < 5
    assert max(means) > 32


def test_a_field_is_as_uneven_as_it_is_asked_to_be():
    rng = np.random.default_rng(0)
    assert smooth_field(rng, SHAPE, 0.0).std() == 0
    measured = np.mean([smooth_field(rng, SHAPE, 2.0, 8).std() for _ in range(20)])
    assert 1 < measured < 2.2
