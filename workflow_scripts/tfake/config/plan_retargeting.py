"""The plan of the stills that are set in motion: which still moves how, and what its job is told and reads."""

import itertools
import os
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tfake.config.faults import ConfigError
from tfake.config.plan_rules import Wildcards, in_key_order
from tfake.core.codes import ExpressionClass, sequence_name, subject_name

if TYPE_CHECKING:
    from tfake.config.plan import Plan

#: Keys that say which sequences there are, or what is made of them, and not what a frame of one looks like.
_NOT_OF_A_FRAME = ("rows", "variant", "expressions", "drivers", "formats")
#: What follows the still in the ids of curves' sequences: no film is named so.
CURVE_NAMES = tuple(
    sequence_name(0, 0, "rest", kind.name.lower()).removeprefix(f"{subject_name(0)}_") for kind in ExpressionClass
)
#: The folder that is opened, and the one of the store in it.
RETARGETING = "results/retargeting"
RETARGETING_STORE = f"{RETARGETING}/sequences"


class RetargetingPlan:
    """Sequences by number, which is that of their shard."""

    def __init__(self, plan: "Plan") -> None:
        """Take a plan."""
        self._plan = plan
        self._settings = plan.config["retargeting"]
        self.frames: int = self._settings["frames"]
        #: Whether LivePortrait paints the sequences of films.
        self.paints: bool = self._settings["live_portrait"] is not None
        common = {key: own for key, own in self._settings.items() if key not in _NOT_OF_A_FRAME}
        #: What all sequences have in common. Where LivePortrait is on this machine tells nothing of a frame.
        self.settings = in_key_order({**common, "live_portrait": self.paints})
        self.formats: tuple[str, ...] = tuple(self._settings["formats"])
        #: The films by name.
        self.drivers: dict[str, dict[str, Any]] = dict(self._settings["drivers"])

    @cached_property
    def variant(self) -> str:
        """The variant whose temperatures move.

        Raises:
            ConfigError: none is named, and none is made here in the source's geometry.
        """
        named = self._settings["variant"] or next(iter(self._plan.generated), None)
        if named is None:
            kinds = ", ".join(f"{name} ({kind})" for name, kind in self._plan.kind_of.items())
            raise ConfigError(
                "config: retargeting.variant: expected a variant that is made here in the source's geometry, "
                f"thermalized or modelled; found {kinds}"
            )
        return named

    def variant_of(self, wildcards: Wildcards) -> str:
        """The variant, for params."""
        return self.variant

    def thermal_root(self, wildcards: Wildcards) -> str:
        """The metadata of the variant's store."""
        return f"results/variants/{self.variant}/thermal.zarr/zarr.json"

    def thermal_sums(self, wildcards: Wildcards) -> str:
        """The checksums of the variant's store."""
        return f"results/variants/{self.variant}/SHA256SUMS"

    def films(self, wildcards: Wildcards) -> list[str]:
        """The films, in the order of their sequences of a still."""
        return [driver["path"] for driver in self.drivers.values()]

    @cached_property
    def sequences(self) -> list[dict[str, Any]]:
        """Each sequence: ``row``, ``expression`` and ``driver``, null for curves; stills behind one another."""
        (start, stop), (low, high) = self._settings["rows"], self._plan.rows(self.variant)
        motions: list[tuple[str, str | None]] = [(expression, None) for expression in self._settings["expressions"]]
        motions += [(film["expression"], name) for name, film in self.drivers.items()]
        return [
            {"row": row, "expression": expression, "driver": driver}
            for row, (expression, driver) in itertools.product(range(max(start, low), min(stop, high)), motions)
        ]

    def all_sequences(self, wildcards: Wildcards) -> list[dict[str, Any]]:
        """The sequences, of which there must be one.

        Raises:
            ConfigError: the config asks for none.
        """
        if not self.sequences:
            low, high = self._plan.rows(self.variant)
            motions = ", ".join([*self._settings["expressions"], *self.drivers]) or "none"
            raise ConfigError(
                f"config: retargeting: expected a still and a motion; rows is {self._settings['rows']}, the variant "
                f"{self.variant} has the rows {low} to {high - 1}, and the expressions and drivers are {motions}"
            )
        return self.sequences

    def rows(self, wildcards: Wildcards) -> int:
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
        return [f"{RETARGETING_STORE}/manifests/{shard}.json" for shard in range(len(self.sequences))]

    def decoded(self, wildcards: Wildcards) -> list[str]:
        """The shard of decoded images that holds the still of the shard ``{shard}``; nothing where none are kept."""
        return self._plan.stores.decoded([self.sequence(wildcards)["row"] // self._plan.shard_images])

    def all_decoded(self, wildcards: Wildcards) -> list[str]:
        """The shards of decoded images that hold the stills; nothing where none are kept."""
        shards = dict.fromkeys(one["row"] // self._plan.shard_images for one in self.sequences)
        return self._plan.stores.decoded(list(shards))

    def film_motion(self, wildcards: Wildcards) -> list[str]:
        """The motion of the film that drives the shard ``{shard}``; nothing where curves do."""
        driver = self.sequence(wildcards)["driver"]
        return [f"{RETARGETING}/drivers/{driver}.npz"] if driver else []

    def film(self, wildcards: Wildcards) -> str:
        """The film of the driver ``{driver}``."""
        return self.drivers[wildcards.driver]["path"]

    def film_file(self, wildcards: Wildcards) -> list[str]:
        """The film of the shard ``{shard}`` where LivePortrait paints it; nothing otherwise."""
        driver = self.sequence(wildcards)["driver"]
        return [self.drivers[driver]["path"]] if driver and self.paints else []

    def check_files(self) -> None:
        """Look for the films, and for LivePortrait.

        Raises:
            ConfigError: one is not there.
        """
        portrait = self._settings["live_portrait"]
        if portrait is not None and not os.path.exists(script := os.path.join(portrait["checkout"], "inference.py")):
            where = f"there is no {script} (seen from {os.getcwd()})"
            raise ConfigError(f"config: retargeting.live_portrait.checkout: {where}")
        for name, driver in self.drivers.items():
            if not os.path.exists(driver["path"]):
                where = f"there is no {driver['path']} (seen from {os.getcwd()})"
                raise ConfigError(f"config: retargeting.drivers.{name}.path: {where}")
