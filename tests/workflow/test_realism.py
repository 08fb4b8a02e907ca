"""`snakemake realism`: variants judged by folders of real faces, and networks trained on one variant each."""

import json
from zipfile import ZipFile

import cv2
import numpy as np
import pytest

from mesh_faces import write_annotated, write_real_folder
from runs import configured, succeed


def write_pictures(archive, folder):
    """The source's photographs in gray, for FaceMesh to find."""
    folder.mkdir()
    with ZipFile(archive) as source:
        names = [name for name in source.namelist() if name.endswith(".png") and "_seg" not in name]
        for name in names:
            gray = cv2.imdecode(np.frombuffer(source.read(name), np.uint8), cv2.IMREAD_GRAYSCALE)
            assert cv2.imwrite(str(folder / name), gray)
    return len(names)


@pytest.mark.slow
def test_realism(copy, tmp_path):
    folder, points = write_real_folder(tmp_path / "real", people=9, images=2)
    write_annotated(tmp_path / "annotated")
    pictures = write_pictures(copy / "results/source/faces.zip", tmp_path / "found")
    real = {"path": str(folder), "values": "relative", "points": str(points), "background": 0}
    found = {"path": str(tmp_path / "found"), "values": "relative"}
    config = configured(
        tmp_path,
        realism={"real": {"given": {**real, "subject_pattern": "^(S[0-9]+)_"}, "found": found}},
        landmarks={"steps": 2, "batch": 4},
        evaluation={"sets": {"mine": {"kind": "point_files", "path": str(tmp_path / "annotated")}}},
    )
    succeed(copy, "realism", config=config)
    results = copy / "results/realism"
    figures = json.loads((results / "figures.json").read_text())
    assert figures["sets"].keys() == {"given", "found", "warm", "cold"}
    assert (figures["sets"]["given"]["faces"], figures["sets"]["given"]["persons"]) == (18, 9)
    own = figures["sets"]["found"]
    assert own["faces"] >= 1
    assert own["faces"] + sum(own["left_out"].values()) == pictures
    assert figures["ceilings"]["given"]["r"] > 0.5
    scores = json.loads((results / "variants/warm/mine/scores.json").read_text())
    assert set(scores["methods"]) >= {"joint_70", "joint_70, box given"}
    provenance = (results / "variants/cold/joint_70/provenance.json").read_text()
    assert "cold" in provenance
    assert "warm" not in provenance
    page = (results / "index.html").read_text()
    assert "Against given" in page
    assert "warm on mine" in page
    assert "Not there: charlotte" in page
    assert "Nothing to be done" in succeed(copy, "realism", config=config)


def test_realism_without_real_faces_says_what_to_give(copy):
    succeed(copy, "realism")
    page = (copy / "results/realism/index.html").read_text()
    assert "No real faces to judge by" in page
    assert "No annotated test set is there" in page
    assert not (copy / "results/realism/variants/warm/joint_70").exists()
