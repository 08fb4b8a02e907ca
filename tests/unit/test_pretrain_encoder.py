"""pretrain_encoder: it learns, stops and goes on to the bit, takes stores, folders or both, and writes its files."""

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import torch
import torch.distributed

from landmarks.pretrain_encoder import pretrain_encoder
from tfake.landmarks.initial_weights import load_initial_weights
from tfake.landmarks.landmark_job import StoredFaces
from tfake.landmarks.landmark_network import LandmarkArchitecture, LandmarkNetwork
from tfake.pretraining import pretraining
from tfake.pretraining import pretraining_job as jobs
from tfake.pretraining.pretraining import PretrainingNetwork, ViewSampler, measure_pretexts, pretrain
from tfake.pretraining.pretraining_images import FolderImages, JoinedImages, StoredImages, UnlabelledFolder
from tfake.pretraining.pretraining_job import PretrainingJob
from tfake.pretraining.pretraining_settings import PretrainingSettings
from tfake.pretraining.rotation import draw_turned
from tfake.training.distributed import current_shard, run_distributed
from tfake.training.loop import RunControl, TrainingStoppedError
from tfake.training.rng import ProcessShard, RngStream
from tfake.training.weights_file import CheckpointFile, load_payload
from tiny_landmarks import CPU, make_faces

pytestmark = pytest.mark.usefixtures("one_thread")
TINY = {
    "steps": 3,
    "batch": 4,
    "image_pixels": 32,
    "backbone": "resnet10t",
    "validate_every": 2,
    "precision": "float32",
    "checkpoint_every": 2,
}
ALL = dict.fromkeys(("rotation", "subject", "five_points", "vicreg", "dense", "masked"), 1.0)


def settings(**changes):
    return PretrainingSettings.from_mapping({**TINY, **changes})


def images(count, skip=0):
    return StoredImages(make_faces(count + skip)[skip:], ("warm",), 0.6, 32)


def train(checkpoint=None, is_stopping=lambda: False, **changes):
    return pretrain(settings(**changes), images(6), (), images(3, 6), 6, RunControl(CPU, checkpoint, is_stopping))


def fill(folder, count=5):
    """8-bit pictures of a warm disc, two a person."""
    folder.mkdir()
    y, x = np.mgrid[:60, :80]
    for number in range(count):
        inside = (x - 30 - number) ** 2 + (y - 30) ** 2 < 400
        picture = np.where(inside, 200, 40) + np.random.default_rng(number).integers(0, 9, (60, 80))
        cv2.imwrite(str(folder / f"p{number // 2}_{number}.png"), picture.astype(np.uint8))
    return folder


def test_all_tasks_at_once_are_recorded_by_name():
    trained = train(tasks=ALL)
    columns = trained.losses.columns.tolist()
    assert columns[:3] == ["step", "total", "rotation"]
    assert {f"{name}_measure" for name in ALL} | {f"validation_{name}_measure" for name in ALL} <= set(columns)
    np.testing.assert_allclose(trained.losses["total"], trained.losses[list(ALL)].sum(axis=1), rtol=1e-5)
    assert trained.measures.keys() == ALL.keys()
    weighted = train(tasks={"rotation": 2.0, "masked": 0.5}).losses
    np.testing.assert_allclose(weighted["total"], 2 * weighted["rotation"] + 0.5 * weighted["masked"], rtol=1e-5)


@pytest.mark.parametrize(
    ("tasks", "steps", "better"),
    [
        ({"five_points": 1.0}, 60, lambda first, last: last < 0.6 * first),
        ({"dense": 1.0}, 60, lambda first, last: last > first + 0.2),
        ({"masked": 1.0}, 60, lambda first, last: last > 0.5 > first),
    ],
    ids=["five_points", "dense", "masked"],
)
def test_a_short_run_learns_its_task_of_other_people(tasks, steps, better):
    quiet = {"thermal_strength": 0.0, "rotation_degrees": 0.0, "crop_scale": [1.0, 1.3]}
    trained = train(tasks=tasks, steps=steps, batch=8, validate_every=1, **quiet)
    measured = trained.losses[f"validation_{next(iter(tasks))}_measure"]
    assert better(measured.iloc[0], measured.iloc[-1]), (measured.iloc[0], measured.iloc[-1])


def test_measures_are_of_all_held_out_images_as_they_are_and_of_known_ones_where_no_others_can_be_asked(monkeypatch):
    monkeypatch.setattr(pretraining, "VALIDATION_IMAGES", 4)
    known, held_out, shown = images(14), images(9, 14), []

    class Network(PretrainingNetwork):
        def forward(self, *views):
            shown.append(views)
            return super().forward(*views)

    chosen = settings(tasks={"rotation": 1.0, "subject": 1.0}, thermal_strength=5.0, crop_scale=[1.0, 1.0])
    network = Network(chosen, 14)
    found = measure_pretexts(network, chosen, known, held_out, CPU)
    sizes = [len(views["view"]) for views, _ in shown]
    assert sizes == [3, 3, 3]
    told = [network.heads["rotation"](network.encoder.eval(), views)[1].item() for views, _ in shown]
    assert found["rotation"] == pytest.approx(np.mean(told))
    assert len({view.numpy().tobytes() for views, _ in shown for view in views["view"]}) == 9
    assert len({int(one) for _, views in shown for one in views["subject"]} & set(range(14))) == 9
    plain = replace(chosen.views, thermal_strength=0.0)
    drawn = draw_turned(held_out[0], np.random.default_rng([chosen.seed, RngStream.VALIDATION, 0]), plain)
    assert torch.equal(shown[0][0]["view"][0], torch.from_numpy(drawn["view"]))


def test_an_interrupted_run_ends_with_the_same_weights(tmp_path):
    whole = train(steps=5, tasks={"vicreg": 1.0, "dense": 1.0})
    file = CheckpointFile(tmp_path / "checkpoint.pt", "run")
    answers = iter([False, False, True])
    with pytest.raises(TrainingStoppedError, match="after step 3 of 5"):
        train(file, lambda: next(answers), steps=5, tasks={"vicreg": 1.0, "dense": 1.0})
    resumed = train(file, steps=5, tasks={"vicreg": 1.0, "dense": 1.0})
    state, expected = resumed.encoder.state_dict(), whole.encoder.state_dict()
    assert all(torch.equal(state[name], expected[name]) for name in expected)
    pd.testing.assert_frame_equal(resumed.losses, whole.losses)
    other = train(steps=5, tasks={"vicreg": 1.0, "dense": 1.0}, seed=3).encoder.state_dict()
    assert not all(torch.equal(other[name], expected[name]) for name in expected)


def test_processes_make_the_parts_of_one_batch():
    chosen = settings(tasks={"dense": 1.0, "rotation": 1.0})
    whole = ViewSampler(images(6), (), chosen).batch(3)
    parts = [ViewSampler(images(6), (), chosen, ProcessShard(rank, 2)).batch(3) for rank in range(2)]
    for views, *own in zip(whole, *parts, strict=True):
        for name, values in vars(views).items():
            assert torch.equal(values[0::2], own[0][name])
            assert torch.equal(values[1::2], own[1][name])


def test_processes_make_as_many_views_of_folders_and_stores_as_one_another():
    chosen = settings(tasks={"rotation": 1.0}, batch=8, folder_share=0.375)
    whole = ViewSampler(images(6), images(4), chosen).batch(3)[0]
    parts = [ViewSampler(images(6), images(4), chosen, ProcessShard(rank, 2)).batch(3)[0] for rank in range(2)]
    for name, values in vars(whole).items():
        own = [vars(part)[name] for part in parts]
        assert [len(part) for part in own] == [4, 4]
        assert sorted(torch.cat(own).reshape(8, -1).tolist()) == sorted(values.reshape(8, -1).tolist())


def train_in_group(folder: str) -> None:
    """What each process does; at module level, so that it can be sent."""
    torch.set_num_threads(1)
    trained = train(tasks={"rotation": 1.0, "dense": 1.0})
    weights = torch.cat([value.flatten() for value in trained.encoder.parameters()])
    gathered = [torch.empty_like(weights) for _ in range(2)]
    torch.distributed.all_gather(gathered, weights.contiguous())
    if current_shard().rank == 0:
        Path(folder, "found.json").write_text(json.dumps(torch.equal(*gathered)))


def test_two_processes_train_one_encoder(tmp_path):
    run_distributed(train_in_group, {"folder": str(tmp_path)}, processes=2, gpus=False)
    assert json.loads((tmp_path / "found.json").read_text()) is True


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tasks": {"rotations": 1.0}}, "tasks must be some of rotation, subject"),
        ({"tasks": {}}, "tasks must be some of"),
        ({"tasks": {"rotation": 0.0}}, "tasks must be weights above 0"),
        ({"batch": 1}, "batch"),
        ({"crop_scale": [2.0, 1.0]}, "crop_scale"),
        ({"image_pixels": 100}, "image_pixels"),
    ],
)
def test_settings_that_cannot_train_are_named(changes, message):
    with pytest.raises(ValueError, match=message):
        settings(**changes)


def test_what_is_missing_is_named(tmp_path):
    folder = FolderImages(UnlabelledFolder(str(fill(tmp_path / "here")), "relative"), 0.6, 32)
    with pytest.raises(ValueError, match="five_points: expected images with points, found only folders"):
        ViewSampler((), folder, settings(tasks={"five_points": 1.0}))
    with pytest.raises(ValueError, match="no images to learn from"):
        ViewSampler((), (), settings())
    with pytest.raises(ValueError, match="no images to validate on"):
        pretrain(settings(), images(3), (), (), 3, RunControl(CPU))
    with pytest.raises(ValueError, match="at least two subjects"):
        pretrain(settings(tasks={"subject": 1.0}), images(1), (), images(1), 1, RunControl(CPU))


def test_a_folder_is_cut_around_what_is_warm_and_leaves_out_what_is_broken(tmp_path):
    folder = fill(tmp_path / "here")
    opened = FolderImages(UnlabelledFolder(str(folder), "relative", "^(p[0-9]+)_"), 0.6, 32)
    assert opened.subjects == ("p0", "p0", "p1", "p1", "p2")
    assert [opened[place].subject for place in range(5)] == [0, 0, 1, 1, 2]
    left, _, right, _ = opened[0].region
    assert abs(left - 10) <= 6
    assert abs(right - 50) <= 6
    assert opened[0].five is None
    low, high = np.percentile(opened[0].read()[0], (1, 99))
    assert (low, high) == (pytest.approx(20, abs=0.5), pytest.approx(40, abs=0.5))
    again = FolderImages(UnlabelledFolder(str(folder), "relative", "^(p[0-9]+)_"), 0.6, 32)
    assert again.digest == opened.digest
    cv2.imwrite(str(folder / "p0_0.png"), np.full((60, 80), 7, np.uint8))
    assert FolderImages(UnlabelledFolder(str(folder), "relative", "^(p[0-9]+)_"), 0.6, 32).digest != opened.digest


def test_joined_sources_number_their_subjects_on():
    joined = JoinedImages([(images(2), 0), (images(3), 2)])
    assert [joined[place].subject for place in range(len(joined))] == [0, 1, 2, 3, 4]
    with pytest.raises(IndexError):
        joined[5]


def job_of(folder, **changes):
    paths = ("encoder", "provenance", "losses", "loss_figure", "checkpoint")
    (folder / "SHA256SUMS").write_text("0  a\n")
    known = {
        "stored": StoredFaces(str(folder), [], "", 70, ["warm"]),
        "sums": [str(folder / "SHA256SUMS")],
        "folders": {},
        "validation_share": 0.4,
        "name": "mine",
        "settings": TINY | {"tasks": {"dense": 1.0}},
        "device": "cpu",
        "threads": 1,
    }
    return PretrainingJob(**{name: str(folder / name) for name in paths}, **known | changes)


@pytest.fixture
def stores(monkeypatch):
    monkeypatch.setattr(jobs, "open_faces", lambda stored, part: make_faces(6 if part == "train" else 2))


@pytest.mark.parametrize("source", ["stores", "folders", "both"])
def test_the_job_learns_from_stores_folders_or_both(tmp_path, stores, source):
    folders = {"mine": {"path": str(fill(tmp_path / "here")), "values": "relative", "subjects": "^(p[0-9]+)_"}}
    changes = {"folders": {} if source == "stores" else folders}
    changes |= {"stored": None, "sums": []} if source == "folders" else {}
    pretrain_encoder(job_of(tmp_path, **changes))
    record = json.loads((tmp_path / "provenance").read_text())
    counts = {name: record["images"][name] for name in ("stores", "folders")}
    assert (counts["stores"] > 0, counts["folders"] > 0) == (source != "folders", source != "stores")
    assert counts["stores"] in (0, 6)
    assert record["images"]["validation"] > 0
    assert record["tasks"]["dense"]["on"] == "held-out people"
    assert set(record["folders"]) == set(changes["folders"])
    assert (tmp_path / "loss_figure").read_bytes().startswith(b"\x89PNG")
    assert len(pd.read_csv(tmp_path / "losses")) == 3
    assert not (tmp_path / "checkpoint").exists()


def test_a_landmark_network_begins_with_what_was_pretrained(tmp_path, stores):
    job = job_of(tmp_path)
    pretrain_encoder(job)
    network = LandmarkNetwork(LandmarkArchitecture(70, "resnet10t", "heatmap", 32))
    assert load_initial_weights(network, job.encoder) == ("backbone", "lateral", "smooth")
    saved = load_payload(job.encoder, "tfake-encoder-1", "encoder")
    assert all(torch.equal(value, network.body.backbone.state_dict()[name]) for name, value in saved["tensors"].items())
    assert all(torch.equal(value, network.body.state_dict()[name]) for name, value in saved["neck"].items())
    pooled = LandmarkNetwork(LandmarkArchitecture(70, "resnet10t", "pooled", 32))
    assert load_initial_weights(pooled, job.encoder) == ("backbone",)
    pretrain_encoder(replace(job, settings=TINY | {"tasks": {"rotation": 1.0}}))
    assert load_initial_weights(network, job.encoder) == ("backbone",)
