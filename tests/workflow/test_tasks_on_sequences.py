"""`snakemake sequence_tasks`: from rendered sequences to what a landmarker does on them, tables and the page."""

import json

import pandas as pd
import pytest

from runs import configured, succeed


@pytest.mark.slow
@pytest.mark.parametrize("scenes", [0, 1])
def test_the_study_runs_from_the_sequences(tmp_path, scenes):
    config = configured(
        tmp_path,
        sequences__subjects=2,
        sequences__expressions=["smile"],
        sequence_tasks={"scenes": scenes, "scene_people": 2, "scene_seconds": 0.2, "interval_draws": 50},
    )
    succeed(tmp_path, "sequence_tasks", config=config)
    results = tmp_path / "results/sequence_tasks"
    summary = json.loads((results / "summary.json").read_text())
    assert (summary["sequences"], summary["subjects"]) == (2, 2)
    assert summary["scenes"].get("all", {}).get("scenes", 0) == scenes
    assert pd.read_csv(results / "sequences.csv")["subject_id"].nunique() == 2
    assert "Tasks on sequences" in (results / "index.html").read_text()
