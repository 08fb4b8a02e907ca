"""Pretraining: what each encoder learns from, and the files that landmark networks may begin with."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tfake.config.faults import ConfigError
from tfake.config.plan_rules import Wildcards, in_key_order, without_neutral

#: Stands for the landmarker that comes with the library, where a file of weights is named.
PACKAGE = "package"
_PACKAGED = Path(__file__).parents[1] / "landmarks/landmarker.pt"
#: Keys of ``pretraining`` that are no settings of a training, but say what it learns from.
NO_PRETRAINING_SETTINGS = ("pretexts", "stores", "folders", "validation_share")
# What must be the landmark networks' own.
_OF_LANDMARKS = ("backbone", "image_pixels", "thermal_stretch")


def initial_file(config: Mapping[str, Any], name: str | None) -> list[str]:
    """The file of weights that a training begins with.

    Args:
        config: complete.
        name: of one of ``pretraining.pretexts``, ``package``, or a path; None: there is none.
    """
    if name is None:
        return []
    if name == PACKAGE:
        return [str(_PACKAGED)]
    return [f"results/pretraining/{name}/encoder.pt" if name in config["pretraining"]["pretexts"] else name]


def check_initial_file(config: Mapping[str, Any], key: str, name: str | None) -> None:
    """Look for a file of weights; what is a result is made first.

    Raises:
        ConfigError: it is not there.
    """
    for path in initial_file(config, name):
        if not path.startswith("results/") and not os.path.exists(path):
            pretexts = ", ".join(config["pretraining"]["pretexts"])
            where = f"there is no {path} (seen from {os.getcwd()}), and no such pretext; pretexts are {pretexts}"
            raise ConfigError(f"config: {key}: {where}")


class PretrainingPlan:
    """Encoders by name: a pretext, or several with weights."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        """Take a config."""
        block = config["pretraining"]
        self._pretexts = block["pretexts"]
        kept = {key: own for key, own in without_neutral(block).items() if key not in NO_PRETRAINING_SETTINGS}
        self._settings = kept | {key: config["landmarks"][key] for key in _OF_LANDMARKS}
        #: Names of the encoders.
        self.names = tuple(block["pretexts"])
        #: Whether the stores are learnt from.
        self.takes_stores: bool = block["stores"]
        #: Variants that are learnt from.
        self.variants = list(config["landmarks"]["variants"] or ()) if block["stores"] else []
        #: Folders of pictures by name, and their paths.
        self.folders = in_key_order(dict(block["folders"]))
        self.folder_paths = [folder["path"] for folder in self.folders.values()]
        #: Fraction of a folder that is held out.
        self.validation_share: float = block["validation_share"]

    def settings(self, wildcards: Wildcards) -> dict[str, Any]:
        """The settings of an encoder's training."""
        return in_key_order({**self._settings, "tasks": self._pretexts[wildcards.pretext]})

    def check_files(self) -> None:
        """Look for the folders.

        Raises:
            ConfigError: one is not there, or there is nothing to learn from.
        """
        if not self.takes_stores and not self.folders:
            raise ConfigError("config: pretraining: stores is false, and folders empty; expected images")
        for name, folder in self.folders.items():
            if not os.path.exists(folder["path"]):
                where = f"there is no {folder['path']} (seen from {os.getcwd()})"
                raise ConfigError(f"config: pretraining.folders.{name}.path: {where}")
