"""The plan of the sequences: which shows whom in which look, state and expression, and what its job is told."""

import itertools
import os
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from tfake.config.faults import ConfigError
from tfake.config.plan_rules import Wildcards, in_key_order
from tfake.config.plan_studies import PACKAGE
from tfake.core.codes import subject_name

#: Keys that say which sequences there are, or what is made of them, and not what a frame of one looks like.
_NOT_OF_A_FRAME = ("subjects", "looks", "expressions", "states", "formats", "page_sequences")
FOLDER = "results/sequences"
PAGE = f"{FOLDER}/page/index.html"


class SequencePlan:
    """Sequences by number, which is that of their shard."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        """Take a config."""
        self._settings = config["sequences"]
        self.frames: int = self._settings["frames"]
        #: What all sequences have in common.
        self.settings = in_key_order({key: own for key, own in self._settings.items() if key not in _NOT_OF_A_FRAME})
        self.formats: tuple[str, ...] = tuple(self._settings["formats"])

    @cached_property
    def sequences(self) -> list[dict[str, Any]]:
        """Each sequence: ``subject``, ``look``, ``state`` and ``expression``; subjects behind one another."""
        return [
            {"subject": subject, "look": look, "state": state, "expression": expression}
            for subject, look, state, expression in itertools.product(
                range(self._settings["subjects"]),
                range(self._settings["looks"]),
                self._settings["states"],
                self._settings["expressions"],
            )
        ]

    @property
    def rows(self) -> int:
        """Frames of all sequences."""
        return len(self.sequences) * self.frames

    def sequence(self, wildcards: Wildcards) -> dict[str, Any]:
        """The sequence of the shard ``{shard}``."""
        return self.sequences[int(wildcards.shard)]

    def shard_rows(self, wildcards: Wildcards) -> list[int]:
        """First row of the shard ``{shard}`` and its stop (exclusive)."""
        start = int(wildcards.shard) * self.frames
        return [start, start + self.frames]

    def manifests(self, wildcards: Wildcards) -> list[str]:
        """The manifests of all sequences."""
        return [f"{FOLDER}/manifests/{shard}.json" for shard in range(len(self.sequences))]


class SequenceTasksPlan:
    """The tasks on sequences: whose they are, and which scenes are made of them."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        """Take a config."""
        self._settings = config["sequence_tasks"]
        self._subjects: int = config["sequences"]["subjects"]
        #: Nobody passes in front of anybody where there is one person.
        self.has_scenes = bool(self._settings["scenes"]) and self._subjects > 1
        #: What :class:`tfake.studies.sequence_tasks.CrossingSettings` takes.
        self.crossings = in_key_order(
            {
                "scenes": self._settings["scenes"],
                "people": min(self._settings["scene_people"], self._subjects),
                "seconds": self._settings["scene_seconds"],
                "seed": self._settings["seed"],
            }
        )

    @property
    def weights_files(self) -> list[str]:
        """The weights, where they are a file."""
        return [path for path in [self._settings["weights"]] if path != PACKAGE]

    def records(self, wildcards: Wildcards) -> list[str]:
        """What came of everybody's sequences."""
        return [f"results/sequence_tasks/people/{subject_name(subject)}.json" for subject in range(self._subjects)]

    def check_files(self) -> None:
        """Look for the weights; what a run makes may be missing.

        Raises:
            ConfigError: they are not there.
        """
        for path in self.weights_files:
            if not path.startswith("results/") and not os.path.exists(path):
                raise ConfigError(f"config: sequence_tasks.weights: there is no {path} (seen from {os.getcwd()})")
