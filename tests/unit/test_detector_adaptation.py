"""A detector adapted without labels: several looks at a picture, scenes of what was found, and what is lost."""

import numpy as np
import pytest
import torch

from tfake.detector.detector_adaptation import adapt_detector, find_again, settings_for
from tfake.detector.detector_network import DetectorArchitecture, DetectorNetwork
from tfake.detector.detector_settings import DetectorSettings
from tfake.detector.face_detector import LOOKS, _join, _look, find_faces
from tfake.detector.face_maps import CHANNELS, DetectedFaces
from tfake.detector.found_scenes import FoundPicture, FoundScenes
from tiny_landmarks import CPU


class BrightestMaps:
    """One face of 32 pixels, its centre and five points in the brightest cell."""

    search_pixels = 96

    def __init__(self, search_looks=1):
        self.search_looks = search_looks

    def __call__(self, image):
        maps = np.zeros((CHANNELS, image.shape[1] // 4, image.shape[2] // 4), np.float32)
        cells = image[0].reshape(maps.shape[1], 4, maps.shape[2], 4).mean(axis=(1, 3))
        maps[0] = np.where(cells == cells.max(), 2.0, -9.0)
        return maps


def found(*logits, x=20.0):
    boxes = np.array([(x, 20, x + 24, 44)] * len(logits), np.float32)
    return DetectedFaces(boxes, np.zeros((len(logits), 5, 2), np.float32), np.array(logits, np.float32))


def picture(x=20.0, confidence=0.9):
    rows, columns = np.mgrid[:96, :128]
    warm = (np.abs(columns - x - 12) < 12) & (np.abs(rows - 32) < 12)
    return FoundPicture((20 + 15 * warm).astype(np.float32), found(1.0, x=x), np.array([confidence], np.float32))


@pytest.mark.parametrize("name", LOOKS)
def test_each_look_answers_in_the_pictures_pixels(name):
    image = np.zeros((96, 96, 3), np.float32)
    image[24:28, 60:64] = 1
    (box,) = _look(BrightestMaps(), image, name, 0.0).boxes
    np.testing.assert_allclose((box[:2] + box[2:]) / 2, (61.5, 25.5), atol=2.5)


def test_a_look_without_the_face_counts_against_it():
    joined = _join([found(2.0), found(1.0, x=21.0), found()], -2.5)
    assert joined.logits.tolist() == pytest.approx([(2 + 1 - 2.5) / 3])
    np.testing.assert_allclose(joined.boxes, [(20.5, 20, 44.5, 44)])
    assert len(_join([found(2.0), found(1.0, x=80.0)], -2.5)) == 2
    assert len(_join([found(), found()], -2.5)) == 0


def test_several_looks_find_what_one_finds():
    image = np.zeros((96, 96, 3), np.float32)
    image[20:36, 40:56] = 1
    one, three = (find_faces(BrightestMaps(looks), image, 0.0) for looks in (1, 3))
    assert len(one) >= 1
    np.testing.assert_allclose(three.boxes[0], one.boxes[0], atol=10)


def test_scenes_have_faces_where_the_picture_is_warm():
    settings = DetectorSettings(batch=4, scene_pixels=96, thermal_strength=0.0, real_world_strength=0.0)
    scenes, faces = FoundScenes([picture()], settings), 0
    for place in range(12):
        scene = scenes._draw(np.random.default_rng(place), (96, 96))
        for face in scene.faces:
            x, y = np.clip(np.rint((face.box[:2] + face.box[2:]) / 2), 0, 95).astype(int)
            assert scene.image[y, x] > 0.6
            faces += 1
    assert faces
    doubted = FoundScenes([picture(confidence=0.3)], settings)._draw(np.random.default_rng(0), (96, 96))
    assert doubted.faces == []
    with pytest.raises(ValueError, match="no pictures"):
        FoundScenes([], settings)


def test_what_is_lost_and_what_is_more_are_counted():
    same, moved, unsure = picture(), picture(x=70.0), picture(confidence=0.3)
    assert find_again([same, same], [same, moved]) == (2, 1, 1)
    assert find_again([same], [unsure]) == (1, 0, 0)


def test_an_adapted_detector_is_another_one_and_the_first_stays():
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        network = DetectorNetwork(DetectorArchitecture(search_pixels=96)).eval()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    run = settings_for(network, steps=2, batch=2, scene_pixels=64)
    adapted = adapt_detector(network, [picture()], run, CPU)
    assert adapted.architecture.search_looks == len(LOOKS)
    assert network.architecture.search_looks == 1
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    after = adapted.state_dict()
    assert not torch.equal(after["answer.weight"], before["answer.weight"])
    assert all(torch.equal(value, before[name]) for name, value in after.items() if "running" in name)
