"""`snakemake landmark_evaluation`: own faces, an annotated set, and messages for those that are not there."""

import json

import yaml

from annotated_sets import charlotte_cells, seen_from, write_charlotte
from runs import TINY, succeed


def test_landmark_evaluation(copy, tmp_path):
    rows = [charlotte_cells(f"R100{number}", seen_from("charlotte73")) for number in range(3)]
    rows += [charlotte_cells("R1009", seen_from("charlotte73")[:44])]
    (tmp_path / "set").mkdir()
    write_charlotte(tmp_path / "set", {"S1": rows}, ("R1000", "R1001", "R1002"))
    settings = yaml.safe_load(TINY.read_text())
    settings["adapters"] = {"train": ["face70_to_charlotte43"], "steps": 5}
    settings["landmarks"] = {**settings.get("landmarks", {}), "steps": 2, "batch": 4}
    settings["evaluation"] = {"sets": {"charlotte": {"path": str(tmp_path / "set")}}}
    config = tmp_path / "config.yaml"
    config.write_text(yaml.safe_dump(settings))
    output = succeed(copy, "landmark_evaluation", config=config)
    assert "tfw: TFW, thermal faces in the wild is not evaluated" in output
    results = copy / "results/evaluation"
    scores = json.loads((results / "charlotte/scores.json").read_text())
    assert scores["account"]["used"] == 3
    assert scores["account"]["faults"]["left_out"] == {"points_44": 1}
    assert set(scores["methods"]) == {"joint_70", "joint_70, box given", "mean face, box given", "FaceMesh"}
    assert scores["methods"]["mean face, box given"]["errors"]["box"]["found"] == 3
    assert "S1.csv:5 R1009,points_44,1" in (results / "charlotte/account.csv").read_text()
    missing = json.loads((results / "aachen/scores.json").read_text())["missing"]
    assert "evaluation.sets.aachen.path" in missing
    page = (results / "index.html").read_text()
    assert missing in page.replace("&#39;", "'")
    assert "Flotho et al., 2025" in page
    errors = json.loads((copy / "results/adapters/face70_to_charlotte43/errors.json").read_text())
    assert errors["faces"] >= 1
    assert "Nothing to be done" in succeed(copy, "landmark_evaluation", config=config)
