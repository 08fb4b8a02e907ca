"""Training with a teacher: pairs of crops, what is recorded, and plain training to the bit where nothing is taught."""

import copy
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from tfake.landmarks.crop_sampling import FaceSampler, crop_face, crop_rgb, matrix_at
from tfake.landmarks.distillation_terms import TERMS, DistillationTerm
from tfake.landmarks.distillation_training import Distillation, DistillationSettings, PairedSampler
from tfake.landmarks.distilled_network import freeze
from tfake.landmarks.landmark_network import Calibration, LandmarkArchitecture, LandmarkNetwork
from tfake.landmarks.landmark_training import train_landmarks
from tfake.landmarks.landmarker_file import load_landmark_weights, save_landmark_weights
from tfake.training.loop import RunControl, TrainingStoppedError
from tfake.training.training_faces import TrainingFace
from tfake.training.weights_file import CheckpointFile
from tiny_landmarks import CPU, make_faces, settings

pytestmark = pytest.mark.usefixtures("one_thread")
FACES, HELD_OUT = make_faces(6), make_faces(9)[6:]
ALL = dict.fromkeys(TERMS, 0.5)
THERMAL = {"thermal_share": 1.0}


def build(landmarks=70, backbone="lcnet_050", pixels=64, head="heatmap"):
    torch.manual_seed(3)
    return LandmarkNetwork(LandmarkArchitecture(landmarks, backbone, head, pixels))


def taught(weights=None, teacher=None, **changes):
    chosen = DistillationSettings(ALL if weights is None else weights, **{"gradient_every": 2, **changes})
    return Distillation(chosen, freeze(build()) if teacher is None else teacher)


def train(teaching, checkpoint=None, is_stopping=lambda: False, **changes):
    return train_landmarks(
        settings(**{**THERMAL, **changes}),
        FACES,
        HELD_OUT,
        70,
        RunControl(CPU, checkpoint, is_stopping),
        teaching=teaching,
    )


def seen_alike(face):
    """The face with a visible image that shows its temperatures."""
    celsius = face.thermal("warm")[0]
    rgb = np.repeat(np.clip((celsius - 20) / 20 * 255, 0, 255).astype(np.uint8)[..., None], 3, axis=2)
    return TrainingFace.of_arrays(rgb, {"warm": celsius}, face.foreground, face.points, face.weights)


def same_weights(one, other):
    return all(torch.equal(value, other.state_dict()[name]) for name, value in one.state_dict().items())


def test_a_matrix_shows_the_same_at_any_resolution():
    matrix = np.array([[0.5, 0.1, 3.0], [-0.2, 0.7, 9.0]])
    finer = matrix_at(matrix, 32, 128)
    for u, v in ((0.0, 0.0), (1.0, 0.0), (0.3, 0.8)):
        coarse, fine = (own @ (u * edge - 0.5, v * edge - 0.5, 1) for own, edge in ((matrix, 32), (finer, 128)))
        np.testing.assert_allclose(coarse, fine, atol=1e-12)
    np.testing.assert_array_equal(matrix_at(matrix, 32, 32), matrix)


def test_both_spectra_are_cut_by_one_matrix():
    """Turned, sheared, mirrored and moved: the same marks lie at the same places of both crops."""
    plain = settings(**THERMAL, thermal_strength=0.0, real_world_strength=0.0, background_share=0.0, image_pixels=96)
    faces = [seen_alike(face) for face in FACES]
    for number in range(12):
        crop = crop_face(faces[number % 6], np.arange(70), np.random.default_rng(number), plain)
        for resolution in (96, 192):
            visible = crop_rgb(crop, 96, resolution)[..., 0] / 255
            places = np.clip(np.round(crop.points[:4] * resolution - 0.5).astype(int), 0, resolution - 1)
            assert visible[places[:, 1], places[:, 0]].min() > 0.8
        shown = crop_rgb(crop, 96, 96)[..., 0] / 255
        inside = shown > 0
        assert np.abs(shown - crop.image)[inside].mean() < 0.01


def test_pairs_are_drawn_as_crops_without_a_teacher_are():
    chosen = settings(batch=8, texture_share=0.25, thermal_share=0.5)
    plain, paired = FaceSampler(FACES, 70, chosen), PairedSampler(64, FACES, 70, chosen)
    for step in range(3):
        batch, view = paired.batches(step)
        (expected,) = plain.batches(step)
        assert all(torch.equal(value, vars(expected)[name]) for name, value in vars(batch).items())
        assert view.images.shape == (8, 3, 64, 64)
        assert view.is_seen.all()
        textures = ~batch.is_face
        small = torch.nn.functional.interpolate(view.images[textures], scale_factor=0.5, mode="area")
        assert (small - batch.images[textures]).abs().mean() < 0.02


def test_a_face_without_a_visible_image_is_not_seen():
    real = [TrainingFace(face.points, face.weights, face.shape, face.variants, face.read) for face in FACES]
    paired = PairedSampler(64, FACES, 70, settings(batch=8, texture_share=0.0, real_share=0.5), real=real)
    batch, view = paired.batches(0)
    assert view.is_seen.sum() == 4
    assert not view.pixels[~view.is_seen].any()
    assert batch.is_face.all()


@pytest.mark.parametrize("weights", [{}, {"fd": 0.0}])
@pytest.mark.parametrize("changes", [{}, {"ema_decay": 0.9, "patience": 1, "validate_every": 1}])
def test_without_terms_it_is_plain_training_to_the_bit(weights, changes):
    plain = train(None, **changes)
    off = train(taught(weights), **changes)
    assert same_weights(off.network, plain.network)
    assert off.calibration == plain.calibration
    assert off.validation_nme == plain.validation_nme
    pd.testing.assert_frame_equal(off.losses[plain.losses.columns], plain.losses)


def test_every_term_and_what_it_pulls_with_is_recorded():
    losses = train(taught(gradient_every=2), steps=4).losses
    parts = [f"gradient_{name}" for name in ("truth", *TERMS)]
    assert losses.columns.tolist() == (
        ["step", "total", "faces", "textures", "distance", "truth", "factor", *TERMS, *parts]
        + ["gradient_norm", "learning_rate", "validation"]
    )
    assert losses["factor"].tolist() == [1.0, 0.75, 0.5, 0.25]
    expected = losses["truth"] + losses["factor"] * 0.5 * losses[list(TERMS)].sum(axis=1)
    np.testing.assert_allclose(losses["total"], expected, rtol=1e-5, atol=1e-6)
    assert losses[parts].notna().all(axis=1).tolist() == [True, False, True, False]
    assert (losses[parts].dropna() > 0).all(axis=None)


def test_a_single_part_pulls_with_the_whole_gradient():
    losses = train(taught({}, gradient_every=1), steps=2).losses
    np.testing.assert_allclose(losses["gradient_truth"], losses["gradient_norm"], rtol=1e-5)


def test_each_term_moves_the_student_and_none_the_teacher():
    teacher, plain = freeze(build()), train(None).network
    before = copy.deepcopy(teacher.state_dict())
    for name in TERMS:
        assert not same_weights(train(taught({name: 1.0}, teacher, gradient_every=0)).network, plain)
    assert all(torch.equal(value, before[name]) for name, value in teacher.state_dict().items())


def test_a_teacher_that_looks_at_the_same_may_be_finer():
    trained = train(taught({"ld": 1.0}, teacher_sees="same"))
    assert np.isfinite(trained.losses["ld"]).all()
    assert trained.network.architecture.image_pixels == 32


def test_an_interrupted_run_ends_with_the_same_weights(tmp_path):
    whole = train(taught(), steps=5)
    file = CheckpointFile(tmp_path / "checkpoint.pt", "run")
    answers = iter([False, False, True])
    with pytest.raises(TrainingStoppedError, match="after step 3 of 5"):
        train(taught(), file, lambda: next(answers), steps=5)
    resumed = train(taught(), file, steps=5)
    assert same_weights(resumed.network, whole.network)
    pd.testing.assert_frame_equal(resumed.losses, whole.losses)


def test_the_last_steps_may_be_the_head_s_alone():
    losses = train(taught(head_share=0.5), steps=4).losses
    assert losses["factor"].tolist() == [1.0, 0.75, 0.0, 0.0]
    assert (losses[list(TERMS)].iloc[2:] == 0).all(axis=None)
    np.testing.assert_array_equal(losses["total"].iloc[2:], losses["truth"].iloc[2:])


def test_a_teacher_pulls_answers_to_its_own():
    """The student of a teacher who knows nothing but one answer learns that answer."""
    teacher = build()
    with torch.no_grad():
        teacher.body.maps.weight.zero_()
        teacher.body.maps.bias[70:].fill_(-3.0)
    quiet = {"learning_rate": 5e-3, "batch": 4, "validate_every": 0, "texture_share": 0.0}
    free = train(taught({}), steps=25, **quiet).network
    led = train(taught({"ld": 20.0}, freeze(teacher), decay="none"), steps=25, **quiet).network
    with torch.no_grad():
        shown = torch.rand(4, 1, 32, 32).expand(-1, 3, -1, -1)
        away = [(network(shown)[..., :2] - 0.5).norm(dim=-1).mean().item() for network in (free, led)]
    assert away[1] < 0.5 * away[0]


def test_another_term_is_an_entry_of_the_registry(monkeypatch):
    sure = DistillationTerm("sure", "sureness", lambda lesson: lesson.found[..., 2].mean())
    monkeypatch.setitem(TERMS, "sure", sure)
    losses = train(taught({"sure": 1.0, "fd": 0.0})).losses
    assert {"sure", "gradient_sure"} <= set(losses.columns)
    assert "fd" not in losses


def test_a_teacher_comes_out_of_a_file_and_a_student_is_one_again(tmp_path):
    save_landmark_weights(tmp_path / "both.pt", build(548), Calibration())
    chosen = DistillationSettings({"ld": 1.0})
    teaching = Distillation.open(chosen, tmp_path / "both.pt", 70, CPU)
    assert teaching.teacher.architecture.landmarks == 70
    trained = train(teaching)
    save_landmark_weights(tmp_path / "student.pt", trained.network, trained.calibration)
    network, calibration = load_landmark_weights(tmp_path / "student.pt")
    assert same_weights(network, trained.network)
    assert calibration == trained.calibration
    assert network.architecture == settings(**THERMAL).architecture(70)
    assert Distillation.open(DistillationSettings(), tmp_path / "none.pt", 70, CPU).teacher is None
    save_landmark_weights(tmp_path / "dense.pt", build(478), Calibration())
    with pytest.raises(ValueError, match="expected a network that finds 70 points, found one for 478"):
        Distillation.open(chosen, tmp_path / "dense.pt", 70, CPU)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"weights": {"kd": 1.0}}, "weights must be of fd, ld, fi, ri; found kd"),
        ({"weights": {"fd": -1.0}}, "weights must be at least 0; found -1.0 for fd"),
        ({"decay": "cosine"}, "decay must be one of linear, none; found 'cosine'"),
        ({"teacher_sees": "depth"}, "teacher_sees must be one of rgb, same"),
        ({"head_share": 1.0}, "head_share"),
        ({"gradient_every": -1}, "gradient_every"),
    ],
)
def test_settings_that_cannot_teach_are_named(changes, message):
    with pytest.raises(ValueError, match=message):
        DistillationSettings(**changes)


def test_terms_need_a_teacher():
    with pytest.raises(ValueError, match="the terms fd, ld need a teacher; found none"):
        Distillation(DistillationSettings({"ld": 1.0, "fd": 1.0}))


def test_compiled_kernels_are_left_out():
    teaching = taught()
    run = teaching.make_run(replace(settings(), compile=True), 70, "float32", CPU)
    assert run._forward is run.network
