"""The tasks of landmark networks: what each learns from, and what it is scored on (rules/landmarks.smk)."""

# A diet and a number of points. `joint` has the share of thermal crops that the config says.
DIETS = {"joint": config["landmarks"]["thermal_share"], "rgb": 0.0, "thermal": 1.0}
TASKS = tuple(f"{diet}_{points}" for diet in DIETS for points in (70, 478))
LANDMARK_VARIANTS = tuple(config["landmarks"]["variants"])
LANDMARK_SETTINGS = {key: value for key, value in without_neutral(config["landmarks"]).items() if key != "variants"}
PICTURES = dict(config["landmark_study"]["pictures"])
SCORED_TASKS = tuple(config["landmark_study"]["tasks"])

for _name, _folder in PICTURES.items():
    if not os.path.isdir(_folder):
        raise WorkflowError(f"config: landmark_study.pictures.{_name}: no folder {_folder} (seen from {os.getcwd()})")


wildcard_constraints:
    task="|".join(TASKS),


def get_landmark_settings(wildcards):
    """The training settings of a task: the config's, with the share of thermal crops that its diet has."""
    diet = wildcards.task.split("_")[0]
    return in_key_order({**LANDMARK_SETTINGS, "thermal_share": DIETS[diet]})


def get_landmarks(wildcards):
    """How many points a task's network finds."""
    return int(wildcards.task.split("_")[1])
