"""The script: from an archive, its index and a paired set to weights, provenance, table and figures."""

import json

import cv2
import numpy as np
import pandas as pd
import pytest
import torch

from archives import PIXELS, encode_png, write_archive, write_samples
from index_archive import index_archive
from tfake.radiometry import encode_celsius
from tfake.sources.index import read_index
from tfake.sources.training_set import SourceImages
from tfake.store.checksums import file_sha256
from tfake.thermalizer.weights import load_thermalizer
from train_thermalizer import train_thermalizer

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
    return folder


def run(folder, name, **changes):
    out = folder / name
    out.mkdir()
    arguments = {
        "archive": [str(folder / "a.zip")],
        "index": str(folder / "index.parquet"),
        "image_pixels": PIXELS,
        "pairs": str(folder / "pairs.zip"),
        "pair_values": "celsius",
        "pair_layout": "stems",
        "condition": "chilly",
        "ambient_celsius": 14.5,
        "prior_table": "tfake2025",
        "prior_column": "cold",
        "settings": SETTINGS,
        "device": "cpu",
        "threads": 1,
    }
    outputs = dict(zip(("weights", "provenance", "losses", "loss_figure", "sample_figure"), FILES, strict=True))
    train_thermalizer(**{key: str(out / file) for key, file in outputs.items()}, **arguments | changes)
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
    assert (provenance["ambient_celsius"], provenance["prior"]) == (14.5, "tfake2025, cold")
    losses = pd.read_csv(out / "losses.csv")
    assert losses["step"].tolist() == [0, 1]
    for figure in ("losses.png", "samples.png"):
        assert min(cv2.imread(str(out / figure)).shape[:2]) > 300


def test_the_same_run_gives_the_same_bytes(folder):
    first, second = run(folder, "first"), run(folder, "second")
    for name in FILES:
        assert (first / name).read_bytes() == (second / name).read_bytes(), name


def test_relative_pairs_and_terms_left_out(folder):
    out = run(folder, "relative", pair_values="relative", settings=SETTINGS | {"weight_wasserstein": 0})
    assert (pd.read_csv(out / "losses.csv")["wasserstein"] == 0).all()


def test_a_wrong_setting_stops_it_before_anything_is_written(folder):
    with pytest.raises(ValueError, match="stepps"):
        run(folder, "wrong", settings=SETTINGS | {"stepps": 1})
    assert not list((folder / "wrong").iterdir())


def test_only_usable_samples_are_sources(folder):
    table = read_index(folder / "index.parquet")
    sources = SourceImages([str(folder / "a.zip")], table, PIXELS)
    assert len(sources) == 3
    rgb, classes = sources[2]
    assert (rgb.shape, classes.shape) == ((PIXELS, PIXELS, 3), (PIXELS, PIXELS))
    with pytest.raises(IndexError):
        sources[3]
