"""The study's own parts: scores against closed forms, the comparison, the page, and the scripts on a tiny network."""

import json
import re

import numpy as np
import pandas as pd
import pytest
import torch

from archives import PIXELS, write_samples
from source.index_archive import index_archive
from source.render_faces import render_faces
from source.render_lab import render_lab
from studies.compare_arms import compare_arms
from studies.evaluate_arm import evaluate_arm
from studies.measure_training import measure_training
from tfake.core.classes import FaceClass
from tfake.core.radiometry import encode_celsius
from tfake.pages.charts import series_marker, series_style
from tfake.studies.ablation import Face, scale_gap, score
from tfake.studies.ablation_page import gain, gather_scores, render_ablation, summarise_arms
from tfake.studies.costs import measure_costs
from tfake.thermalizer.prior_table import load_prior
from tfake.thermalizer.thermal_unet import Architecture, ThermalUNet
from tfake.thermalizer.thermalizer_file import save_weights
from tfake.thermalizer.thermalizer_settings import TrainingSettings
from thermalizers.sample_patches import sample_patches
from tiny_training import TINY, make_bank, make_data
from variants.render_truth import render_truth

pytestmark = pytest.mark.usefixtures("one_thread")
CPU = torch.device("cpu")
TARGETS = load_prior("tfake2025").at(20.0).celsius


class Painter:
    """Stands in for a thermalizer: every class at its target, and what it is told to add."""

    def __init__(self, add=0.0, add_small=0.0):
        self.add, self.add_small = add, add_small

    def thermalize(self, rgb, classes, ambient_celsius):
        painted = TARGETS[np.minimum(classes, 18)] + self.add + (self.add_small if classes.shape[1] < 64 else 0.0)
        return np.where(classes == 0, ambient_celsius, painted).astype(np.float32)

    def thermalize_each(self, images, ambient_celsius):
        return (self.thermalize(rgb[None], classes[None], ambient_celsius)[0] for rgb, classes in images)


def make_face(pixels=64):
    classes = np.zeros((pixels, pixels), np.uint8)
    classes[8:56, 8:56] = FaceClass.SKIN
    classes[20:40, 24:40] = FaceClass.NOSE
    expected = encode_celsius(Painter().thermalize(None, classes[None], 20.0)[0])
    return Face(np.full((pixels, pixels, 3), 128, np.uint8), classes, expected, expected)


def test_a_perfect_network_scores_zero():
    scores = score(Painter(), [make_face(), make_face()], 20.0, TARGETS, None)
    for name in ("face_mae", "face_rmse", "prior_worst", "prior_mean", "background_sd", "scale_gap"):
        assert scores[name] == pytest.approx(0, abs=0.006), name
    assert scores["ssim"] == pytest.approx(1, abs=1e-4)
    assert scores["nose_minus_skin"] == pytest.approx(-1.5, abs=1e-3)
    assert "patch_w2" not in scores


def test_an_offset_is_its_error():
    scores = score(Painter(add=1.25), [make_face()], 20.0, TARGETS, make_bank(values="relative"))
    for name in ("face_mae", "face_rmse", "face_bias", "nose_mae", "prior_worst", "prior_mean"):
        assert scores[name] == pytest.approx(1.25, abs=0.01), name
    assert scores["background_sd"] == 0
    assert scores["scale_gap"] == pytest.approx(0, abs=1e-5)
    assert scores["patch_w2"] > 0


def test_an_answer_that_depends_on_the_resolution_is_a_gap():
    face = make_face()
    celsius = Painter().thermalize(None, face.classes[None], 20.0)[0]
    assert scale_gap(Painter(add_small=0.4), face, celsius, 20.0) == pytest.approx(0.4, abs=1e-5)


def test_faces_without_a_truth_are_held_against_the_prior_alone():
    face = make_face()
    scores = score(Painter(), [Face(face.rgb, face.classes)], 20.0, TARGETS, None)
    assert "face_mae" not in scores
    assert scores["skin_mean"] == pytest.approx(33, abs=1e-3)


def write_scores(folder):
    paths = []
    for condition, errors in {
        "warm": {"mse": (1.0, 1.2), "full": (0.5, 0.6)},
        "cold": {"mse": (2.0, 2.0), "full": (1, 1)},
    }.items():
        for arm, values in errors.items():
            for seed, value in enumerate(values):
                path = folder / f"scores/heldout/{condition}/{arm}/{seed}.json"
                path.parent.mkdir(parents=True, exist_ok=True)
                record = {"face_mae": value, "ssim": 0.9, "skin_mae": value, "nose_mae": value, "prior_mean": 0.1}
                path.write_text(json.dumps(record))
                path.with_suffix(".png").write_bytes(b"PNG")
                paths.append(str(path))
    return paths


COSTS = {"device": "cpu", "threads": 1, "steps": 5, "step_seconds": 0.4, "naive_step_seconds": 1.2, "speedup": 3.0}
COSTS |= {"validation_kelvin": 1.0, "naive_validation_kelvin": 1.1, "images_per_second": 20.0}
COSTS |= {f"{part}_share": 1 / 6 for part in ("batch", "network", "supervised", "wasserstein", "prior", "rest")}


def test_arms_are_compared_over_their_seeds(tmp_path):
    arms = summarise_arms(gather_scores(write_scores(tmp_path)))
    row = arms[(arms["condition"] == "warm") & (arms["arm"] == "full") & (arms["score"] == "face_mae")].iloc[0]
    assert (row["mean"], row["seeds"]) == (pytest.approx(0.55), 2)
    assert row["sd"] == pytest.approx(0.0707, abs=1e-4)
    assert gain(arms, "heldout", "warm", "full", "mse", "face_mae") == pytest.approx(0.5)


def test_the_page_holds_every_arm(tmp_path):
    paths = write_scores(tmp_path)
    (tmp_path / "cost.json").write_text(json.dumps(COSTS))
    page, table = tmp_path / "index.html", tmp_path / "arms.csv"
    compare_arms(str(table), str(page), paths, str(tmp_path / "cost.json"), "mse", 23.0)
    html = page.read_text()
    for text in (
        "warm: held-out procedural faces",
        "cold: held-out",
        "0.550 ±&nbsp;0.071",
        "\u221250&nbsp;%",
        "3.0 times",
        "23&nbsp;°C",
    ):
        assert text in html, text
    assert "http" not in html.replace("http://www.w3.org", "")
    assert set(pd.read_csv(table)["arm"]) == {"mse", "full"}


def test_one_seed_has_no_spread_and_no_arm_another_s_dots(tmp_path):
    arms = [f"arm{number}" for number in range(12)]
    scores = pd.DataFrame(
        [("heldout", "warm", arm, 0, name, 0.5) for arm in arms for name in ("face_mae", "skin_mae", "nose_mae")],
        columns=["faces", "condition", "arm", "seed", "score", "value"],
    )
    summary = summarise_arms(scores)
    assert summary["sd"].isna().all()
    page = render_ablation(scores, summary, {("heldout", "warm", arm): __file__ for arm in arms}, COSTS, "arm0", 23.0)
    assert "±" not in page
    # A column an arm: a row an arm would need fourteen.
    assert len(re.findall(r'<th scope="col">arm\d+</th>', page)) == len(arms)
    styles = [series_marker(number) for number in range(64)]
    assert len({(style["color"], style["marker"]) for style in styles}) == len(styles)
    assert len({series_marker(number)["color"] for number in range(8)}) == 8
    lines = [series_style(number) for number in range(32)]
    assert len({(style["color"], style["linestyle"]) for style in lines}) == len(lines)


def test_an_arm_is_scored_from_files(tmp_path):
    faces, truth = tmp_path / "faces.zip", tmp_path / "truth.zip"
    render_faces(str(faces), 3, 2, 96, threads=1)
    render_truth(str(truth), 3, 2, 96, 20.0, "charlotte", threads=1)
    index_archive(str(tmp_path / "index.parquet"), [str(faces)], 2, 96, threads=1)
    torch.manual_seed(0)
    network = ThermalUNet(Architecture("resnet18", (16, 8, 8), (10.0, 45.0))).eval()
    save_weights(tmp_path / "weights.pt", network, "cold")
    arguments = {
        "scores": str(tmp_path / "0.json"),
        "strip": str(tmp_path / "0.png"),
        "weights": str(tmp_path / "weights.pt"),
        "archive": [str(faces)],
        "index": str(tmp_path / "index.parquet"),
        "image_pixels": 96,
        "ambient_celsius": 20.0,
        "prior_table": "tfake2025",
        "read_prior_at_celsius": None,
        "lwir_patches": None,
        "device": "cpu",
        "threads": 1,
    }
    evaluate_arm(truth=str(truth), **arguments)
    scores = json.loads((tmp_path / "0.json").read_text())
    assert scores["face_mae"] > 0
    assert scores["background_sd"] == 0
    assert (tmp_path / "0.png").read_bytes()[:4] == b"\x89PNG"
    evaluate_arm(truth=None, **arguments)
    assert "face_mae" not in json.loads((tmp_path / "0.json").read_text())


def test_costs_are_shares_of_a_step():
    costs = measure_costs(TrainingSettings.from_mapping(TINY), make_data(), CPU, 2)
    shares = [costs[f"{part}_share"] for part in ("batch", "network", "supervised", "wasserstein", "prior", "rest")]
    assert sum(shares) == pytest.approx(1)
    assert all(share > 0 for share in shares[:5])
    assert costs["speedup"] == pytest.approx(costs["naive_step_seconds"] / costs["step_seconds"])
    assert np.isfinite([costs["validation_kelvin"], costs["naive_validation_kelvin"]]).all()


def test_costs_are_measured_from_files(tmp_path):
    archive = write_samples(tmp_path / "a.zip", range(3))
    index_archive(str(tmp_path / "index.parquet"), [str(archive)], 3, PIXELS, threads=1)
    render_lab(str(tmp_path / "lab.zip"), 1, 3, 64, (23.0, 23.0), "charlotte", threads=1)
    bank = {"image_pixels": 32, "largest_zoom": 1.0, "rotation_degrees": 0.0, "shear_degrees": 0.0, "patch_pixels": 8}
    bank |= {"patch_scales": [1], "bank_patches": 64, "seed": 0, "threads": 1}
    patches = str(tmp_path / "patches.npz")
    sample_patches(patches=patches, images=str(tmp_path / "lab.zip"), values="celsius", pair_layout="stems", **bank)
    measure_training(
        costs=str(tmp_path / "cost.json"),
        archive=[str(archive)],
        index=str(tmp_path / "index.parquet"),
        image_pixels=PIXELS,
        pairs=str(tmp_path / "lab.zip"),
        patches=patches,
        prior_table="tfake2025",
        ambient_celsius=20.0,
        settings=TINY | {"image_pixels": 32, "patch_scales": [1]},
        steps=1,
        device="cpu",
        threads=1,
    )
    assert json.loads((tmp_path / "cost.json").read_text())["steps"] == 1
