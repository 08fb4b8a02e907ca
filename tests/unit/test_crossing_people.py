"""Scenes of several people: who hides whom and by how much, where everybody walks, and who meets whom."""

import numpy as np
import pytest

from tfake.core.classes import FaceClass
from tfake.studies.crossing_people import KINDS, ScenePerson, compose_scene, group_people, walk_shifts

FRAMES, EDGE = 9, 20
#: Corners of a face of 8 x 8 pixels in the middle of a picture of 20.
POINTS = np.array([(6.0, 6.0), (13.0, 13.0)])


def person(skin, wall=22.0):
    """A square face on a wall, which stands still."""
    classes = np.zeros((FRAMES, EDGE, EDGE), np.uint8)
    classes[:, 6:14, 6:14] = FaceClass.SKIN
    celsius = np.where(classes > 0, np.float32(skin), np.float32(wall)).astype(np.float32)
    return ScenePerson(celsius, classes, np.repeat(POINTS[None].astype(np.float32), FRAMES, axis=0))


def moved(*rights):
    """Shifts of people who stand at places, in every frame."""
    return np.array([[(right, 0) for right in rights]] * FRAMES)


def test_the_nearer_hides_the_farther():
    scene = compose_scene([person(33), person(35)], moved(4, 0), np.random.default_rng(0))
    assert scene.celsius.shape == (FRAMES, EDGE, EDGE + 4)
    # Columns 10 to 18 are the nearer's; of the farther's 6 to 14 the first 4 of 8 are seen.
    assert (scene.celsius[:, 10, 10:18] == 33).all()
    assert (scene.celsius[:, 10, 6:10] == 35).all()
    np.testing.assert_allclose(scene.visible, [[1.0, 0.5]] * FRAMES)
    np.testing.assert_array_equal(scene.points[0, 0], POINTS + (4, 0))
    np.testing.assert_array_equal(scene.points[0, 1], POINTS)


def test_a_face_below_the_picture_is_not_seen():
    shifts = moved(0, 20)
    shifts[:, 1, 1] = 10
    scene = compose_scene([person(33), person(35)], shifts, np.random.default_rng(0))
    # Rows 16 to 24 of 20: four of eight.
    np.testing.assert_allclose(scene.visible, [[1.0, 0.5]] * FRAMES)


def test_the_wall_is_as_warm_and_as_noisy_as_the_pictures_own():
    noisy = []
    for seed, skin in enumerate((33.0, 35.0)):
        own = person(skin)
        noise = np.random.default_rng(seed).normal(0, 0.05, own.celsius.shape).astype(np.float32)
        noisy.append(own._replace(celsius=own.celsius + noise))
    scene = compose_scene(noisy, moved(0, 60), np.random.default_rng(5))
    wall = scene.celsius[:, :, 22:58]
    assert wall.mean() == pytest.approx(22.0, abs=0.02)
    assert wall.std() == pytest.approx(0.05, rel=0.1)
    again = compose_scene(noisy, moved(0, 60), np.random.default_rng(5))
    np.testing.assert_array_equal(again.celsius, scene.celsius)


@pytest.mark.parametrize("people", [2, 3])
@pytest.mark.parametrize("seed", range(4))
def test_people_pass_and_come_back(people, seed):
    passing, returning = (walk_shifts(kind, 21, people, 100, 80, np.random.default_rng(seed)) for kind in KINDS)
    for shifts in (passing, returning):
        assert shifts.shape == (21, people, 2)
        assert (shifts >= 0).all()
        assert len(set(shifts[0, :, 0].tolist())) == people
        assert (shifts[..., 1] == shifts[:1, :, 1]).all()
        # Whoever is not one of the two stands.
        assert (shifts[:, 2:] == shifts[:1, 2:]).all()
    np.testing.assert_array_equal(passing[-1, :2, 0], passing[0, 1::-1, 0])
    assert passing[10, 0, 0] == pytest.approx(passing[10, 1, 0], abs=1)
    np.testing.assert_array_equal(returning[-1, :, 0], returning[0, :, 0])
    assert (returning[:, 0] == returning[:1, 0]).all()
    assert returning[10, 1, 0] == returning[10, 0, 0]


def test_nobody_is_in_two_groups():
    people = [f"s{place:04d}" for place in range(8)]
    groups = group_people(people, 3, 0)
    assert sorted(who for group in groups for who in group) == people
    assert sorted(map(len, groups)) == [2, 3, 3]
    assert group_people(people[::-1], 3, 0) == groups != group_people(people, 3, 1)
    assert [len(group) for group in group_people(people[:3], 2, 0)] == [3]


def test_what_cannot_be_a_scene_is_refused():
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="expected one of pass, return and 2 or more people, found 'run' and 2"):
        walk_shifts("run", 5, 2, 10, 10, rng)
    with pytest.raises(ValueError, match="and 2 or more people, found 'pass' and 1"):
        walk_shifts("pass", 5, 1, 10, 10, rng)
    with pytest.raises(ValueError, match="expected groups of 2 or more"):
        group_people(["a"], 3, 0)
    with pytest.raises(ValueError, match=r"expected pictures of \(8, 20, 20\), found \(9, 20, 20\)"):
        compose_scene([person(33), person(35)], moved(0, 4)[:8], rng)
