"""The detector's faults have the size that was asked for, and depend on nothing but seed and id."""

import numpy as np
import pytest

from cameras import camera, face
from tfake.camera.detector import STUCK_KELVIN, Detector, replace_pixels
from tfake.camera.optics import indoor_field
from tfake.camera.recording import Recorder

FLAT = np.full((240, 320), 30.0, np.float32)
AMBIENT = 20.0
FRAME = {"native_pixels": [320, 240]}


def read(image_id="a", ambient=AMBIENT, scene=FLAT, **changes):
    return Detector(camera(**FRAME, **changes)).expose(scene, ambient, image_id)


def test_without_faults_it_reads_the_scene():
    np.testing.assert_array_equal(read(), FLAT)


@pytest.mark.parametrize("netd", [0.05, 0.2])
def test_temporal_noise_is_the_netd(netd):
    noise = read(netd_kelvin=netd) - FLAT
    assert noise.std() == pytest.approx(netd, rel=0.02)
    assert noise.mean() == pytest.approx(0.0, abs=netd / 50)


def test_noise_is_anothers_in_another_shot_room_or_camera_and_the_same_again():
    noise = read(netd_kelvin=0.1) - FLAT
    np.testing.assert_array_equal(noise, read(netd_kelvin=0.1) - FLAT)
    for other in (read("b", netd_kelvin=0.1), read(ambient=26.0, netd_kelvin=0.1), read(netd_kelvin=0.1, seed=1)):
        assert abs(np.corrcoef(noise.ravel(), (other - FLAT).ravel())[0, 1]) < 0.02


def test_the_pattern_is_the_cameras():
    kelvin = {"pixel_pattern_kelvin": 0.03, "row_pattern_kelvin": 0.1, "column_pattern_kelvin": 0.2}
    first, second = read("a", **kelvin), read("b", **kelvin)
    np.testing.assert_array_equal(first, second)
    pattern = (first - FLAT).astype(float)
    assert pattern.mean() == pytest.approx(0.0, abs=1e-5)
    assert pattern.mean(axis=1).std() == pytest.approx(0.1, rel=0.15)
    assert pattern.mean(axis=0).std() == pytest.approx(0.2, rel=0.15)
    residue = pattern - pattern.mean(axis=0) - pattern.mean(axis=1, keepdims=True)
    assert residue.std() == pytest.approx(0.03, rel=0.02)


def test_gain_turns_about_the_room_and_offsets_shift():
    gains = np.array([(read(str(i), gain_drift=0.05)[0, 0] - AMBIENT) / 10 - 1 for i in range(400)])
    assert gains.std() == pytest.approx(0.05, rel=0.1)
    room = np.full_like(FLAT, AMBIENT)
    np.testing.assert_array_equal(read(scene=room, gain_drift=0.05), room)
    offsets = np.array([read(str(i), offset_drift_kelvin=0.5)[0, 0] - 30 for i in range(400)])
    assert offsets.std() == pytest.approx(0.5, rel=0.1)


def test_stuck_pixels_are_as_many_as_asked_for_and_always_the_same():
    first, second = (read(name, dead_share=0.02, dead_pixels="stuck") for name in "ab")
    np.testing.assert_array_equal(first, second)
    stuck = first != FLAT
    assert stuck.sum() == round(0.02 * FLAT.size)
    assert (first[stuck] - AMBIENT).std() == pytest.approx(STUCK_KELVIN, rel=0.1)


def test_replaced_pixels_are_their_neighbours_mean():
    scene = np.arange(240 * 320, dtype=np.float32).reshape(240, 320) / 1000
    mask = np.zeros_like(scene, bool)
    mask[5, 7] = mask[0, 0] = True
    filled = replace_pixels(scene, mask)
    assert filled[5, 7] == pytest.approx(scene[5, 7], abs=1e-4)  # the middle of a plane
    assert filled[0, 0] == pytest.approx(scene[[0, 1, 1], [1, 0, 1]].mean(), abs=1e-4)
    assert np.array_equal(filled[~mask], scene[~mask])
    mask[:9, :9] = True
    assert replace_pixels(scene, mask)[4, 4] == pytest.approx(scene[~mask].mean(dtype=float), rel=1e-4)


def test_the_indoor_scene_has_the_asked_spread_around_the_room():
    fields = [indoor_field(np.random.default_rng(seed), (160, 120), 0.8) for seed in range(5)]
    for field in fields:
        assert field.shape == (120, 160)
        assert field.std() == pytest.approx(0.8, rel=1e-4)
        assert field.mean() == pytest.approx(0.0, abs=1e-4)
    assert not np.allclose(fields[0], fields[1])


def test_the_scene_is_behind_the_person():
    changes = {**FRAME, "background": "indoor", "background_kelvin": 2.0, "face_pixels": [60.0, 60.0]}
    plain, indoor = (
        Recorder(camera(**settings), AMBIENT).record("a", **face())
        for settings in ({**changes, "background": "ambient"}, changes)
    )
    np.testing.assert_array_equal(plain.segmentation, indoor.segmentation)
    skin = plain.segmentation == 1
    inner = skin & np.roll(skin, 1, 0) & np.roll(skin, -1, 0) & np.roll(skin, 1, 1) & np.roll(skin, -1, 1)
    np.testing.assert_array_equal(plain.thermal[inner], indoor.thermal[inner])
    assert plain.thermal[plain.segmentation == 0].std() < 30
    assert indoor.thermal[plain.segmentation == 0].std() > 100


def test_another_fault_moves_no_other_choice():
    """Every random choice has a stream of its own: with more noise, people stand where they stood."""
    where = {"face_pixels": [10.0, 60.0], "face_position": "anywhere", **FRAME}
    quiet, noisy = (Recorder(camera(netd_kelvin=netd, **where), AMBIENT).record("a", **face()) for netd in (0.0, 0.3))
    np.testing.assert_array_equal(quiet.landmarks_70, noisy.landmarks_70)
    warm = Recorder(camera(**where), 26.0).record("a", **face())
    np.testing.assert_array_equal(quiet.landmarks_70, warm.landmarks_70)
