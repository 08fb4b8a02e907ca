"""Label adapters: the plain mapping, the frame of a face, and networks that start from one and work in the other."""

import json

import numpy as np
import pytest
import torch

from annotated_sets import seen_from
from landmarks import train_adapter as script
from tfake.labels.conventions import convention, conventions, reference_face
from tfake.landmarks.adapter_training import AdapterSettings, PairedPoints, points_of, train_adapter
from tfake.landmarks.adapters import (
    AdapterArchitecture,
    LabelAdapter,
    faces_right,
    fit_frames,
    flip,
    index_table,
    load_adapter,
    plain_map,
    save_adapter,
)

NAMES = tuple(conventions())
QUICK = AdapterSettings(width=48, steps=150, batch=64, jitter=0.0)


def test_the_sets_have_their_counts():
    counts = {"face70": 70, "ibug68": 68, "mesh478": 478, "sf_tl54": 54, "charlotte73": 73, "charlotte43": 43}
    assert {name: conventions()[name].points for name in NAMES} == counts | {"both548": 548, "tfw5": 5, "aflw19": 19}
    with pytest.raises(ValueError, match="mesh478"):
        convention("wflw98")


@pytest.mark.parametrize("name", [name for name in NAMES if name != "charlotte43"])
def test_a_mirror_is_its_own_inverse_and_fits_the_face(name):
    partners = convention(name).partners
    np.testing.assert_array_equal(partners[partners], np.arange(len(partners)))
    points = convention(name).places @ reference_face()
    assert np.abs(points[:, :2] * (-1, 1) - points[partners, :2]).max() < 0.05


def test_shared_points_are_copied_by_index():
    face = seen_from("face70", 20)
    np.testing.assert_array_equal(plain_map(face, "face70", "ibug68"), face[:68])
    np.testing.assert_array_equal(plain_map(face, "face70", "sf_tl54")[48:], face[[48, 51, 54, 57, 62, 66]])
    np.testing.assert_array_equal(plain_map(face, "face70", "tfw5"), face[[68, 69, 30, 48, 54]])
    np.testing.assert_array_equal(plain_map(face, "face70", "charlotte73")[:68], face[:68])
    assert index_table("face70", "charlotte73")[1].sum() == 68


@pytest.mark.parametrize("target", NAMES)
@pytest.mark.parametrize("source", [name for name in NAMES if conventions()[name].points > 40])
def test_the_mean_face_is_mapped_exactly_at_any_yaw(source, target):
    for yaw in (-40, -10):
        mapped = plain_map(seen_from(source, yaw), source, target)
        # Pupils are taken for the middle of their lids where they are not told: 2 % of a face.
        assert np.abs(mapped - seen_from(target, yaw)).max() < 1.5


def test_a_profile_takes_the_side_that_is_seen():
    for yaw in (-50, 50):
        face = seen_from("face70", yaw)
        assert faces_right(face, "face70") == (yaw > 0)
        profile = plain_map(face, "face70", "charlotte43")
        assert faces_right(profile, "charlotte43") == (yaw > 0)
        # The jaw begins at the ear that is seen, and ends at the chin.
        np.testing.assert_allclose(profile[[0, 11]], face[[0 if yaw > 0 else 16, 8]])
    left, right = (plain_map(seen_from("face70", yaw, middle=(0, 0)), "face70", "charlotte43") for yaw in (-50, 50))
    np.testing.assert_allclose(flip(right, "charlotte43"), left, atol=1.5)


def moved(points, angle=0.7, scale=2.5, shift=(30.0, -12.0)):
    turn = np.array(((np.cos(angle), -np.sin(angle)), (np.sin(angle), np.cos(angle)))) * scale
    return points @ turn.T + shift


def test_the_frame_takes_out_place_scale_and_roll():
    faces = np.stack([seen_from("ibug68", 25), moved(seen_from("ibug68", 25))])
    entered = fit_frames(faces, "ibug68").to_frame(faces)
    np.testing.assert_allclose(entered[0], entered[1], atol=1e-9)
    np.testing.assert_allclose(fit_frames(faces, "ibug68").to_image(entered), faces, atol=1e-9)
    with pytest.raises(ValueError, match="finite"):
        fit_frames(np.full((1, 68, 2), np.nan), "ibug68")
    with pytest.raises(ValueError, match=r"\(B, 68, 2\)"):
        fit_frames(faces[:, :60], "ibug68")


def test_an_untrained_adapter_is_the_plain_mapping():
    face = seen_from("face70", 15)
    adapter = LabelAdapter(AdapterArchitecture("face70", "charlotte73", 16))
    assert sum(isinstance(layer, torch.nn.Linear) for layer in adapter.layers) == 5
    np.testing.assert_allclose(adapter.adapt(face), plain_map(face, "face70", "charlotte73"), atol=1e-9)


def shifted_pairs(count=60):
    """Annotators who put the forehead higher, and the chin lower, than the mean face's."""
    rng = np.random.default_rng(1)
    yaws = rng.uniform(-40, 40, count)
    places = rng.uniform(20, 200, (count, 2))
    sizes = rng.uniform(10, 60, count)
    given, wanted = [], []
    for yaw, size, place in zip(yaws, sizes, places, strict=True):
        given.append(seen_from("face70", yaw, size, place))
        points = seen_from("charlotte73", yaw, size, place)
        points[68:, 1] -= 0.3 * size
        points[8, 1] += 0.1 * size
        wanted.append(points)
    return PairedPoints("face70", "charlotte73", np.array(given), np.array(wanted), np.arange(count) // 3)


def test_training_beats_the_plain_mapping_on_other_people(one_thread):
    pairs = shifted_pairs()
    pairs.wanted[::7, 20] = np.nan
    adapter, errors = train_adapter(pairs, QUICK)
    assert errors["untold"] == 5
    assert errors["plain_untold"] > 0.08
    assert errors["adapted_untold"] < 0.2 * errors["plain_untold"]
    assert errors["adapted"] < 0.5 * errors["plain"]
    # Whatever moves, scales or rolls the face does the same to the answer.
    face = pairs.given[0]
    np.testing.assert_allclose(adapter.adapt(moved(face)), moved(adapter.adapt(face)), atol=1e-3)
    again, _ = train_adapter(pairs, QUICK)
    np.testing.assert_array_equal(adapter.adapt(face), again.adapt(face))


def test_profiles_are_learnt_from_both_sides(one_thread):
    yaws = np.tile((-45.0, 45.0), 20)
    given = np.array([seen_from("face70", yaw, 20 + number) for number, yaw in enumerate(yaws)])
    wanted = np.array([plain_map(face, "face70", "charlotte43") for face in given])
    wanted[:, 39:, 1] -= 5.0 * (20 + np.arange(40)[:, None]) / 20
    adapter, errors = train_adapter(PairedPoints("face70", "charlotte43", given, wanted, np.arange(40)), QUICK)
    assert errors["adapted"] < 0.5 * errors["plain"]
    left, right = adapter.adapt(given[:2])
    assert not faces_right(left, "charlotte43")
    assert faces_right(right, "charlotte43")


def test_an_adapter_is_the_same_from_its_file(tmp_path):
    adapter = LabelAdapter(AdapterArchitecture("mesh478", "ibug68", 8))
    torch.nn.init.normal_(adapter.layers[-1].weight, std=0.1)
    save_adapter(tmp_path / "a.pt", adapter)
    save_adapter(tmp_path / "b.pt", adapter)
    assert (tmp_path / "a.pt").read_bytes() == (tmp_path / "b.pt").read_bytes()
    face = seen_from("mesh478", 5)
    np.testing.assert_array_equal(load_adapter(tmp_path / "a.pt").adapt(face), adapter.adapt(face))
    (tmp_path / "c.pt").write_bytes(b"nothing")
    with pytest.raises(ValueError, match=r"c\.pt: not a label adapter"):
        load_adapter(tmp_path / "c.pt")


def test_pairs_need_the_right_shapes_and_two_groups():
    pairs = shifted_pairs(3)
    with pytest.raises(ValueError, match="two groups"):
        train_adapter(pairs, QUICK)
    with pytest.raises(ValueError, match="face70: expected"):
        PairedPoints("face70", "ibug68", pairs.wanted, pairs.given, pairs.groups)


@pytest.mark.parametrize("name", NAMES)
def test_store_points_are_the_sets_own(name):
    both = np.stack([np.concatenate((seen_from("face70", yaw), seen_from("mesh478", yaw))) for yaw in (-30, 30)])
    points = points_of(both, name)
    np.testing.assert_allclose(points[0], seen_from(name, -30))
    if name == "charlotte43":
        assert faces_right(points[1], name)
    else:
        np.testing.assert_allclose(points[1], seen_from(name, 30))


def test_train_adapter_writes_network_and_errors(tmp_path, monkeypatch, one_thread):
    monkeypatch.setattr(script, "pairs_of_stores", lambda results, source, target: shifted_pairs())
    settings = {"width": 32, "steps": 60, "batch": 32, "learning_rate": 2e-3, "weight_decay": 0.0, "jitter": 0.0}
    settings |= {"validation_share": 0.2, "seed": 0}
    weights, errors = tmp_path / "weights.pt", tmp_path / "errors.json"
    script.train_adapter(str(weights), str(errors), "face70_to_charlotte73", "results", settings, 1)
    measured = json.loads(errors.read_text())
    assert measured["adapted"] < measured["plain"]
    assert load_adapter(weights).architecture.target == "charlotte73"
