"""The script: from an archive, its index and a paired set to weights, provenance, table and figures."""

import json
import signal

import cv2
import numpy as np
import pandas as pd
import pytest
import torch

from archives import PIXELS, encode_png, write_archive, write_samples
from source.index_archive import index_archive
from tfake.archive.image_reader import SourceImages
from tfake.archive.index import read_index
from tfake.core.radiometry import encode_celsius
from tfake.store.manifest import file_sha256
from tfake.thermalizer.thermalizer_file import load_thermalizer
from tfake.thermalizer.thermalizer_job import ThermalizerJob
from tfake.thermalizer.thermalizer_kinds import KINDS
from tfake.training.loop import TrainingStoppedError, TrainState
from thermalizers.sample_patches import sample_patches
from thermalizers.train_thermalizer import train_thermalizer
from tiny_diffusion import TINY_DIFFUSION

SETTINGS = {
    "steps": 2,
    "batch_pairs": 2,
    "batch_sources": 2,
    "image_pixels": 32,
    "patches": 16,
    "patch_scales": [1],
    "encoder": "resnet18",
    "decoder_channels": [16, 8, 8],
    "seed": 3,
}
FILES = ("weights.pt", "provenance.json", "losses.csv", "losses.png", "samples.png")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("training")
    archive = write_samples(folder / "a.zip", range(4), m000002__png=b"broken")
    index_archive(str(folder / "index.parquet"), [str(archive)], 4, PIXELS, threads=1)
    rng = np.random.default_rng(0)
    members = {}
    for stem in ("p0", "p1", "p2"):
        members[f"{stem}_v.png"] = encode_png(rng.integers(0, 255, (48, 40, 3), dtype=np.uint8))
        members[f"{stem}_t.png"] = encode_png(encode_celsius(rng.uniform(28, 36, (48, 40))))
    write_archive(folder / "pairs.zip", members)
    sample_patches(
        patches=str(folder / "patches.npz"),
        images=str(folder / "pairs.zip"),
        values="celsius",
        pair_layout="stems",
        image_pixels=32,
        largest_zoom=1.0,
        rotation_degrees=10.0,
        shear_degrees=5.0,
        patch_pixels=8,
        patch_scales=[1],
        bank_patches=64,
        seed=0,
        threads=1,
    )
    return folder


def run(folder, name, processes=1, **changes):
    out = folder / name
    out.mkdir(exist_ok=True)
    outputs = dict(zip(("weights", "provenance", "losses", "loss_figure", "sample_figure"), FILES, strict=True))
    arguments = {key: str(out / file) for key, file in outputs.items()} | {
        "checkpoint": str(out / "checkpoint.pt"),
        "archive": [str(folder / "a.zip")],
        "index": str(folder / "index.parquet"),
        "image_pixels": PIXELS,
        "pairs": str(folder / "pairs.zip"),
        "pair_layout": "stems",
        "pair_values": "celsius",
        "supervision": "absolute",
        "patches": str(folder / "patches.npz"),
        "condition": "chilly",
        "ambient_celsius": (14.5, 14.5),
        "prior_table": "tfake2025",
        "read_prior_at_celsius": 20.0,
        "prior_offsets_kelvin": {"NOSE": -0.5},
        "settings": SETTINGS,
        "device": "cpu",
        "threads": 1,
    }
    train_thermalizer(ThermalizerJob(**arguments | changes), processes)
    return out


def test_everything_is_written_and_fits_together(folder):
    out = run(folder, "one")
    assert sorted(path.name for path in out.iterdir()) == sorted(FILES)
    thermalizer = load_thermalizer(out / "weights.pt", torch.device("cpu"))
    assert thermalizer.condition == "chilly"
    provenance = json.loads((out / "provenance.json").read_text())
    assert provenance["weights_sha256"] == file_sha256(out / "weights.pt")
    assert provenance["source_sha256"] == read_index(folder / "index.parquet").attrs["source_sha256"]
    assert (provenance["sources"], provenance["pairs"], provenance["seed"]) == (3, 3, 3)
    assert (provenance["ambient_celsius"], provenance["prior"]) == ([14.5, 14.5], "tfake2025")
    losses = pd.read_csv(out / "losses.csv")
    assert losses["step"].tolist() == [0, 1]
    for figure in ("losses.png", "samples.png"):
        assert min(cv2.imread(str(out / figure)).shape[:2]) > 300


def test_the_same_run_gives_the_same_bytes(folder):
    first, second = run(folder, "first"), run(folder, "second")
    for name in FILES:
        assert (first / name).read_bytes() == (second / name).read_bytes(), name


def test_a_diffusion_thermalizer_is_trained_by_the_same_job_and_needs_no_patches(folder):
    given = {"kind": "diffusion", "patches": None, "settings": TINY_DIFFUSION}
    out, again = run(folder, "diffusion", **given), run(folder, "diffusion again", **given)
    assert sorted(path.name for path in out.iterdir()) == sorted(FILES)
    for name in FILES:
        assert (out / name).read_bytes() == (again / name).read_bytes(), name
    thermalizer = load_thermalizer(out / "weights.pt", torch.device("cpu"))
    assert (thermalizer.condition, thermalizer.network.kind) == ("chilly", "diffusion")
    provenance = json.loads((out / "provenance.json").read_text())
    assert provenance["format"] == KINDS["diffusion"].format
    assert provenance["architecture"]["sampling_steps"] == TINY_DIFFUSION["sampling_steps"]
    assert "diffusers" in provenance["versions"]
    assert "flow" in pd.read_csv(out / "losses.csv")
    with pytest.raises(ValueError, match="'relative'"):
        run(folder, "relative diffusion", **given, pair_values="relative")


def test_relative_pairs_and_terms_left_out(folder):
    out = run(folder, "relative", pair_values="relative", settings=SETTINGS | {"weight_wasserstein": 0})
    assert (pd.read_csv(out / "losses.csv")["wasserstein"] == 0).all()


def test_sigterm_writes_a_checkpoint_and_the_same_job_goes_on_from_it(folder, monkeypatch):
    whole = run(folder, "whole")
    original = TrainState.step

    def terminated(self, *batches):
        original(self, *batches)
        signal.raise_signal(signal.SIGTERM)

    before = signal.getsignal(signal.SIGTERM)
    with monkeypatch.context() as patch:
        patch.setattr(TrainState, "step", terminated)
        with pytest.raises(TrainingStoppedError, match="step 1 of 2"):
            run(folder, "stopped")
    assert signal.getsignal(signal.SIGTERM) is before
    assert [path.name for path in (folder / "stopped").iterdir()] == ["checkpoint.pt"]
    out = run(folder, "stopped")
    assert (out / "weights.pt").read_bytes() == (whole / "weights.pt").read_bytes()
    assert (out / "losses.csv").read_bytes() == (whole / "losses.csv").read_bytes()
    assert not (out / "checkpoint.pt").exists()


@pytest.mark.parametrize(("first", "then"), [("float32", "bfloat16"), ("bfloat16", "float32")])
def test_a_resumed_run_keeps_its_number_format(folder, monkeypatch, first, then):
    """Where it goes on, `auto` would choose another one."""
    native = {"float32": False, "bfloat16": True}
    whole = run(folder, f"whole in {first}", settings=SETTINGS | {"precision": first})
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: native[first])
    name = f"{first} then {then}"
    with monkeypatch.context() as patch:
        patch.setattr(TrainState, "record_validation", lambda *_: signal.raise_signal(signal.SIGTERM))
        with pytest.raises(TrainingStoppedError, match="step 1 of 2"):
            run(folder, name, settings=SETTINGS | {"validate_every": 1})
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: native[then])
    out = run(folder, name, settings=SETTINGS | {"validate_every": 1})
    assert json.loads((out / "provenance.json").read_text())["precision"] == first
    assert json.loads((out / "provenance.json").read_text())["settings"]["precision"] == "auto"
    assert (out / "weights.pt").read_bytes() == (whole / "weights.pt").read_bytes()


def test_a_checkpoint_is_taken_up_whatever_the_weights_do_not_depend_on(folder, monkeypatch):
    whole = run(folder, "reference")
    original, steps = TrainState.step, []

    def counted(self, *batches):
        original(self, *batches)
        steps.append(self.next_step)
        if len(steps) == 1:
            signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(TrainState, "step", counted)
    with pytest.raises(TrainingStoppedError, match="step 1 of 2"):
        run(folder, "changed")
    out = run(folder, "changed", settings=SETTINGS | {"checkpoint_every": 1})
    assert steps == [1, 2]
    assert (out / "weights.pt").read_bytes() == (whole / "weights.pt").read_bytes()


def test_two_processes_write_one_thermalizer(folder):
    out = run(folder, "group", processes=2)
    assert sorted(path.name for path in out.iterdir()) == sorted(FILES)
    assert load_thermalizer(out / "weights.pt", torch.device("cpu")).condition == "chilly"


def test_a_wrong_setting_stops_it_before_anything_is_written(folder):
    with pytest.raises(ValueError, match="stepps"):
        run(folder, "wrong", settings=SETTINGS | {"stepps": 1})
    assert not list((folder / "wrong").iterdir())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"pair_values": "kelvin"}, r"pairs\.zip: p0_t\.png: as kelvin it holds .*looks like degrees Celsius"),
        ({"pair_values": {"counts": {"per_kelvin": 10}}}, "declare values: celsius"),
        ({"ambient_celsius": (60.0, 60.0), "read_prior_at_celsius": None}, "answers for rooms of 10 to 30 °C"),
    ],
)
def test_an_implausible_declaration_stops_it_before_any_work(folder, changes, message):
    with pytest.raises(ValueError, match=message):
        run(folder, "implausible", **changes)
    assert not list((folder / "implausible").iterdir())


def test_counts_declared_as_such_teach_the_same(folder):
    counts = {"counts": {"per_kelvin": 100, "offset": 0}}
    declared, plain = run(folder, "counts", pair_values=counts), run(folder, "celsius")
    assert (declared / "weights.pt").read_bytes() == (plain / "weights.pt").read_bytes()
    assert json.loads((declared / "provenance.json").read_text())["pair_values"] == "celsius"


def test_only_usable_samples_are_sources(folder):
    table = read_index(folder / "index.parquet")
    sources = SourceImages([str(folder / "a.zip")], table, PIXELS)
    assert len(sources) == 3
    rgb, classes = sources[2]
    assert (rgb.shape, classes.shape) == ((PIXELS, PIXELS, 3), (PIXELS, PIXELS))
    with pytest.raises(IndexError):
        sources[3]
