"""The distillation study: who teaches whom, what the table says of it, and a page that says what was found."""

import json

import numpy as np
import pandas as pd
import pytest

from planned import plan_of, wildcards
from studies.compare_students import compare_students
from tfake.config.checks import find_conflicts
from tfake.config.models_distillation import Distillation, Term
from tfake.landmarks.distillation_terms import TERMS
from tfake.landmarks.distillation_training import DistillationSettings
from tfake.landmarks.landmark_settings import LandmarkSettings
from tfake.studies.distillation_scores import MEAN, Run, gather_scores, summarise

RUNS = [Run("thermal", "direct", arm, seed) for seed in (0, 1, 2) for arm in ("none", "dikd")]
RUNS += [Run("small", route, arm, 0) for route, arm in (("direct", "none"), ("direct", "dikd"), ("levels", "dikd"))]
#: Of the one thermal set by arm, and how far seeds are apart.
NME = {"none": 0.05, "dikd": 0.04}


def record(run):
    nme = NME[run.arm] * (1 + 0.02 * run.seed) * (2 if run.student == "small" else 1)
    return {"sets": {"rgb": {"nme": 0.2, "calibration_error": 0.5}, "warm": {"nme": nme, "calibration_error": 0.1}}}


def made(run):
    return {"parameters": 500_000 if run.student == "small" else 2_400_000, "validation_nme": {"warm": 0.1}}


def on_set(run):
    def boxed(nme):
        return {"errors": {"box": {"nme": nme}}}

    methods = {"mean face, box given": boxed(0.9), run.student: boxed(0.8), f"{run.student}, box given": boxed(0.06)}
    return {"set": "mine", "methods": methods}


def losses(run):
    steps = np.arange(4)
    table = {"step": steps, "truth": 0.1, "gradient_truth": [1.0, np.nan, 2.0, np.nan], "gradient_norm": 1.0}
    return pd.DataFrame(table | ({"fi": 0.2, "gradient_fi": [0.5, np.nan, 0.1, np.nan]} if run.arm != "none" else {}))


def gathered():
    return gather_scores(RUNS, [record(run) for run in RUNS], [made(run) for run in RUNS], {"mine": map_all(on_set)})


def map_all(function):
    return [function(run) for run in RUNS]


def test_the_terms_of_the_config_are_those_that_there_are():
    assert list(Term.__args__) == list(TERMS)
    assert "weights" in Distillation.model_fields


def test_every_set_and_the_mean_of_each_group_is_a_row():
    rows = gathered()
    own = rows[(rows["student"] == "thermal") & (rows["arm"] == "dikd") & (rows["seed"] == 1)].set_index(
        ["group", "set"]
    )
    assert set(own.index) == {
        (group, name) for group, name in (("rgb", "rgb"), ("thermal", "warm"), ("real", "mine"))
    } | {(group, MEAN) for group in ("rgb", "thermal", "real")}
    assert own.loc[("real", "mine"), "nme"] == 0.06
    assert own.loc[("thermal", MEAN), "nme"] == pytest.approx(0.04 * 1.02)


def test_scores_of_no_network_are_refused():
    with pytest.raises(ValueError, match="expected the scores of one network with the box given, found mean face"):
        gather_scores(
            RUNS[:1], [record(RUNS[0])], [made(RUNS[0])], {"mine": [{"methods": {"mean face, box given": {}}}]}
        )


def test_an_arm_is_held_against_the_same_seed_of_plain_training():
    found = summarise(gathered(), "none")
    found = found[found["set"] != MEAN].set_index(["student", "route", "arm", "set"]).sort_index()
    better = found.loc[("thermal", "direct", "dikd", "warm")]
    assert better["change"] == pytest.approx(-0.2)
    assert better["change_sd"] == pytest.approx(0, abs=1e-12)
    assert better["nme_sd"] == pytest.approx(0.04 * 0.02)
    assert better["is_better"]
    assert not found.loc[("thermal", "direct", "dikd", "rgb"), "is_better"]
    assert not found.loc[("thermal", "direct", "none", "warm"), "is_better"]
    single = found.loc[("small", "levels", "dikd", "warm")]
    assert (single["seeds"], single["is_better"]) == (1, False)
    assert single["change"] == pytest.approx(-0.2)


def test_the_page_says_what_was_found(tmp_path):
    paths = {name: [] for name in ("scores", "provenance", "losses", "set_scores")}
    for number, run in enumerate(RUNS):
        for name, value in (("scores", record(run)), ("provenance", made(run)), ("set_scores", on_set(run))):
            paths[name].append(str(tmp_path / f"{name}_{number}.json"))
            (tmp_path / f"{name}_{number}.json").write_text(json.dumps(value))
        paths["losses"].append(str(tmp_path / f"{number}.csv"))
        losses(run).to_csv(paths["losses"][-1], index=False)
    architecture = {"backbone": "resnet18", "image_pixels": 128}
    teacher = {"architecture": architecture, "parameters": 11_200_000, "validation_nme": {"rgb": 0.0312}}
    (tmp_path / "teacher.json").write_text(json.dumps(teacher))
    out = {name: str(tmp_path / name) for name in ("table", "summary", "page")}
    compare_students(
        **out,
        **paths,
        runs=[list(run) for run in RUNS],
        sets=["mine"],
        teacher=str(tmp_path / "teacher.json"),
        baseline="none",
        ambient_celsius=23.0,
    )
    assert len(pd.read_csv(out["table"])) == 6 * len(RUNS)
    summary = json.loads((tmp_path / "summary").read_text())
    assert {row["arm"] for row in summary} == {"none", "dikd"}
    page = " ".join((tmp_path / "page").read_text().split())
    assert "thermal, dikd, thermal faces: \u221220.0&nbsp;% ± 0.0; better by more than one standard deviation" in page
    assert "thermal, dikd, real thermal faces: +0.0&nbsp;% ± 0.0; not better by more" in page
    assert "small, dikd, over the thermal network" in page
    assert "NME 0.0312 on visible faces" in page
    assert page.count("<svg") == 8


def test_who_teaches_whom():
    plan = plan_of(distillation={"seeds": [4]}).distillation
    names = ["/".join(map(str, run)) for run in plan.runs]
    assert names[:2] == ["thermal/direct/none/4", "thermal/direct/fd/4"]
    assert names[-3:] == ["tiny/direct/none/4", "tiny/direct/dikd/4", "tiny/levels/dikd/4"]
    job = wildcards(student="small", route="levels", lesson="dikd", seed=4, task="thermal_70")
    assert plan.teacher(job) == ["results/distillation/thermal/direct/dikd/4/thermal_70/weights.pt"]
    job = wildcards(student="small", route="direct", lesson="dikd", seed=4, task="thermal_70")
    assert plan.teacher(job) == ["results/distillation/teacher/rgb_70/weights.pt"]
    assert plan.teacher(wildcards(student="small", route="direct", lesson="none", seed=4)) == []
    assert plan.weights(job) == ["results/distillation/small/direct/dikd/4/thermal_70/weights.pt"]


def test_what_students_and_teacher_are_trained_with():
    arms = {"dikd_steady": {"head_share": 0.25}}
    changes = {"steps": 7, "students": {"tiny": {"image_pixels": 96}}, "arms": arms}
    plan = plan_of(distillation=changes).distillation
    job = wildcards(student="tiny", route="levels", lesson="dikd_steady", seed=2, task="thermal_70")
    settings = LandmarkSettings.from_mapping(plan.settings(job))
    assert (settings.backbone, settings.image_pixels, settings.steps, settings.seed) == ("lcnet_035", 96, 7, 2)
    assert settings.thermal_share == 1.0
    lesson = DistillationSettings(**plan.lesson(job))
    assert (lesson.terms, lesson.decay, lesson.teacher_sees) == (("fi", "ri"), "none", "same")
    assert lesson.head_share == 0.25
    teacher = LandmarkSettings.from_mapping(plan.teacher_settings(wildcards(task="rgb_70")))
    assert (teacher.backbone, teacher.image_pixels, teacher.thermal_share) == ("resnet18", 128, 0.0)


@pytest.mark.parametrize(
    ("block", "text"),
    [
        ({"student_arm": "none_such"}, "is 'none_such'; the distillation.arms are none, fd"),
        ({"students": {"thermal": {"backbone": "lcnet_050"}}}, "is a name that the study keeps for itself"),
        ({"weights": {"fd": None}}, "is 'fd', which has no weight in distillation.weights"),
    ],
)
def test_what_does_not_agree_is_told_before_any_job(block, text):
    config = plan_of().config
    distillation = {**config["distillation"], **block}
    if "weights" in block:
        distillation["weights"] = {term: 1.0 for term in TERMS if term != "fd"}
    faults = find_conflicts({**config, "distillation": distillation})
    assert any(text in fault.text for fault in faults)
