"""The study of classes of faces: a run from sequences to a page, resuming, refusals, its plan."""

import json
from dataclasses import replace
from itertools import count

import cv2
import numpy as np
import pandas as pd
import pytest
import torch

import tfake
from planned import plan_of, wildcards
from studies.compare_classifiers import compare_classifiers
from studies.score_classifiers import score_classifiers
from studies.train_classifier import train_classifier as train_script
from tfake.classification.classification_settings import ClassificationSettings
from tfake.classification.classifier_job import ClassifierJob
from tfake.classification.classifier_network import (
    ClassifierArchitecture,
    ClassifierNetwork,
    classify,
    load_classifier,
    save_classifier,
)
from tfake.classification.classifier_training import ClipSampler, loss_and_accuracy, train_classifier
from tfake.classification.clip_sources import REGIMES, ClipSources
from tfake.classification.face_clips import ClipViews, FaceClip, ShownClips
from tfake.classification.people_parts import PARTS, fractions_of
from tfake.config.faults import ConfigError
from tfake.config.models_classification import BASELINES, OWN_SETS
from tfake.config.validation import find_faults
from tfake.core.ethics_note import ETHICS_NOTE, EthicsNoteError
from tfake.reader.splits import split_parts
from tfake.studies.class_predictions import find_test_sets
from tfake.studies.class_scores import MAJORITY, MOTION, OTHER_CAMERA, OTHER_PEOPLE
from tfake.training import training_job
from tfake.training.loop import RunControl, TrainingStoppedError
from tfake.training.rng import ProcessShard
from tfake.training.weights_file import CheckpointFile
from tiny_sequences import sequence_plan, write_sequences

pytestmark = pytest.mark.usefixtures("one_thread")
CPU = torch.device("cpu")
TINY = {
    "steps": 3,
    "batch": 2,
    "image_pixels": 32,
    "backbone": "resnet10t",
    "temporal": "gru",
    "frames": 3,
    "validate_every": 1,
    "patience": 5,
    "precision": "float32",
    "checkpoint_every": 2,
}
SHARES = {"validation_share": 0.3, "test_share": 0.3}
STORE = {"frames": 4, "frames_per_second": 2.0, "image_pixels": 64}


def settings(**changes):
    return ClassificationSettings.from_mapping(TINY | changes)


def disc(subject, label, edge=1.0):
    """A clip of a warm disc; of class 1 it grows."""
    y, x = np.mgrid[:48, :48]
    sizes = 8 + np.arange(6) * (2 * label)
    frames = np.stack([np.where((x - 24) ** 2 + (y - 24) ** 2 < size**2, 34.0, 22.0) for size in sizes])
    return FaceClip(
        f"{subject}_{label}", subject, label, 6, (14.0, 14.0, 34.0, 34.0), lambda: frames.astype(np.float32)
    )


def discs(*subjects):
    return [disc(subject, label) for subject in subjects for label in (0, 1)]


def train(checkpoint=None, is_stopping=lambda: False, **changes):
    return train_classifier(
        settings(**changes),
        ("still", "grows"),
        discs("a", "b"),
        (),
        discs("c"),
        RunControl(CPU, checkpoint, is_stopping),
    )


@pytest.mark.parametrize("temporal", ["mean", "gru"])
def test_a_short_run_learns_what_other_people_do(temporal):
    changes = {"steps": 20, "batch": 6, "thermal_strength": 0.0, "temporal": temporal, "validate_every": 10}
    trained = train(**changes)
    assert trained.validation[1] == 1.0
    measured = trained.losses["validation"].dropna()
    assert trained.validation[0] == pytest.approx(measured.min(), rel=1e-4)


def test_an_interrupted_run_ends_with_the_same_weights(tmp_path):
    whole = train(steps=4)
    file = CheckpointFile(tmp_path / "checkpoint.pt", "run")
    answers = iter([False, False, True])
    with pytest.raises(TrainingStoppedError, match="after step 3 of 4"):
        train(file, lambda: next(answers), steps=4)
    resumed = train(file, steps=4)
    expected = whole.network.state_dict()
    assert all(torch.equal(value, expected[name]) for name, value in resumed.network.state_dict().items())
    pd.testing.assert_frame_equal(resumed.losses, whole.losses)
    other = train(steps=4, seed=1).network.state_dict()
    assert not all(torch.equal(value, expected[name]) for name, value in other.items())


def test_validation_people_are_others():
    for held_out, message in ((discs("b"), "b are learnt from, too"), ([], "no clips to validate on")):
        with pytest.raises(ValueError, match=message):
            train_classifier(settings(), ("still", "grows"), discs("a", "b"), (), held_out, RunControl(CPU))
    with pytest.raises(ValueError, match="no clips to learn from"):
        train_classifier(settings(), ("still", "grows"), (), (), discs("c"), RunControl(CPU))


def test_a_hybrid_batch_has_its_share_and_processes_make_parts_of_it():
    views, chosen = settings().views, settings(batch=8, real_share=0.25)
    synthetic, real = ShownClips([disc("s", 0)], views), ShownClips([disc("r", 1)], views)
    whole = ClipSampler(synthetic, real, chosen).batch(2)[0]
    assert sorted(whole.labels.tolist()) == [0] * 6 + [1] * 2
    assert whole.images.shape == (8, 3, 32, 32)
    assert not torch.equal(whole.images[0], whole.images[1])
    for processes in (2, 4, 8):
        shards = [ProcessShard(rank, processes) for rank in range(processes)]
        parts = [ClipSampler(synthetic, real, chosen, shard).batch(2)[0] for shard in shards]
        assert {len(part.labels) for part in parts} == {8 // processes}
        assert sorted(torch.cat([part.images.flatten(1) for part in parts]).tolist()) == sorted(
            whole.images.flatten(1).tolist()
        )
    assert ClipSampler(ShownClips([], views), real, chosen).batch(0)[0].labels.tolist() == [1] * 8


def test_a_crop_is_the_square_around_the_face():
    # A ramp that tells its columns: the crop of 32 pixels shows 40 columns around the box's middle, 24.
    ramp = np.tile(np.arange(48, dtype=np.float32) / 4 + 20, (2, 48, 1))
    clip = FaceClip("a", "a", 0, 2, (14.0, 14.0, 34.0, 34.0), lambda: ramp)
    shown = ShownClips([clip], ClipViews(32, 1, 2.0, 0.0)).show(0)[0].astype(float)
    columns = (20 + 20 * shown.mean(axis=0) - 20) * 4
    np.testing.assert_allclose(columns, 24 + (np.arange(32) - 15.5) * 40 / 32, atol=0.15)
    whole = ShownClips([replace(clip, box=None)], ClipViews(32, 1, 2.0, 0.0)).show(0)[0].astype(float)
    np.testing.assert_allclose(20 * 4 * whole.mean(axis=0)[1:-1], 23.5 + (np.arange(32)[1:-1] - 15.5) * 1.5, atol=0.3)


def test_loss_and_accuracy_in_closed_form():
    loss, right = loss_and_accuracy(torch.tensor([[0.0, 0.0], [0.0, np.log(3.0)]]), torch.tensor([0, 1]))
    assert loss.item() == pytest.approx((np.log(2) + np.log(4 / 3)) / 2)
    assert right.item() == 1.0


@pytest.mark.parametrize("backbone", ["mobilenetv2_100", "efficientnet_b0", "resnet18"])
def test_published_backbones_are_built_saved_and_opened(tmp_path, backbone):
    torch.manual_seed(0)
    about = ClassifierArchitecture(("male", "female"), backbone, "mean", 1, 32, 1.4, True)
    network = ClassifierNetwork(about).eval()
    images = [torch.rand(1, 32, 32, dtype=torch.float32).half() for _ in range(3)]
    save_classifier(tmp_path / "weights.pt", network)
    again = load_classifier(tmp_path / "weights.pt")
    assert again.architecture == about
    answers = classify(again, images, CPU, 2)
    assert answers.shape == (3, 2)
    torch.testing.assert_close(answers, classify(network, images, CPU, 3))


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Two runs with sequences: three people, and two others in a cold room, who wink, too."""
    folders = []
    for seed, subjects, ambient, expressions in ((1, 3, 23.0, ["smile", "talk"]), (2, 2, 14.0, ["talk", "wink"])):
        folders.append(tmp_path_factory.mktemp(f"run{seed}"))
        about = {"seed": seed, "subjects": subjects, "ambient_celsius": ambient}
        write_sequences(folders[-1], sequence_plan(**STORE, **about, expressions=expressions))
    return folders


def split_seed(folder):
    """The first by which each of three people is in a part of their own."""
    sequences, fractions = tfake.open_sequences(folder), {"train": 0.4, "validation": 0.3, "test": 0.3}
    return next(seed for seed in count() if all(len(sequences.split(part, fractions, seed)) for part in fractions))


def sources(folder, **changes):
    known = {"attribute": "expression", "sequences": str(folder), "sets": {}, "split_seed": split_seed(folder)}
    return ClipSources(**known | SHARES | changes)


def job_of(out, folder, **changes):
    out.mkdir(parents=True, exist_ok=True)
    files = {
        "weights": "weights.pt",
        "provenance": "provenance.json",
        "losses": "losses.csv",
        "loss_figure": "losses.png",
    }
    known = {
        "checkpoint": str(out / "checkpoint.pt"),
        "sources": sources(folder),
        "sums": str(folder / "sequences/SHA256SUMS"),
        "regime": "synthetic",
        "accepts_ethics_note": False,
        "settings": TINY,
        "device": "cpu",
        "threads": 1,
    }
    return ClassifierJob(**{key: str(out / name) for key, name in files.items()}, **known | changes)


def test_from_sequences_to_the_page(runs, tmp_path):
    folder, elsewhere = runs
    job = job_of(tmp_path / "net", folder)
    train_script(job)
    record = json.loads((tmp_path / "net/provenance.json").read_text())
    assert (record["classes"], record["people"]) == (["smile", "talk"], {"synthetic": 1, "real": 0, "validation": 1})
    assert (tmp_path / "net/losses.png").read_bytes().startswith(b"\x89PNG")
    assert not (tmp_path / "net/checkpoint.pt").exists()
    run = {"method": "tiny", "regime": "synthetic", "seed": 0, "weights": job.weights}
    answers = tmp_path / "answers.csv"
    score_classifiers(
        str(answers), [run], ["synthetic"], job.sources, {"cold_room": str(elsewhere)}, False, device="cpu"
    )
    table = pd.read_csv(answers)
    clips = table.groupby(["method", "set"]).size().to_dict()
    assert clips == {
        **{
            (method, name): size
            for method in ("majority", "tiny")
            for name, size in (("other_people", 2), ("other_camera", 2), ("cold_room", 2))
        },
        ("landmark_motion", "other_people"): 2,
        ("landmark_motion", "cold_room"): 2,
    }
    learnt = {clip.subject for clip in (*job.sources.synthetic["train"], *job.sources.synthetic["validation"])}
    assert not learnt & set(table[table["set"] == "other_people"]["subject"])
    out = {name: str(tmp_path / name) for name in ("table", "summary", "page")}
    compare_classifiers(**out, answers=[answers], provenance=[job.provenance], attributes=["expression"], draws=200)
    scores = pd.read_csv(out["table"]).set_index(["set", "method"])
    assert scores.loc[("other_people", "majority"), "accuracy"] == 0.5
    assert scores.loc[("cold_room", "tiny"), "subjects"] == 2
    summary = json.loads((tmp_path / "summary").read_text())["expression"]
    assert [len(row["confusion"]) for row in summary["scores"]] == [2] * len(scores)
    assert summary["scores"][0]["accuracy_low"] is None  # one person
    page = (tmp_path / "page").read_text()
    assert "commonest class" in page
    assert "do not tell which is better" in page
    assert ETHICS_NOTE not in page


def test_a_camera_changes_the_pixels_and_another_run_must_have_other_people(runs):
    folder, elsewhere = runs
    sets = find_test_sets(sources(folder), {"cold_room": str(elsewhere)})
    assert [clip.name for clip in sets["other_camera"]] == [clip.name for clip in sets["other_people"]]
    seen, recorded = (sets[name][0].read() for name in ("other_people", "other_camera"))
    assert seen.shape == recorded.shape
    assert np.abs(seen - recorded).mean() > 0.3
    np.testing.assert_array_equal(sets["other_camera"][0].read(), recorded)
    with pytest.raises(ValueError, match=r"expected other people; its sequences\.seed is this one's, 1, too"):
        find_test_sets(sources(folder), {"same": str(folder)})


def test_parts_without_people_are_refused(runs):
    with pytest.raises(ValueError, match="expected people in each part; found train 3, validation 0, test 0: more"):
        next(sources(runs[0], validation_share=0.001, test_share=0.001, split_seed=seed).synthetic for seed in range(9))


def test_apparent_sex_is_refused_without_the_note(runs, tmp_path):
    asked = sources(runs[0], attribute="apparent_sex")
    with pytest.raises(EthicsNoteError, match=r"not to be used on people.*accept_ethics_note: true"):
        train_script(job_of(tmp_path, runs[0], sources=asked))
    with pytest.raises(EthicsNoteError, match="not to be used on people"):
        score_classifiers(str(tmp_path / "answers.csv"), [], ["synthetic"], asked, {}, False)
    assert list(tmp_path.iterdir()) == []
    config = plan_of().config
    block = {**config["face_classification"], "attributes": ["apparent_sex"]}
    faults = find_faults({**config, "face_classification": block})
    assert [fault.path for fault in faults] == [("face_classification", "accept_ethics_note")]
    assert ETHICS_NOTE in faults[0].text
    assert not find_faults({**config, "face_classification": block | {"accept_ethics_note": True}})


def labelled(folder, people=("a", "b", "c", "d", "e", "f")):
    """A made-up labelled set: gray discs, of one class larger."""
    (folder / "set").mkdir(parents=True)
    lines = ["path,subject,label"]
    for number, person in enumerate(people):
        image = np.full((48, 48), 60, np.uint8)
        cv2.circle(image, (24, 24), 10 + 8 * (number % 2), 200, -1)
        cv2.imwrite(str(folder / f"set/{person}.png"), image)
        lines.append(f"{person}.png,{person},{('male', 'female')[number % 2]}")
    (folder / "labels.csv").write_text("\n".join(lines) + "\n")
    return {"kind": "table", "path": str(folder / "set"), "labels": str(folder / "labels.csv"), "values": "relative"}


@pytest.mark.parametrize("regime", ["hybrid", "real"])
def test_real_people_are_learnt_from_and_choose_the_weights(runs, tmp_path, regime):
    asked = sources(runs[0], attribute="apparent_sex", sets={"mine": labelled(tmp_path)})
    rendered = [replace(clip, subject=f"s{clip.subject}") for clip in discs("u", "v", "w")]
    people = [replace(clip, subject=f"{clip.subject}{clip.label}") for clip in rendered]
    vars(asked)["synthetic"] = {"train": people[:2], "validation": people[2:4], "test": people[4:]}
    synthetic, real, held_out = asked.to_learn_from(regime)
    assert (len(synthetic), len(real), len(held_out)) == ({"hybrid": 2, "real": 0}[regime], 2, 2)
    assert all(clip.subject.startswith("mine:") for clip in (*real, *held_out))
    assert {
        part: len({clip.subject for clip in own}) for part, own in asked.real_sets["mine"].items()
    } == dict.fromkeys(PARTS, 2)
    job = job_of(
        tmp_path / "net",
        runs[0],
        sources=asked,
        regime=regime,
        accepts_ethics_note=True,
        settings=TINY | {"frames": 1, "temporal": "mean"},
    )
    train_script(job)
    record = json.loads((tmp_path / "net/provenance.json").read_text())
    assert record["people"] == {"synthetic": len(synthetic), "real": 2, "validation": 2}
    with pytest.raises(ValueError, match="the regime real learns from real sets, and none is named"):
        sources(runs[0], attribute="apparent_sex").to_learn_from("real")


def test_a_run_does_not_go_on_from_a_checkpoint_that_saw_other_pictures(runs, tmp_path, monkeypatch):
    about, found = labelled(tmp_path), []

    def stop_there(path, precisions, digest):
        found.append(digest("float32"))
        raise InterruptedError

    monkeypatch.setattr(training_job, "find_checkpoint", stop_there)
    for changed in (None, None, "set/a.png"):
        if changed:
            cv2.imwrite(str(tmp_path / changed), np.full((48, 48), 61, np.uint8))
        asked = sources(runs[0], attribute="apparent_sex", sets={"mine": about})
        job = job_of(tmp_path / "net", runs[0], sources=asked, regime="real", accepts_ethics_note=True)
        with pytest.raises(InterruptedError):
            train_script(job)
    assert found[0] == found[1] != found[2]


def test_the_plan_has_a_run_a_regime_network_and_seed(tmp_path):
    accepted = {"attributes": ["expression", "apparent_sex"], "accept_ethics_note": True, "repeats": 2, "seed": 5}
    about = {"kind": "tufts", "path": str(tmp_path), "labels": "nowhere.csv", "values": "relative"}
    sex = {"regimes": ["real", "synthetic"], "sets": {"tufts": about}}
    part = plan_of(face_classification={**accepted, "apparent_sex": sex}).face_classification
    runs = part.runs(wildcards(attribute="apparent_sex"))
    assert len({run["weights"] for run in runs}) == len(runs) == 2 * 3 * 2
    assert {run["seed"] for run in runs} == {5, 6}
    assert len(part.runs(wildcards(attribute="expression"))) == 2 * 2
    assert len(part.provenance) == 12 + 4
    assert part.set_paths(wildcards(attribute="apparent_sex")) == [str(tmp_path)]
    assert part.division(wildcards(attribute="expression"))["sets"] == {}
    # Another set, or another share of it, trains no network anew that learns from none.
    alone, both = (
        wildcards(attribute="apparent_sex", classifier="mobilenet", regime=name, seed=5) for name in REGIMES[:2]
    )
    assert (part.division(alone)["sets"], part.set_paths(alone)) == ({}, [])
    assert (part.division(both)["sets"], part.set_paths(both)) == ({"tufts": about}, [str(tmp_path)])
    assert ["real_share" in part.settings(job) for job in (alone, both)] == [False, True]
    own = part.settings(wildcards(attribute="expression", classifier="gru", regime="synthetic", seed=6))
    assert (own["frames"], own["temporal"], own["seed"], own["backbone"]) == (8, "gru", 6, "resnet10t")
    assert ClassificationSettings.from_mapping(own).seed == 6
    still = part.settings(wildcards(attribute="apparent_sex", classifier="mobilenet", regime="real", seed=5))
    assert (still["frames"], still["backbone"]) == (1, "mobilenetv2_100")


def test_names_of_the_study_s_own_are_those_that_the_config_keeps():
    assert (OWN_SETS, BASELINES) == ((OTHER_PEOPLE, OTHER_CAMERA), (MAJORITY, MOTION))


def test_the_default_people_are_in_each_part_and_settings_are_those_of_the_training():
    block = plan_of().config["face_classification"]
    plan = sequence_plan()
    ids = np.array(sorted({f"s{own['subject']:04d}" for own in plan.sequences}))
    fractions = fractions_of(block["validation_share"], block["test_share"])
    parts = split_parts(ids, np.arange(len(ids)), fractions, block["split_seed"])
    assert np.bincount(parts, minlength=3).tolist() == [4, 2, 2]


def test_a_run_elsewhere_that_is_not_finished_is_named(tmp_path):
    (tmp_path / "sequences/sequences.zarr").mkdir(parents=True)
    part = plan_of(face_classification={"elsewhere": {"cold": str(tmp_path)}}).face_classification
    with pytest.raises(ConfigError, match="or they are not finished"):
        part.check_files()
    (tmp_path / "sequences/SHA256SUMS").touch()
    part.check_files()
    assert part.elsewhere_sums == [str(tmp_path / "sequences/SHA256SUMS")]


def test_a_run_elsewhere_that_is_not_there_is_named():
    with pytest.raises(ConfigError, match=r"face_classification\.elsewhere\.cold: there are no sequences in nowhere"):
        plan_of(face_classification={"elsewhere": {"cold": "nowhere"}}).face_classification.check_files()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"temporal": "max"}, "temporal must be one of mean, gru"),
        ({"patience": 0}, "patience must be above 0"),
        ({"image_pixels": 50}, "image_pixels"),
        ({"real_share": 1.0}, "real_share"),
        ({"frames": 0}, "frames"),
    ],
)
def test_settings_that_cannot_train_are_named(changes, message):
    with pytest.raises(ValueError, match=message):
        settings(**changes)


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"patience": 0}, "patience"),
        ({"validation_share": 0.5, "test_share": 0.5}, "test_share"),
        ({"bootstrap_draws": 3}, "bootstrap_draws"),
        ({"elsewhere": {OTHER_CAMERA: "there"}}, "elsewhere"),
        ({"expression": {"classifiers": {MOTION: {"backbone": "resnet10t", "temporal": "gru"}}}}, "expression"),
    ],
)
def test_a_config_that_cannot_be_run_is_refused(changes, key):
    config = plan_of().config
    faults = find_faults({**config, "face_classification": config["face_classification"] | changes})
    assert [fault.path for fault in faults] == [("face_classification", key)]
