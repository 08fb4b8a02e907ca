"""The study of classes of faces: which networks are trained on what, and what they are tested on."""

import os
from collections.abc import Iterator, Mapping
from typing import Any

from tfake.config.faults import ConfigError
from tfake.config.plan_rules import Wildcards, in_key_order, without_neutral

#: Keys of the section that are settings of a training as they stand.
_NO_SETTINGS = ("attributes", "expression", "apparent_sex", "repeats", "validation_share", "test_share")
_OF_STUDY = ("split_seed", "elsewhere", "bootstrap_draws", "accept_ethics_note")
_STILL = 1


class ClassificationPlan:
    """Runs: an attribute, a regime, a classifier and a seed."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        """Take a config."""
        self._block = config["face_classification"]
        kept = without_neutral(self._block)
        self._settings = {key: own for key, own in kept.items() if key not in (*_NO_SETTINGS, *_OF_STUDY)}
        self.attributes: tuple[str, ...] = tuple(self._block["attributes"])
        #: Names of all classifiers of the attributes that are asked for.
        self.classifiers = tuple(
            dict.fromkeys(name for own in self.attributes for name in self._block[own]["classifiers"])
        )
        #: Folders of other runs whose people are tested, by name.
        self.elsewhere = in_key_order(dict(self._block["elsewhere"]))
        #: The checksum lists of their sequences, written last: a folder does not tell that what is below it is new.
        self.elsewhere_sums = [os.path.join(folder, "sequences/SHA256SUMS") for folder in self.elsewhere.values()]

    def regimes(self, attribute: str) -> tuple[str, ...]:
        """What classifiers of an attribute learn from."""
        return tuple(self._block[attribute].get("regimes", ("synthetic",)))

    def runs(self, wildcards: Wildcards) -> list[dict[str, Any]]:
        """Every run of the attribute ``{attribute}``: ``method``, ``regime``, ``seed`` and its ``weights``."""
        return list(self._runs(wildcards.attribute))

    def weights(self, wildcards: Wildcards) -> list[str]:
        """The weights of every run of the attribute ``{attribute}``."""
        return [run["weights"] for run in self._runs(wildcards.attribute)]

    @property
    def provenance(self) -> list[str]:
        """What became of every run."""
        weights = [run["weights"] for attribute in self.attributes for run in self._runs(attribute)]
        return [path.replace("weights.pt", "provenance.json") for path in weights]

    def _runs(self, attribute: str) -> Iterator[dict[str, Any]]:
        for regime in self.regimes(attribute):
            for name in self._block[attribute]["classifiers"]:
                for seed in range(self._block["seed"], self._block["seed"] + self._block["repeats"]):
                    folder = f"results/face_classification/{attribute}/{regime}/{name}/seed{seed}"
                    yield {"method": name, "regime": regime, "seed": seed, "weights": f"{folder}/weights.pt"}

    def regimes_of(self, wildcards: Wildcards) -> list[str]:
        """What classifiers of the attribute ``{attribute}`` learn from."""
        return list(self.regimes(wildcards.attribute))

    def settings(self, wildcards: Wildcards) -> dict[str, Any]:
        """The training settings of a run."""
        of_attribute = self._block[wildcards.attribute]
        changes = {
            **of_attribute["classifiers"].get(wildcards.classifier, {}),
            "frames": of_attribute.get("frames", _STILL),
            "seed": int(wildcards.seed),
        }
        if wildcards.regime == "hybrid":
            changes["real_share"] = of_attribute["real_share"]
        return in_key_order({**self._settings, **changes})

    def division(self, wildcards: Wildcards) -> dict[str, Any]:
        """How people are divided, and the labelled sets of the attribute ``{attribute}``."""
        keys = ("validation_share", "test_share", "split_seed")
        own = {key: self._block[key] for key in keys} | {"sets": self._sets_of(wildcards)}
        return in_key_order(own | {"attribute": wildcards.attribute})

    def _sets_of(self, wildcards: Wildcards) -> dict[str, Any]:
        """``kind``, ``path``, ``labels`` and ``values`` of labelled sets, by name; a synthetic training reads none."""
        if getattr(wildcards, "regime", None) == "synthetic":
            return {}
        return in_key_order(dict(self._block[wildcards.attribute].get("sets", {})))

    def set_paths(self, wildcards: Wildcards) -> list[str]:
        """Their folders and tables, as far as they are there: a job says where to ask for one that is not."""
        paths = [about[key] for about in self._sets_of(wildcards).values() for key in ("path", "labels")]
        return [path for path in paths if os.path.exists(path)]

    def check_files(self) -> None:
        """Look for the other runs.

        Raises:
            ConfigError: one is not there.
        """
        for (name, folder), sums in zip(self.elsewhere.items(), self.elsewhere_sums, strict=True):
            if not os.path.exists(sums):
                where = (
                    f"there are no sequences in {folder} (seen from {os.getcwd()}), or they are not finished; expected "
                    "sequences/sequences.zarr and sequences/SHA256SUMS"
                )
                raise ConfigError(f"config: face_classification.elsewhere.{name}: {where}")
