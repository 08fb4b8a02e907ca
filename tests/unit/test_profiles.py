"""What jobs ask for: memory and time as their rules say; on a cluster a GPU and its partition for every network."""

import re
import shutil

import pytest
import yaml

from plans import plan
from recipes import ROOT, SCRIPTS, derived_rules, rule_blocks

SLURM = yaml.safe_load((ROOT / "profiles/slurm/profile.yaml").read_text())
DEFAULT = yaml.safe_load((ROOT / "profiles/default/profile.yaml").read_text())
PARTITIONS = {key: SLURM["default-resources"][key] for key in ("slurm_partition", "gpu_partition")}
RULES = rule_blocks()
#: Every target; those of single variants aside.
TARGETS = [
    name
    for path in (ROOT / "Snakefile", *(ROOT / "rules").rglob("*.smk"))
    for name in re.findall(
        r"(?m)^rule (\w+):\n(?:    default_target.*\n)?    input:\n(?:        .*\n)+    message:", path.read_text()
    )
    if name not in RULES
]
#: Rules that run a network: their scripts are told a device.
NETWORKS = {name for name in RULES if re.search(r"\bdevice=", SCRIPTS[name].read_text())}
NETWORKS |= {name for name, (base, _) in derived_rules().items() if base in NETWORKS}
SETTINGS = """
ablation: {{lwir_faces: {folder}}}
landmark_study: {{pictures: {{here: {folder}}}}}
variants: {{lepton: {{of: warm, camera: lepton_160x120}}}}
compare: [{folder}, {folder}]
realism: {{real: {{people: {{path: {folder}, values: relative}}}}}}
evaluation: {{sets: {{tfw: {{kind: tfw, path: {folder}}}}}}}
landmarks: {{real: {{here: {{path: {folder}, values: relative}}}}}}
diffusion: {{model: {folder}, license: none}}
retargeting: {{live_portrait: {{checkout: {folder}}}}}
"""


def asked(folder, *arguments):
    """Threads, memory, time, GPUs and partition of each job of every target, as sets a rule."""
    (folder / "faces").mkdir(exist_ok=True)
    (folder / "faces/SHA256SUMS").touch()
    (folder / "inference.py").touch()
    config = folder / "config.yaml"
    config.write_text(SETTINGS.format(folder=folder))
    rules = {}
    for job in plan(folder, "--configfile", str(config), "--cores", "16", *arguments, "--", *TARGETS):
        resources = job["resources"]
        about = {name: resources.get(name) for name in ("mem_mb", "runtime", "gpu", "slurm_partition")}
        rules.setdefault(job["rule"], []).append({"threads": job["threads"], **about})
    return rules


@pytest.fixture(scope="module")
def slurm(tmp_path_factory):
    return asked(tmp_path_factory.mktemp("slurm"), "--workflow-profile", "profiles/slurm")


def test_every_target_is_planned():
    expected = {
        "all",
        "source",
        "faces",
        "thermalizers",
        "variants",
        "ablation",
        "landmarks",
        "landmark_study",
    }
    assert expected | {
        "detector",
        "distillation",
        "landmark_speed",
        "pretraining",
        "label_efficiency",
        "landmarker_release",
        "realism",
        "sequences",
        "thermal_generation",
        "thermal_lora",
        "face_classification",
        "retargeting",
        "sequence_tasks",
        "landmark_evaluation",
        "publish",
        "exports",
        "compare",
        "verify",
        "repair",
        "forecast",
    } == set(TARGETS)


def test_every_rule_that_runs_a_network_has_a_gpu_and_its_partition(slurm):
    assert {"train_thermalizer", "train_arm", "thermalize_faces", "train_landmarker", "search_pictures"} < NETWORKS
    assert slurm.keys() >= NETWORKS
    for rule, jobs in slurm.items():
        wanted = (1, PARTITIONS["gpu_partition"]) if rule in NETWORKS else (None, PARTITIONS["slurm_partition"])
        assert {(job["gpu"], job["slurm_partition"]) for job in jobs} == {wanted}, rule


def test_stills_that_are_warped_alone_need_no_gpu(tmp_path):
    jobs = plan(tmp_path, "--cores", "1", "--workflow-profile", "profiles/slurm", "--", "retargeting")
    (asked,) = {
        (job["resources"].get("gpu"), job["resources"]["mem_mb"]) for job in jobs if job["rule"] == "retarget_face"
    }
    assert asked == (None, 2000)


@pytest.mark.skipif(shutil.which("nvidia-smi") is not None, reason="this machine has a card, which is found")
def test_without_gpus_in_the_profile_or_the_config_no_job_asks_for_one(tmp_path):
    for arguments in (["--config", "device=cpu"], ["--default-resources", "slurm_partition=cpu"]):
        rules = asked(tmp_path, "--workflow-profile", "profiles/slurm", *arguments)
        jobs = [job for jobs in rules.values() for job in jobs]
        assert {(job["gpu"] or 0, job["slurm_partition"]) for job in jobs} == {(0, PARTITIONS["slurm_partition"])}
        assert rules["train_thermalizer"][0]["threads"] == 1


@pytest.mark.parametrize("gpus", [0, 1])
def test_a_job_elsewhere_reads_the_rules_as_they_were_planned(tmp_path, monkeypatch, gpus):
    monkeypatch.setenv("TFAKE_USES_GPU", str(gpus))
    jobs = plan(tmp_path, "--cores", "16", "--mode", "remote", "--", "thermalizers")
    assert {job["resources"]["gpu"] for job in jobs if job["rule"] == "train_thermalizer"} == {gpus}


def test_memory_and_time_are_what_the_rules_say(slurm):
    runs = {**dict.fromkeys(RULES), **derived_rules()}
    for rule, jobs in slurm.items():
        if rule in runs:
            block = RULES[runs[rule][0] if runs[rule] else rule]
            for resource, call in (("mem_mb", "memory_mb"), ("runtime", "minutes")):
                said = int(re.search(rf"{resource}={call}\((\d+)(?: if .*)?\),", block)[1])
                assert {job[resource] for job in jobs} == {said}, (rule, resource)


def test_each_attempt_asks_for_more_and_each_process_of_a_training_has_its_memory(slurm, tmp_path):
    arguments = ("--workflow-profile", "profiles/slurm", "--attempt", "2")
    several = asked(tmp_path, *arguments, "--set-resources", "train_thermalizer:gpu=4", "train_arm:gpu=2")
    for rule, times in (("train_thermalizer", 4), ("train_arm", 2), ("train_landmarker", 1), ("index_archive", 1)):
        before, now = slurm[rule][0], several[rule][0]
        assert now["mem_mb"] == before["mem_mb"] * times * 2
        assert now["runtime"] == before["runtime"] * 2


def test_the_profile_repeats_no_number_of_a_rule():
    assert not SLURM.keys() & {"set-resources", "set-threads"}
    assert SLURM["default-resources"].keys() == PARTITIONS.keys()


def test_the_profile_keeps_the_triggers_of_the_default_one():
    for key in ("rerun-triggers", "rerun-incomplete", "show-failed-logs"):
        assert SLURM[key] == DEFAULT[key]
