"""What the studies compare: arms of the loss's terms, landmark networks, landmarkers on annotated sets, variants."""

import os
import re
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tfake.config.faults import ConfigError
from tfake.config.plan_pretraining import check_initial_file, initial_file
from tfake.config.plan_rules import Wildcards, in_key_order, without_neutral

if TYPE_CHECKING:
    from tfake.config.plan import Plan

#: Where the ablation keeps what is trained for the ambient temperatures of all conditions.
EVERY_ROOM = "every_room"


class AblationPlan:
    """The arms: what each learns from, and what it is scored on."""

    def __init__(self, plan: "Plan") -> None:
        """Take a plan."""
        self._plan = plan
        self._settings = plan.config["ablation"]
        self._chosen = [name for name in plan.fixed_ambient if name in self._settings["conditions"]]
        self.arms = tuple(self._settings["arms"])
        self.seeds = tuple(self._settings["seeds"])
        #: What arms are trained for: a condition, or the ambient temperatures of all.
        self.rooms = (*plan.fixed_ambient, EVERY_ROOM)
        #: Faces that arms are scored on.
        self.faces = ("heldout", "real") if self._settings["real"]["archive"] else ("heldout",)

    @property
    def conditions(self) -> list[str]:
        """The conditions that are scored.

        Raises:
            ConfigError: there is none; a config need have none unless the ablation is asked for.
        """
        if not self._chosen:
            raise ConfigError(
                "config: ablation.conditions: the ablation scores conditions of one room, and there is none: "
                f"{', '.join(self._plan.conditions)} have a range as ambient_celsius"
            )
        return self._chosen

    @property
    def measured_condition(self) -> dict[str, Any]:
        """The settings of the condition that a training step is measured for."""
        return self._plan.config["conditions"][self.conditions[0]]

    def arm_ambient_range(self, wildcards: Wildcards) -> list[float]:
        """Lowest and highest ambient temperature in °C that an arm is trained for."""
        ambients = [self._plan.ambient_range(name)[0] for name in self._trained_for(wildcards.rooms)]
        return [min(ambients), max(ambients)]

    def arm_condition(self, wildcards: Wildcards) -> dict[str, Any]:
        """A condition's settings as an arm has them: pairs of the study's room, and its own say on pairs and prior."""
        arm = self._settings["arms"][wildcards.arm]
        prior = self._plan.config["conditions"][self._trained_for(wildcards.rooms)[0]]["prior"]
        pairs = {"layout": "stems", "values": "celsius", "supervision": arm["supervision"]}
        offsets = {**prior["offsets_kelvin"], **arm["prior_offsets_kelvin"]}
        return in_key_order({"pairs": pairs, "prior": {**prior, "offsets_kelvin": offsets}})

    def arm_settings(self, wildcards: Wildcards) -> dict[str, Any]:
        """The training settings of an arm: the config's, with its weights and the seed, and without a heat field.

        With one, little would be left for the terms to tell.
        """
        arm = self._settings["arms"][wildcards.arm]
        weights = {key: value for key, value in arm.items() if key.startswith("weight_")}
        return in_key_order({**self.measured_settings, **weights, "seed": int(wildcards.seed)})

    @property
    def measured_settings(self) -> dict[str, Any]:
        """The training settings of the step that is measured: without a heat field, as the arms are trained."""
        return {**self._plan.thermalizers.settings, "heat_field": False}

    def arm_weights(self, wildcards: Wildcards) -> str:
        """Weights of the arm's thermalizer for a condition."""
        rooms = EVERY_ROOM if self._settings["arms"][wildcards.arm]["every_room"] else wildcards.condition
        return f"results/ablation/{rooms}/{wildcards.arm}/{wildcards.seed}/weights.pt"

    def scored_archive(self, wildcards: Wildcards) -> list[str]:
        """The archive of the faces that arms are scored on."""
        real = self._settings["real"]["archive"]
        return real if wildcards.faces == "real" else ["results/ablation/heldout.zip"]

    def scored_images(self, wildcards: Wildcards) -> int:
        """How many of them."""
        return self._settings["real"]["images"] if wildcards.faces == "real" else self._settings["heldout_images"]

    def scored_truth(self, wildcards: Wildcards) -> list[str]:
        """Their thermal truth; nobody knows that of the real ones."""
        return [] if wildcards.faces == "real" else [f"results/ablation/heldout_truth/{wildcards.condition}.zip"]

    def _trained_for(self, rooms: str) -> tuple[str, ...]:
        """The conditions that an arm is trained for: one, or all of one room."""
        if rooms != EVERY_ROOM:
            return (rooms,)
        return self._plan.fixed_ambient if self.conditions else ()


#: Keys of ``landmarks`` that are no settings of a training, but say what it learns from.
NO_TRAINING_SETTINGS = (
    "initial_weights",
    "variants",
    "others",
    "real",
    "real_validation_share",
    "teacher_disagreement",
    "teacher_least_pixels",
    "sigma_factor",
)


def _sums_of(run: Mapping[str, Any]) -> list[str]:
    """The checksum lists of another run's stores."""
    return [
        f"{run['results']}/{store}/SHA256SUMS"
        for store in ("faces", *(f"variants/{variant}" for variant in run["variants"]))
    ]


class LandmarkPlan:
    """Landmark networks by task, what they are compared on, and label adapters."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        """Take a config."""
        block = config["landmarks"]
        #: Fraction of thermal crops by what a task learns from.
        self._thermal_share = {"joint": block["thermal_share"], "rgb": 0.0, "thermal": 1.0}
        self._settings = {
            key: value for key, value in without_neutral(block).items() if key not in NO_TRAINING_SETTINGS
        }
        #: Folders of real pictures by name, and when a teacher's points on them are believed.
        self.real = in_key_order(dict(block["real"]))
        #: Other runs to learn from, by name, and the lists of checksums that tell them.
        self.others = in_key_order(dict(block["others"]))
        self.other_sums = [path for run in self.others.values() for path in _sums_of(run)]
        self.teacher = {
            "most_disagreement": block["teacher_disagreement"],
            "least_pixels": block["teacher_least_pixels"],
        }
        #: What a network learns from, and how many points it finds.
        self.tasks = tuple(
            f"{learns_from}_{points}" for learns_from in self._thermal_share for points in (70, 478, 548)
        )
        self.variants = tuple(block["variants"])
        #: The training settings of the face detector, which learns from the same people and real pictures.
        self.detector_settings = in_key_order(
            {key: value for key, value in without_neutral(config["detector"]).items() if key != "from_landmarks"}
        )
        #: The landmark network whose backbone it begins with; none where it begins at random.
        self.detector_start = ["results/landmarks/joint_548/weights.pt"] if config["detector"]["from_landmarks"] else []
        #: Pretrained weights that a training starts from; none where it starts from random ones.
        self.encoder = ["resources/encoders/landmarks.pt"] if block["pretrained"] else []
        #: The file that trainings begin with; none where they begin at random, or with pretrained weights.
        self.initial = initial_file(config, block["initial_weights"])
        self._config = config
        #: Tasks that the study compares, and its folders of pictures by name.
        self.scored = tuple(config["landmark_study"]["tasks"])
        self.pictures = dict(config["landmark_study"]["pictures"])
        #: Label adapters, and the settings that all of them are trained with.
        self.adapters = tuple(config["adapters"]["train"])
        self.adapter_settings = in_key_order({key: own for key, own in config["adapters"].items() if key != "train"})

    def settings(self, wildcards: Wildcards) -> dict[str, Any]:
        """The training settings of a task: the config's, with its fraction of thermal crops."""
        fraction = self._thermal_share[wildcards.task.split("_")[0]]
        return in_key_order({**self._settings, "thermal_share": fraction})

    def real_of(self, wildcards: Wildcards) -> tuple[str, ...]:
        """Names of the folders of real pictures that a task learns from: thermal ones are nothing to RGB alone."""
        return () if wildcards.task.startswith("rgb_") else tuple(self.real)

    def real_folder(self, wildcards: Wildcards) -> dict[str, Any]:
        """A folder of real pictures, as :class:`tfake.landmarks.real_labelling.RealFolder` takes it."""
        return self.real[wildcards.real]

    def real_files(self, wildcards: Wildcards) -> list[str]:
        """What a folder's labelling reads."""
        folder = self.real[wildcards.real]
        return [folder["path"], *filter(None, [folder.get("boxes")])]

    def points(self, wildcards: Wildcards) -> int:
        """How many points a task's network finds."""
        return int(wildcards.task.split("_")[1])

    def check_files(self) -> None:
        """Look for the folders of pictures, and compile what tells their subjects.

        Raises:
            ConfigError: one is not there, or is no regular expression.
        """
        check_initial_file(self._config, "landmarks.initial_weights", self._config["landmarks"]["initial_weights"])
        for name, run in self.others.items():
            for path in (*_sums_of(run), f"{run['results']}/source/index.parquet", *run["archive"]):
                if not os.path.exists(path):
                    where = f"{path} is not there (seen from {os.getcwd()})"
                    raise ConfigError(f"config: landmarks.others.{name}: {where}; finish that run first")
        for name, settings in self.real.items():
            for key in ("path", "boxes"):
                if settings.get(key) and not os.path.exists(settings[key]):
                    raise ConfigError(
                        f"config: landmarks.real.{name}.{key}: {settings[key]} is not there (seen from {os.getcwd()})"
                    )
            try:
                re.compile(settings.get("subjects") or "")
            except re.error as error:
                raise ConfigError(f"config: landmarks.real.{name}.subjects: no regular expression: {error}") from error
        for name, folder in self.pictures.items():
            if not os.path.isdir(folder):
                raise ConfigError(
                    f"config: landmark_study.pictures.{name}: no folder {folder} (seen from {os.getcwd()})"
                )


class TestSetPlan:
    """Annotated sets, and the landmarkers that are scored on them."""

    __test__ = False  # for pytest, which would take it for tests

    def __init__(self, plan: "Plan") -> None:
        """Take a plan."""
        self._plan = plan
        self._sets = plan.config["evaluation"]["sets"]
        self.names = tuple(self._sets)
        #: Those that others annotated.
        self.foreign = tuple(name for name in self._sets if not self._is_own(name))
        #: Weights of each landmarker.
        self.landmarkers = dict(plan.config["evaluation"]["landmarkers"])

    def path(self, wildcards: Wildcards) -> str | None:
        """Folder or zip of a test set, None without one; of the workflow's own, the variant."""
        path = self._sets[wildcards.testset]["path"]
        return path or (self._plan.variants[0] if self._is_own(wildcards.testset) else None)

    def values(self, wildcards: Wildcards) -> str | dict[str, Any]:
        """What a test set's images of more than 8 bits hold."""
        return in_key_order(self._sets[wildcards.testset].get("values", "celsius"))

    def files(self, wildcards: Wildcards) -> list[str]:
        """What a test set's evaluation has to wait for: a variant's stores, or the folder if it is there."""
        path = self.path(wildcards)
        if self._is_own(wildcards.testset):
            return [f"results/variants/{path}/verified.json", "results/faces/verified.json"]
        return [path] if self.is_there(wildcards.testset) else []

    def check_files(self) -> None:
        """Look for the landmarkers' weights, and for the variants that the workflow's own sets name.

        Raises:
            ConfigError: one is not there.
        """
        for name, weights in self.landmarkers.items():
            if not weights.startswith("results/landmarks/") and not os.path.exists(weights):
                raise ConfigError(
                    f"config: evaluation.landmarkers.{name}: there is no {weights} (seen from {os.getcwd()})"
                )
        for name, settings in self._sets.items():
            if self._is_own(name) and settings["path"] not in (None, *self._plan.variants):
                raise ConfigError(
                    f"config: evaluation.sets.{name}.path is {settings['path']!r}; for the kind {settings['kind']} it "
                    f"is a variant: {', '.join(self._plan.variants)}"
                )

    def is_there(self, name: str) -> bool:
        """Whether the folder or zip of an annotated set is there."""
        path = self._sets[name]["path"]
        return path is not None and os.path.exists(path)

    def _is_own(self, name: str) -> bool:
        return self._sets[name]["kind"].startswith("variant_")


class RealismPlan:
    """Variants, and the real images that judge them."""

    #: The network that is trained on a variant alone.
    task = "joint_70"

    def __init__(self, plan: "Plan") -> None:
        """Take a plan."""
        self._plan = plan
        self._settings = plan.config["realism"]
        self.variants = tuple(self._settings["variants"])
        #: Folders of real faces.
        self.real = tuple(self._settings["real"])
        #: The folder of published images; none.
        self.reference = [] if self._settings["reference"] is None else [self._settings["reference"]]

    @cached_property
    def trained(self) -> tuple[str, ...]:
        """Variants that a network is trained on: all, where it can be scored on anything."""
        return self.variants if self._settings["tstr"] and self.scored else ()

    @cached_property
    def scored(self) -> tuple[str, ...]:
        """Annotated test sets that are there."""
        sets = self._plan.test_sets
        return tuple(name for name in sets.foreign if sets.is_there(name))

    @cached_property
    def missing(self) -> tuple[str, ...]:
        """Annotated test sets that are not."""
        return tuple(name for name in self._plan.test_sets.foreign if name not in self.scored)

    def real_settings(self, wildcards: Wildcards) -> dict[str, Any]:
        """The settings of a folder of real faces."""
        return in_key_order(self._settings["real"][wildcards.realset])

    def real_files(self, wildcards: Wildcards) -> list[str]:
        """The folder, and its points where they are given."""
        settings = self._settings["real"][wildcards.realset]
        return [settings["path"], *([] if settings["points"] is None else [settings["points"]])]

    def trained_on(self, wildcards: Wildcards) -> list[str]:
        """The variant that a network is trained on."""
        return [wildcards.variant]

    def sums(self, wildcards: Wildcards) -> list[str]:
        """Its seal."""
        return [f"results/variants/{wildcards.variant}/SHA256SUMS"]

    def landmarkers(self, wildcards: Wildcards) -> dict[str, str]:
        """The network that was trained on a variant, by its name."""
        return {self.task: f"results/realism/variants/{wildcards.variant}/{self.task}/weights.pt"}

    def weights(self, wildcards: Wildcards) -> list[str]:
        """Its weights."""
        return list(self.landmarkers(wildcards).values())

    def check_files(self) -> None:
        """Look for the folders of real faces, their points, and the folder of published images.

        Raises:
            ConfigError: one is not there.
        """
        named = {"reference": self._settings["reference"]}
        for name, settings in self._settings["real"].items():
            named |= {f"real.{name}.{key}": settings[key] for key in ("path", "points")}
        for key, path in named.items():
            if path is not None and not os.path.exists(path):
                raise ConfigError(f"config: realism.{key}: there is no {path} (seen from {os.getcwd()})")


#: The word for the landmarker that comes with the library, in place of a path.
PACKAGE = "package"


class LandmarkSpeedPlan:
    """Landmark networks whose speed is measured."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        """Take a config."""
        block = config["landmark_speed"]
        #: What is measured, and how.
        self.settings = in_key_order(dict(block))
        #: Files of trained networks by name.
        self.weights = dict(block["weights"])
        self.most_threads = max(block["threads"])
        #: The faces that 8-bit arithmetic is calibrated on; none: textures.
        self.calibration = [] if block["calibration"] is None else [block["calibration"]]

    @property
    def weights_files(self) -> list[str]:
        """The files of trained networks that are no part of the library."""
        return [path for path in self.weights.values() if path != PACKAGE]

    def check_files(self) -> None:
        """Look for the weights and the faces; what a run makes may be missing.

        Raises:
            ConfigError: one is not there.
        """
        named = {f"weights.{name}": path for name, path in self.weights.items() if path != PACKAGE}
        for key, path in [*named.items(), *(("calibration", path) for path in self.calibration)]:
            if not path.startswith("results/") and not os.path.exists(path):
                raise ConfigError(f"config: landmark_speed.{key}: there is no {path} (seen from {os.getcwd()})")
