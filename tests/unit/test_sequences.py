"""Stores of sequences: made shard by shard, verified, read, split by person, cut into clips."""

import json
import pickle
import shutil
from types import SimpleNamespace
from typing import get_args

import numpy as np
import pytest
import torch

import tfake
from archives import flip_byte
from heads.sequence import MOST_LOOKS, Clip, prepare_sequence
from sequences.render_sequence import render_sequence
from tfake.config.keys import Section
from tfake.config.models_sequences import Expression, Physiology, Sequences, State
from tfake.core.codes import BODY_TEMPERATURES, BodyState, ExpressionClass, PointState, sequence_name
from tfake.heat.physiology import PhysiologyRanges
from tfake.reader.dataset import FaceDataset
from tfake.reader.dataset_store import DatasetError
from tfake.store.layouts import sequences_layout
from tfake.store.manifest import read_manifest
from tfake.store.shards import StoreError
from tfake.store.verification import verify_store
from tiny_sequences import FRAMES, sequence_plan, write_sequences

PLAN = sequence_plan(subjects=2, expressions=["smile", "talk"], frames=FRAMES, frames_per_second=2.0, image_pixels=64)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    write_sequences(folder, PLAN)
    return folder


@pytest.fixture(scope="module")
def sequences(results):
    return tfake.open_sequences(results)


def test_every_subject_shows_every_look_state_and_expression():
    plan = sequence_plan(subjects=3, looks=2, states=["rest", "cold"], expressions=["smile"], frames=10)
    found = {tuple(sequence.values()) for sequence in plan.sequences}
    assert len(plan.sequences) == len(found) == 12
    assert plan.rows == 120
    assert plan.shard_rows(SimpleNamespace(shard="3")) == [30, 40]
    assert plan.sequence(SimpleNamespace(shard="4"))["subject"] == 1
    assert len(plan.manifests(SimpleNamespace())) == 12
    assert {"subjects", "looks", "formats"}.isdisjoint(plan.settings)


def test_the_config_has_the_words_of_the_codes_and_the_keys_of_the_bodies():
    assert get_args(Expression) == tuple(code.name.lower() for code in ExpressionClass)
    assert get_args(State) == tuple(code.name.lower() for code in BodyState)
    assert issubclass(Physiology, Section)
    assert set(Physiology.model_fields) == set(PhysiologyRanges.__dataclass_fields__)
    for name, field in Physiology.model_fields.items():
        np.testing.assert_allclose(field.default, getattr(PhysiologyRanges(), name))
    assert Sequences.model_fields["looks"].metadata[-1].le == MOST_LOOKS
    longest = sequence_name(9999, 63, "stress", "surprise")
    assert len(longest) <= 32


def test_a_store_verifies_and_a_damaged_one_does_not(results, tmp_path):
    folder = shutil.copytree(results / "sequences", tmp_path / "sequences")
    sums, store = folder / "SHA256SUMS", folder / "sequences.zarr"
    checked = verify_store(sums, store)
    # Each array's file of each sequence, and the metadata.
    assert checked["files"] == len(sequences_layout(64)) * (4 + 1) + 1
    flip_byte(store / "thermal/c/2/0/0", 300)
    with pytest.raises(StoreError, match="thermal/c/2"):
        verify_store(sums, store)


def test_a_sequence_is_the_same_bytes_again(results, tmp_path):
    folder = shutil.copytree(results / "sequences", tmp_path / "sequences")
    manifest, before = folder / "manifests/1.json", read_manifest(folder / "manifests/1.json")
    shutil.rmtree(folder / "sequences.zarr/thermal/c/1")
    rows = (FRAMES, 2 * FRAMES)
    render_sequence(str(manifest), str(folder / "sequences.zarr"), 1, rows, PLAN.sequences[1], PLAN.settings)
    assert read_manifest(manifest) == before
    assert before.counts == {"expression_talk": FRAMES, "state_rest": FRAMES}
    assert before.statistics["skin"]["mean"] > 30


def test_frames_are_what_the_heads_render(sequences):
    sequence = sequences[2]
    assert (sequence.sequence_id, sequence.subject_id) == ("s0001_l00_rest_smile", "s0001")
    assert (sequence.expression, sequence.state) == (ExpressionClass.SMILE, BodyState.REST)
    clip = Clip(1, 1, 0, ExpressionClass.SMILE, BodyState.REST, FRAMES, 2.0, 64)
    prepared = prepare_sequence(clip)
    frame, curves = prepared.frame(2), sequence.curves()
    np.testing.assert_allclose(sequence.read("thermal", [2])[0], frame.celsius, atol=0.0051)
    np.testing.assert_array_equal(sequence.read("rgb", slice(2, 3))[0], frame.rendering.rgb)
    np.testing.assert_array_equal(sequence.read("segmentation")[2], frame.rendering.surface.classes)
    np.testing.assert_allclose(curves["landmarks_478"][2], frame.mesh_478, atol=1e-3)
    np.testing.assert_allclose(curves["landmarks_70"][2], frame.rendering.landmarks_70, atol=1e-3)
    np.testing.assert_allclose(curves["time"], [0.0, 0.5, 1.0, 1.5])
    np.testing.assert_allclose(curves["intensity"], prepared.performance.intensity, atol=1e-6)
    assert curves["smile"][2] == pytest.approx(frame.expression.smile, abs=1e-6)
    assert curves["lid_left"][2] == pytest.approx(frame.expression.lids[1], abs=1e-6)
    assert curves["breath"][2] == pytest.approx(frame.state.breath, abs=1e-6)
    assert curves["breaths_per_minute"][0] == pytest.approx(prepared.physiology.breaths_per_minute)
    np.testing.assert_allclose(curves["gaze"][2], frame.expression.gaze, atol=1e-5)
    np.testing.assert_allclose(curves["head_pose"][2], frame.head_degrees, atol=1e-4)
    assert (curves["landmarks_478_visibility"] == PointState.VISIBLE).mean() > 0.3
    assert sequence.apparent_sex == prepared.apparent_sex
    assert curves["body_temperature"].shape == (FRAMES, len(BODY_TEMPERATURES))


def test_sequences_are_chosen(sequences):
    assert len(sequences) == 4
    assert "4 sequences of 2 people, 4 frames each" in repr(sequences)
    assert [one.sequence_id for one in sequences.where(expressions=["talk"])] == [
        "s0000_l00_rest_talk",
        "s0001_l00_rest_talk",
    ]
    assert sequences.where(subjects=["s0001"], states=["rest"], looks=[0]).sequence_ids == sequences[2:].sequence_ids
    assert len(sequences.where(states=["fever"])) == 0
    with pytest.raises(DatasetError, match="'grin' is no expression; they are neutral, smile"):
        sequences.where(expressions=["grin"])
    with pytest.raises(DatasetError, match="holds no sequences/sequences"):
        tfake.open_sequences("/")
    again = pickle.loads(pickle.dumps(sequences))
    assert again.sequence_ids == sequences.sequence_ids


def test_a_dataset_of_faces_knows_the_sequences_beside_it(results, sequences):
    beside = FaceDataset.sequences(SimpleNamespace(address=str(results)))
    assert beside.sequence_ids == sequences.sequence_ids


def test_nobody_is_in_two_parts_of_a_split(sequences):
    halves = {"one": 0.5, "other": 0.5}
    for seed in range(6):
        parts = [set(sequences.split(name, halves, seed).subject_ids) for name in halves]
        assert parts[0].isdisjoint(parts[1])
        assert parts[0] | parts[1] == {"s0000", "s0001"}
        # Filters move nobody.
        smiles = sequences.where(expressions=["smile"]).split("one", halves, seed)
        assert set(smiles.subject_ids) == parts[0]
    with pytest.raises(DatasetError, match="no part of the split"):
        sequences.split("holdout")


def test_clips_are_tensors(sequences):
    clips = sequences.torch(frames=2, stride=1, fields=("thermal", "rgb", "landmarks_70"))
    assert len(clips) == 4 * 3
    clip = clips[4]
    assert (clip["sequence_id"], clip["first_frame"]) == ("s0000_l00_rest_talk", 1)
    assert (clip["thermal"].shape, clip["rgb"].shape) == ((2, 1, 64, 64), (2, 3, 64, 64))
    np.testing.assert_array_equal(clip["landmarks_70"], sequences[1].read("landmarks_70", [1, 2]))
    batch = next(iter(torch.utils.data.DataLoader(clips, batch_size=3)))
    assert batch["thermal"].shape == (3, 2, 1, 64, 64)
    with pytest.raises(DatasetError, match="1 to 4 frames"):
        sequences.torch(frames=5)
    with pytest.raises(IndexError, match="there are 12 clips"):
        clips[12]


def test_what_is_not_made_yet_is_not_there(tmp_path):
    write_sequences(tmp_path, PLAN, made=1)
    begun = tfake.open_sequences(tmp_path)
    assert begun.sequence_ids == ["s0000_l00_rest_smile"]
    assert len(begun.attributes["sequences"]) == 4


def test_the_store_says_what_it_was_made_from(results):
    attributes = json.loads((results / "sequences/sequences.zarr/zarr.json").read_text())["attributes"]
    assert attributes["settings"]["netd_kelvin"] == 0.05
    assert attributes["license"] == "CC0-1.0"
    assert attributes["frames_per_second"] == 2.0
