"""The plan of trainings and studies: what each arm, task and test set is given."""

from pathlib import Path

import pytest

from planned import DEFAULTS, plan_of, wildcards
from tfake.config.faults import ConfigError
from tfake.config.plan_rules import NEUTRAL_SETTINGS

RANGES = {"warm": {"ambient_celsius": [22, 30]}, "cold": {"ambient_celsius": [12, 21]}}


def test_what_a_thermalizer_is_trained_for():
    plan = plan_of(conditions={"warm": {"ambient_celsius": [22, 30]}, "cold": {"pairs": {"ambient_celsius": 23.0}}})
    warm, cold = wildcards(condition="warm"), wildcards(condition="cold")
    part = plan.thermalizers
    assert (part.ambient_range(warm), part.ambient_range(cold)) == ([22, 30], [20.0, 20.0])
    assert (part.lab_ambient_range(warm), part.lab_ambient_range(cold)) == ([22, 30], [23.0, 23.0])
    assert plan.fixed_ambient == ("cold",)
    assert list(part.condition(warm)) == sorted(DEFAULTS["conditions"]["warm"].keys() - {"kind"})


def test_settings_that_no_result_depends_on_are_no_params():
    plan = plan_of(
        thermalizer={"checkpoint_every": 7, "compile": True}, landmarks={"checkpoint_every": 7, "compile": True}
    )
    arm, task = wildcards(arm="mse", rooms="warm", seed=0), wildcards(task="joint_70")
    for settings in (plan.thermalizers.settings, plan.ablation.arm_settings(arm), plan.landmarks.settings(task)):
        assert not settings.keys() & set(NEUTRAL_SETTINGS)
        assert list(settings) == sorted(settings)


def test_the_order_of_keys_is_none_of_a_param():
    block = dict(reversed(DEFAULTS["thermalizer"].items()))
    plan = plan_of()
    plan.config["thermalizer"] = block
    assert repr(plan.thermalizers.settings) == repr(plan_of().thermalizers.settings)


def test_weights_are_downloaded_where_they_have_a_url():
    weights = {"warm": {"weights": "https://a.org/a.pt", "sha256": "0"}, "cold": {"weights": "a.pt", "sha256": None}}
    plan = plan_of(thermalizers=weights)
    assert (plan.trained, plan.released) == ((), ("warm", "cold"))
    assert plan.thermalizers.released_weights(wildcards(condition="warm")) == "resources/weights/warm.pt"
    assert plan.thermalizers.released_weights(wildcards(condition="cold")) == "a.pt"


def test_an_encoder_is_fetched_where_a_training_starts_from_one():
    plan = plan_of()
    assert plan.thermalizers.encoder == plan.landmarks.encoder == []
    plan = plan_of(thermalizer={"encoder_weights": "imagenet"}, landmarks={"pretrained": True})
    files = plan.thermalizers.encoder + plan.landmarks.encoder
    assert files == [f"resources/encoders/{network}.pt" for network in plan.thermalizers.encoder_settings]


def test_trainings_begin_with_a_file_that_is_there_or_will_be(tmp_path):
    assert plan_of().landmarks.initial == []
    made = "results/landmarks/joint_548/weights.pt"
    (tmp_path / "mine.pt").touch()
    for path in (made, str(tmp_path / "mine.pt")):
        landmarks = plan_of(landmarks={"initial_weights": path}).landmarks
        landmarks.check_files()
        assert landmarks.initial == [path]
        assert "initial_weights" not in landmarks.settings(wildcards(task="joint_70"))
    with pytest.raises(ConfigError, match=r"landmarks\.initial_weights: there is no absent\.pt"):
        plan_of(landmarks={"initial_weights": "absent.pt"}).landmarks.check_files()


def test_an_arm_says_its_weights_its_pairs_and_its_prior():
    ablation = plan_of().ablation
    job = wildcards(arm="full_wrong_prior", rooms="cold", seed=2)
    settings = ablation.arm_settings(job)
    assert (settings["weight_wasserstein"], settings["weight_prior"], settings["seed"]) == (1.0, 1.0, 2)
    assert settings["steps"] == DEFAULTS["thermalizer"]["steps"]
    assert not settings["heat_field"]
    assert not ablation.measured_settings["heat_field"]
    condition = ablation.arm_condition(job)
    assert condition["prior"]["offsets_kelvin"] == {"CLOTHING": 1.0, "NOSE": -1.0, "SKIN": 1.0}
    assert condition["pairs"] == {"layout": "stems", "supervision": "absolute", "values": "celsius"}
    assert ablation.arm_ambient_range(job) == [20.0, 20.0]


def test_an_arm_of_every_room_is_trained_once_for_all_conditions():
    plan = plan_of(conditions={"hot": {**DEFAULTS["conditions"]["warm"], "ambient_celsius": [28, 35]}})
    job = wildcards(arm="within_class_r_every_room", condition="cold", rooms="every_room", seed=1)
    weights = plan.ablation.arm_weights(job)
    assert weights == "results/ablation/every_room/within_class_r_every_room/1/weights.pt"
    assert plan.ablation.arm_ambient_range(job) == [20.0, 26.0]
    assert plan.ablation.rooms == ("warm", "cold", "every_room")


def test_arms_are_scored_on_real_faces_where_there_are_some():
    heldout, real = (wildcards(faces=name, condition="warm") for name in ("heldout", "real"))
    assert plan_of().ablation.faces == ("heldout",)
    ablation = plan_of(ablation={"real": {"archive": ["real.zip"], "images": 7}}).ablation
    assert ablation.faces == ("heldout", "real")
    assert (ablation.scored_archive(real), ablation.scored_images(real)) == (["real.zip"], 7)
    assert ablation.scored_truth(real) == []
    assert ablation.scored_archive(heldout) == ["results/ablation/heldout.zip"]
    assert ablation.scored_images(heldout) == DEFAULTS["ablation"]["heldout_images"]
    assert ablation.scored_truth(heldout) == ["results/ablation/heldout_truth/warm.zip"]


def test_the_ablation_needs_a_condition_of_one_ambient_only_when_it_is_asked_for():
    ablation = plan_of(conditions=RANGES).ablation
    with pytest.raises(ConfigError, match="warm, cold have a range as ambient_celsius"):
        _ = ablation.conditions
    with pytest.raises(ConfigError):
        ablation.arm_ambient_range(wildcards(arm="mse", rooms="every_room"))


def test_a_landmark_task_is_what_it_learns_from_and_its_points():
    landmarks = plan_of(landmarks={"thermal_share": 0.3}).landmarks
    found = {
        task: (landmarks.settings(job)["thermal_share"], landmarks.points(job))
        for task in landmarks.tasks
        for job in [wildcards(task=task)]
    }
    assert found == {
        f"{source}_{points}": (share, points)
        for source, share in (("joint", 0.3), ("rgb", 0.0), ("thermal", 1.0))
        for points in (70, 478, 548)
    }
    assert set(landmarks.scored) <= set(landmarks.tasks)
    assert not {"variants"} & landmarks.settings(wildcards(task="rgb_70")).keys()


def test_other_runs_are_learnt_from_once_they_are_there(tmp_path):
    results = tmp_path / "results"
    run = {"results": str(results), "archive": [str(tmp_path / "faces.zip")], "variants": ["heat", "cold"]}
    landmarks = plan_of(landmarks={"others": {"faces": run}}).landmarks
    sums = [f"{results}/{store}/SHA256SUMS" for store in ("faces", "variants/heat", "variants/cold")]
    assert landmarks.other_sums == sums
    assert "others" not in landmarks.settings(wildcards(task="joint_70"))
    for path in (*sums, results / "source/index.parquet"):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).touch()
    with pytest.raises(ConfigError, match=r"landmarks\.others\.faces: .*faces\.zip is not there .*finish that run"):
        landmarks.check_files()
    (tmp_path / "faces.zip").touch()
    landmarks.check_files()


def test_what_a_test_set_waits_for(tmp_path):
    folder = str(tmp_path)
    sets = plan_of(evaluation={"sets": {"tfw": {"path": folder}, "own_478": {"path": "cold"}}}).test_sets
    own, chosen, here, absent = (wildcards(testset=name) for name in ("own_70", "own_478", "tfw", "aachen"))
    assert (sets.path(own), sets.path(chosen), sets.path(here), sets.path(absent)) == ("warm", "cold", folder, None)
    assert sets.files(chosen) == ["results/variants/cold/verified.json", "results/faces/verified.json"]
    assert (sets.files(here), sets.files(absent)) == ([folder], [])
    assert sets.values(here) == "celsius"


def test_variants_are_judged_by_the_real_sets_and_test_sets_that_are_there(tmp_path):
    folder = str(tmp_path)
    real = {"mine": {"path": folder, "values": "relative", "points": "p.json"}}
    realism = {"variants": ["warm"], "real": real, "reference": folder, "tstr": True}
    plan = plan_of(realism=realism, evaluation={"sets": {"tfw": {"path": folder}}}).realism
    assert (plan.scored, plan.trained, plan.reference) == (("tfw",), ("warm",), [folder])
    assert "charlotte" in plan.missing
    assert not {"tfw", "own_70"} & set(plan.missing)
    assert plan.real_files(wildcards(realset="mine")) == [folder, "p.json"]
    assert list(plan.real_settings(wildcards(realset="mine"))) == ["path", "points", "values"]
    job = wildcards(variant="warm", testset="tfw")
    assert plan.landmarkers(job) == {"joint_70": plan.weights(job)[0]}
    with pytest.raises(ConfigError, match=r"realism.real.mine.points: there is no p.json"):
        plan.check_files()


def test_networks_are_measured_from_the_library_and_from_files(tmp_path):
    weights = {"shipped": "package", "mine": "results/landmarks/joint_70/weights.pt"}
    plan = plan_of(landmark_speed={"weights": weights, "threads": [4, 1]}).landmark_speed
    assert plan.weights_files == ["results/landmarks/joint_70/weights.pt"]
    assert (plan.most_threads, plan.calibration) == (4, [])
    assert plan.settings["networks"]["lcnet_035"]["neck_channels"] == 32
    plan.check_files()


def test_sequences_are_followed_person_by_person():
    plan = plan_of(sequences={"subjects": 2}).sequence_tasks
    assert plan.records(wildcards()) == [f"results/sequence_tasks/people/s000{subject}.json" for subject in (0, 1)]
    assert (plan.has_scenes, plan.weights_files) == (True, [])
    assert plan.crossings == {"people": 2, "scenes": 12, "seconds": 4.0, "seed": 0}
    alone = plan_of(sequences={"subjects": 1}, sequence_tasks={"weights": "results/mine.pt"}).sequence_tasks
    assert (alone.has_scenes, alone.weights_files) == (False, ["results/mine.pt"])
    alone.check_files()
    assert not plan_of(sequence_tasks={"scenes": 0}).sequence_tasks.has_scenes


def test_no_network_is_trained_on_a_variant_where_nothing_can_score_it(tmp_path):
    assert plan_of(realism={"variants": ["warm"]}).realism.trained == ()
    sets = {"sets": {"tfw": {"path": str(tmp_path)}}}
    assert plan_of(realism={"variants": ["warm"], "tstr": False}, evaluation=sets).realism.trained == ()


def test_folders_of_real_pictures_are_looked_for_and_kept_out_of_the_settings(tmp_path):
    real = {"mine": {"path": str(tmp_path), "values": "relative", "subjects": r"^(S\d+)_"}}
    landmarks = plan_of(landmarks={"real": real}).landmarks
    landmarks.check_files()
    assert landmarks.real_of(wildcards(task="joint_70")) == ("mine",)
    assert landmarks.real_of(wildcards(task="rgb_478")) == ()
    assert landmarks.real_files(wildcards(real="mine")) == [str(tmp_path)]
    assert landmarks.real_folder(wildcards(real="mine")) == real["mine"]
    settings = landmarks.settings(wildcards(task="joint_70"))
    assert settings["real_share"] == 0.25
    assert not {"real", "real_validation_share", "teacher_disagreement"} & settings.keys()
    for changes, message in (
        ({"path": "nowhere"}, r"landmarks\.real\.mine\.path: nowhere is not there"),
        ({"boxes": "no.json"}, r"landmarks\.real\.mine\.boxes"),
        ({"subjects": "("}, r"landmarks\.real\.mine\.subjects: no regular expression"),
    ):
        with pytest.raises(ConfigError, match=message):
            plan_of(landmarks={"real": {"mine": {**real["mine"], **changes}}}).landmarks.check_files()
