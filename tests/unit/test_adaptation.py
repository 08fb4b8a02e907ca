"""Adaptation without labels: many looks, what is believed, the loss, the check, and that nothing is written in vain."""

import json
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch

from tfake.detector.detector_network import DetectorArchitecture, DetectorNetwork
from tfake.detector.face_detector import ScoreCalibration
from tfake.detector.face_maps import DetectedFaces
from tfake.detector.found_scenes import FoundPicture
from tfake.imaging.crops import crop_squares, square_around
from tfake.labels.conventions import convention
from tfake.landmarks import adaptation, adaptation_faces
from tfake.landmarks.__main__ import main
from tfake.landmarks.adaptation import AdaptationSettings, adapt_landmarker
from tfake.landmarks.adaptation_check import (
    CheckFigures,
    CheckLimits,
    Moves,
    _second_differences,
    compare,
    measure,
    what_is_worse,
)
from tfake.landmarks.adaptation_faces import AdaptationRefusedError, DetectorPart
from tfake.landmarks.face_views import VIEWS, View, consensus, look, view_matrix
from tfake.landmarks.landmark_network import Calibration, LandmarkArchitecture, LandmarkNetwork, gaussian_nll
from tfake.landmarks.landmarker import ThermalLandmarker
from tfake.landmarks.landmarker_file import save_landmark_weights
from tfake.landmarks.network_finder import NetworkFinder
from tfake.landmarks.pseudo_labels import (
    FoundFace,
    LabelSettings,
    choose_evenly,
    find_all,
    judge,
    label_faces,
    split_found,
)
from tfake.landmarks.release import load_release, save_release
from tfake.landmarks.search import SearchSettings
from tfake.landmarks.self_training import (
    PseudoSampler,
    cross_entropy,
    self_train,
    settings_for,
)
from tfake.training.averaging import average_weights
from tiny_landmarks import CPU

BOX = (20.0, 24.0, 60.0, 72.0)
STILL = Moves(0.01, 0.0)
FEW_WINDOWS = SearchSettings(min_window_fraction=0.9, nominated=1, refinements=0)
EASY = LabelSettings(point_spread=10.0, least_points=0.0, from_track=10.0, least_pixels=0.0)


class BrightestFinder:
    """Every point is where the crop is brightest: right on every view, whatever its place, size and angle."""

    landmarks, image_pixels, stride, thermal_stretch, thermal_mirror, shares_windows = 70, 64, 8, False, False, False

    def __call__(self, crops, stretched=None):
        answers = np.full((len(crops), 70, 3), 0.01, np.float32)
        for answer, crop in zip(answers, crops, strict=True):
            weights = crop[0] ** 4
            y, x = np.mgrid[:64, :64]
            answer[:, 0] = ((weights * x).sum() / weights.sum() + 0.5) / 64
            answer[:, 1] = ((weights * y).sum() / weights.sum() + 0.5) / 64
        return answers


def spot(x, y, pixels=96):
    rows, columns = np.mgrid[:pixels, :pixels]
    return np.repeat(np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 18)[..., None], 3, axis=2).astype(np.float32)


def network(seed=0, landmarks=70):
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        return LandmarkNetwork(LandmarkArchitecture(landmarks, "resnet10t", "heatmap", 32, True, True, 16)).eval()


def weights_file(path, release=False):
    """A network that finds a face wherever it looks."""
    (save_release if release else save_landmark_weights)(path, network(), Calibration(1.0, 10.0))
    return path


@pytest.fixture
def clips(tmp_path):
    """Two films of a warm disc that moves."""
    folder = tmp_path / "camera"
    folder.mkdir()
    rows, columns = np.mgrid[:48, :40]
    for number in range(2):
        frames = [
            2930 * 10 + 1200 * ((columns - 18 - frame) ** 2 + (rows - 22 - number) ** 2 < 150) + 7 * rows + 3 * columns
            for frame in range(8)
        ]
        np.save(folder / f"{number}.npy", np.array(frames, np.uint16))
    return folder


def found_face(file=0, picture=0, subject="a", track=0):
    return FoundFace(file, picture, "name", subject, track, np.zeros((70, 2), np.float32))


def test_the_plain_view_is_the_crop_of_inference():
    picture = np.random.default_rng(0).random((96, 96, 3), dtype=np.float32)
    seen = []

    class Keeping(BrightestFinder):
        def __call__(self, crops, stretched=None):
            seen.append(crops)
            return super().__call__(crops)

    look(Keeping(), picture, BOX, [View()])
    wanted = crop_squares(picture, square_around(BOX)[None], 64)[0]
    np.testing.assert_allclose(seen[0][0], wanted, atol=2e-3)
    np.testing.assert_array_equal(seen[0][1], seen[0][0][..., ::-1])


def test_all_views_of_a_right_answer_meet_and_their_deviation_is_in_pixels():
    answers = look(BrightestFinder(), spot(41.0, 50.0), BOX)
    assert answers.shape == (2 * len(VIEWS), 70, 3)
    assert np.abs(answers[..., :2] - (41, 50)).max() < 0.15
    edge = square_around(BOX)[2]
    np.testing.assert_allclose(answers[0, 0, 2], 0.01 * edge, rtol=1e-5)
    np.testing.assert_allclose(answers[VIEWS.index(View(0.85)), 0, 2], 0.0085 * edge, rtol=1e-5)


def test_mirrored_answers_change_sides():
    class Numbered(BrightestFinder):
        def __call__(self, crops, stretched=None):
            answers = super().__call__(crops)
            answers[..., 2] = np.arange(70) + 1
            return answers

    sigma = look(Numbered(), spot(41, 50), BOX, [View()])[..., 2] / square_around(BOX)[2]
    np.testing.assert_allclose(sigma[1], convention("face70").partners + 1, rtol=1e-5)


def test_a_shifted_and_turned_view_has_its_middle_where_it_says():
    matrix = view_matrix(BOX, View(1.2, (0.1, -0.2), 30.0), 64)
    middle = matrix @ (31.5, 31.5, 1)
    np.testing.assert_allclose(middle, np.array((40, 48)) + 60 * np.array((0.1, -0.2)))
    np.testing.assert_allclose(np.linalg.det(matrix[:, :2]), (60 * 1.2 / 64) ** 2)


def test_a_consensus_is_the_mixture_of_its_gaussians():
    answers = np.zeros((2, 3, 3), np.float32)
    answers[:, :, 2] = 2.0
    answers[1, 1, :2] = (6.0, 8.0)
    joined = consensus(answers)
    np.testing.assert_allclose(joined.points[1], (3, 4))
    np.testing.assert_allclose(joined.spread, (0, np.sqrt(12.5), 0))  # mean over x (3^2) and y (4^2)
    np.testing.assert_allclose(joined.sigma, (2, np.sqrt(4 + 12.5), 2), rtol=1e-6)


def test_a_face_is_learnt_from_where_its_points_agree_and_lie_on_its_track():
    points = np.random.default_rng(0).uniform(0, 100, (70, 2)).astype(np.float32)
    points[:2] = (0, 0), (100, 100)
    answers = np.concatenate((np.tile(points, (2, 1, 1)), np.ones((2, 70, 1))), axis=2).astype(np.float32)
    answers[1, :10, 0] += 8  # spread 4 / sqrt(2) of about 100: not sure of a seventh of the points
    joined, settings = consensus(answers), LabelSettings(point_spread=0.02, least_points=0.8)
    sure, verdict = judge(joined, joined.points, settings)
    assert verdict == "sure"
    assert not sure[:10].any()
    assert sure[10:].all()
    assert judge(joined, joined.points + 20, settings)[1] == "track"
    assert judge(joined, joined.points, replace(settings, least_points=0.9))[1] == "points"
    assert judge(joined, joined.points, replace(settings, least_pixels=200))[1] == "size"


def test_no_subject_is_on_both_sides_and_a_single_ones_last_pictures_are_held_out():
    many = [found_face(number, picture, f"s{number}") for number in range(4) for picture in range(3)]
    learnt, held = split_found(many, 0.25)
    assert len(held) == 3
    assert not {face.subject for face in learnt} & {face.subject for face in held}
    one = [found_face(0, picture) for picture in range(8) for _ in range(2)]
    learnt, held = split_found(one, 0.3)
    assert max(face.picture for face in learnt) < min(face.picture for face in held) == 5


def test_faces_are_chosen_from_all_over_in_runs_of_one_track():
    faces = [found_face(0, picture, track=track) for picture in range(30) for track in (1, 0)]
    chosen = choose_evenly(faces, 12, run=3)
    assert len(chosen) == 12
    assert {face.track for face in chosen} == {0, 1}
    for start in range(0, 12, 3):
        assert np.diff([face.picture for face in chosen[start : start + 3]]).tolist() == [1, 1]
    assert choose_evenly([], 5) == []


def test_cross_entropy_is_least_at_the_gaussian_that_is_learnt():
    generator = torch.Generator().manual_seed(0)
    points, sigma = torch.rand(1, 1, 2, generator=generator), torch.tensor([[0.2]])
    found = torch.cat((points, sigma[..., None]), 2).double().requires_grad_()
    loss = cross_entropy(found, points.double(), sigma.double())
    assert loss.item() == pytest.approx(np.log(0.2) + 0.5)
    (gradient,) = torch.autograd.grad(loss.sum(), found)
    assert gradient.abs().max() < 1e-6
    other = torch.rand(2, 5, 3, generator=generator) + 0.1
    for beta in (0.0, 0.5):
        plain = gaussian_nll(other, other[..., :2] + 0.1, beta)
        assert torch.equal(cross_entropy(other, other[..., :2] + 0.1, torch.zeros(2, 5), beta), plain)
    doubled = torch.autograd.gradcheck(lambda x: cross_entropy(x, points.double(), sigma.double()), found)
    assert doubled


def test_weights_are_averaged_and_those_averaged_stay_as_they_are():
    first, second = network(0), network(1)
    before = first.body.maps.weight.clone()
    joined = average_weights(first, second, 0.25).body.maps.weight
    torch.testing.assert_close(joined, 0.75 * first.body.maps.weight + 0.25 * second.body.maps.weight)
    assert torch.equal(first.body.maps.weight, before)


def labelled(clips, count=6):
    landmarker = ThermalLandmarker(weights_file(clips.parent / "start.pt"), "cpu", search=FEW_WINDOWS)
    found, counts = find_all(clips, landmarker, rate=9)
    assert counts == {"pictures": 16, "unreadable": 0}
    return list(label_faces(clips, choose_evenly(found, count), NetworkFinder(network(), CPU), EASY))


def test_a_face_carries_its_deviations_into_every_crop(clips):
    faces = labelled(clips)
    sampler = PseudoSampler(faces, settings_for(network(), batch=4, texture_share=0.25))
    for crop in sampler._draw_crops(0):
        sigma = sampler._sigma_of(crop)
        if crop.face is None:
            assert not sigma.any()
            continue
        pseudo = next(face for face in faces if face.points is crop.face.points)
        edge = np.sqrt(abs(np.linalg.det(crop.matrix[:, :2]))) * sampler._settings.image_pixels
        np.testing.assert_allclose(np.sort(sigma), np.sort(pseudo.sigma) / edge, rtol=1e-5)


def test_equal_faces_give_equal_networks_and_the_first_one_stays(clips):
    faces, start = labelled(clips), network()
    before = {name: value.clone() for name, value in start.state_dict().items()}
    settings = settings_for(start, steps=2, batch=4, learning_rate=1e-3)
    first, second = (self_train(start, faces, settings, CPU).state_dict() for _ in range(2))
    assert all(torch.equal(value, second[name]) for name, value in first.items())
    assert all(torch.equal(value, before[name]) for name, value in start.state_dict().items())
    assert any(not torch.equal(value, before[name]) for name, value in first.items() if "running" not in name)
    assert all(torch.equal(value, before[name]) for name, value in first.items() if "running" in name)


def test_each_figure_that_is_worse_is_named():
    good = CheckFigures(10, 0.02, 0.01, 9, 1)
    limits = CheckLimits()
    assert what_is_worse(good, good, STILL, limits) == []
    for change, said in (
        ({"inconsistency": 0.021}, "disagree"),
        ({"inconsistency": float("nan")}, "disagree"),
        ({"jitter": 0.011}, "jitter"),
        ({"found": 8}, "8 of 10 faces"),
        ({"wrong": 2}, "2 windows"),
    ):
        (worse,) = what_is_worse(good, replace(good, **change), STILL, limits)
        assert said in worse
    assert "moved" in what_is_worse(good, good, Moves(0.06, 0.0), limits)[0]
    assert what_is_worse(replace(good, jitter=None), replace(good, jitter=None), STILL, limits) == []


def test_every_random_window_passes_where_the_threshold_is_high(clips):
    faces = labelled(clips, count=4)
    figures, points = measure(network(), faces, 10.0, CPU)
    assert (figures.faces, figures.found, figures.wrong) == (4, 4, 16)
    assert [face.shape for face in points] == [(70, 2)] * 4
    assert (measure(network(), faces, 1e-9, CPU)[0].found, measure(network(), faces, 1e-9, CPU)[0].wrong) == (0, 0)


def test_opposite_moves_are_no_drift():
    face = np.array(((0, 0), (10, 10), (5, 0), (5, 10)), float)
    apart = face + ((1, 0), (-1, 0), (1, 0), (-1, 0))
    assert compare([face], [apart]) == pytest.approx((0.1, 0.0))
    assert compare([face, face], [face + (0, 1), face + (0, 1)]) == pytest.approx((0.1, 0.1))
    good = CheckFigures(2, 0.02, None, 2, 0)
    assert "drifted by 0.0100" in what_is_worse(good, good, Moves(0.01, 0.01), CheckLimits())[0]


def test_jitter_is_the_second_difference_in_the_picture(clips):
    (face,) = labelled(clips, count=1)
    points = np.array(((0, 0), (10, 10), (5, 0)), float)
    # The surroundings are cut elsewhere in each frame: in the picture the face is at 0, 1 and 4 pixels.
    faces = [
        replace(face, corner=np.array((x, 0)), found=found_face(picture=number)) for number, x in enumerate((0, 1, 4))
    ]
    assert list(_second_differences(faces, [points] * 3)) == [pytest.approx(2 / 10)]
    skipping = [faces[0], faces[1], replace(faces[2], found=found_face(picture=3))]
    of_pictures = [replace(face, found=face.found._replace(track=-1)) for face in faces]
    assert not list(_second_differences(skipping, [points] * 3))
    assert not list(_second_differences(of_pictures, [points] * 3))


def adapt(clips, output, train, release=False, **changes):
    weights = weights_file(clips.parent / "start.pt", release)
    settings = AdaptationSettings(steps=1, labels=replace(EASY, most_faces=30), held_out_share=0.5, **changes)
    return adapt_landmarker(clips, weights, output, settings, "cpu", rate=9, train=train), weights


def worse(start, faces, settings, device):
    """Random weights: they agree with nothing."""
    return network(7)


@pytest.fixture
def few(monkeypatch):
    """A few faces will do, and a search looks at a few windows."""
    monkeypatch.setattr(adaptation_faces, "LEAST_FACES", 4)
    monkeypatch.setattr(adaptation, "ThermalLandmarker", partial(ThermalLandmarker, search=FEW_WINDOWS))


@pytest.mark.parametrize("release", [False, True])
def test_what_is_written_is_what_was_given_in_the_same_form(clips, tmp_path, few, release):
    output = tmp_path / "mine.pt"
    record, weights = adapt(clips, output, lambda start, *_: start, release)
    assert record["before"] == pytest.approx(record["after"])
    assert record["moves"]["each"] < 1e-3
    assert json.loads(output.with_suffix(".json").read_text())["after"] == record["after"]
    assert ThermalLandmarker(output, device="cpu").threshold == 10.0
    if release:
        assert load_release(output)[1] == load_release(weights)[1]


def test_a_network_that_is_worse_is_refused_and_nothing_is_written(clips, tmp_path, few):
    there = {path: path.read_bytes() for path in clips.iterdir()}
    with pytest.raises(AdaptationRefusedError, match=r"held-out faces, and was not written: .*moved by"):
        adapt(clips, tmp_path / "mine.pt", worse, share=1.0, limits=CheckLimits(moved=0.001))
    assert {path: path.read_bytes() for path in clips.iterdir()} == there
    assert sorted(path.name for path in tmp_path.iterdir()) == ["camera", "start.pt"]


def test_the_command_says_what_is_missing_and_writes_nothing(clips, tmp_path, capsys, few, monkeypatch):
    monkeypatch.setattr(adaptation_faces, "LEAST_FACES", 99)
    weights = weights_file(tmp_path / "start.pt")
    out = str(tmp_path / "mine.pt")
    run = ["adapt", str(clips), "-w", str(weights), "--device", "cpu", "--rate", "9"]
    assert main([*run, "-o", out]) == 1
    assert "too few faces to learn from: expected 99" in capsys.readouterr().err
    assert main([*run, "-o", str(weights)]) == 1
    assert "nothing is written over an input" in capsys.readouterr().err
    assert main([*run, "-o", out, "--share", "2"]) == 1
    assert "share: expected a fraction" in capsys.readouterr().err
    assert main(["adapt", str(tmp_path / "nowhere"), "-o", out]) == 1
    assert "no such image" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["camera", "start.pt"]


@pytest.fixture
def with_detector(tmp_path):
    """A release whose detector has random weights."""
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        detector = DetectorNetwork(DetectorArchitecture(search_pixels=96)).eval()
    save_release(tmp_path / "start.pt", network(), Calibration(1.0, 10.0), (detector, ScoreCalibration(0.5, -1.0)))
    return tmp_path / "start.pt"


def sure_of(left, confidence=0.9):
    """Every picture has one face; ``left`` pixels from its edge."""

    def look_at(maps, scores, picture):
        box = np.array([(left, 12, left + 24, 36)], np.float32)
        found = DetectedFaces(box, np.full((1, 5, 2), 20, np.float32), np.array([2.0], np.float32))
        return FoundPicture(20 + 15 * picture[..., 0], found, np.array([confidence], np.float32))

    return look_at


def adapt_finding(clips, weights, **changes):
    settings = AdaptationSettings(held_out_share=0.5, finding=DetectorPart(steps=2), **changes)
    adapt_landmarker(clips, weights, clips.parent / "mine.pt", settings, "cpu")
    return clips.parent / "mine.pt"


def test_the_detector_is_adapted_and_nothing_else(clips, with_detector, monkeypatch):
    monkeypatch.setattr(adaptation_faces, "LEAST_FACES", 8)
    monkeypatch.setattr(adaptation_faces, "look_at", sure_of(8))
    output = adapt_finding(clips, with_detector)
    (points, calibration, (detector, scores)), first = load_release(output), load_release(with_detector)
    assert calibration == first[1]
    assert scores == first[2][1]
    assert detector.architecture == replace(first[2][0].architecture, search_looks=3)
    for new, old, is_changed in ((points, first[0], False), (detector, first[2][0], True)):
        before, after = (torch.cat([value.flatten() for value in part.parameters()]) for part in (old, new))
        assert torch.equal(before, after) != is_changed
    assert ThermalLandmarker(output, device="cpu").detector.search_looks == 3
    assert ThermalLandmarker(output, device="cpu", looks=1).detector.search_looks == 1
    record = json.loads(output.with_suffix(".json").read_text())
    assert record["parts"] == ["detector"]
    assert record["detector"]["held_out"] == {"before": 8, "again": 8, "more": 0}


def test_a_detector_that_loses_faces_is_refused(clips, with_detector, monkeypatch):
    monkeypatch.setattr(adaptation_faces, "LEAST_FACES", 8)
    # At 8 pictures to learn from, at 8 to check on, and at 7 of these again.
    looks = iter([sure_of(8)] * 23 + [sure_of(8, confidence=0.2)])
    monkeypatch.setattr(adaptation_faces, "look_at", lambda *asked: next(looks)(*asked))
    with pytest.raises(AdaptationRefusedError, match="loses 1 of 8 faces of 8 held-out pictures, and was not written"):
        adapt_finding(clips, with_detector)
    assert sorted(path.name for path in clips.parent.iterdir()) == ["camera", "start.pt"]


def test_the_commands_options_are_the_settings_and_the_file_of_a_detector_is_none(clips, monkeypatch):
    asked = []
    monkeypatch.setattr(adaptation, "adapt_landmarker", lambda *arguments, **options: asked.append(arguments))
    options = ["--detector", "d.pt", "--part", "both", "--steps", "7", "--seed", "3", "--subjects", "(.)"]
    assert main(["adapt", str(clips), "-o", "mine.pt", *options]) == 0
    (_, _, output, settings, *_, subjects, detector) = asked[0]
    assert (output, subjects, detector) == ("mine.pt", "(.)", "d.pt")
    assert settings == AdaptationSettings(part="both", steps=7, seed=3)
