"""What thermalizers learn from and are trained with."""

import os
from typing import TYPE_CHECKING, Any

from tfake.config.faults import ConfigError
from tfake.config.neutral import without_neutral
from tfake.config.plan_rules import Wildcards, in_key_order

if TYPE_CHECKING:
    from tfake.config.plan import Plan

#: Keys of the training settings that a bank of real patches depends on.
_BANK_KEYS = (
    "image_pixels",
    "largest_zoom",
    "rotation_degrees",
    "shear_degrees",
    "patch_pixels",
    "patch_scales",
    "bank_patches",
    "seed",
)


class ThermalizerPlan:
    """Settings and files of each condition's thermalizer."""

    def __init__(self, plan: "Plan") -> None:
        """Take a plan."""
        self._plan = plan
        self._conditions = plan.config["conditions"]
        block = plan.config["thermalizer"]
        #: The training settings that weights depend on.
        self.settings = in_key_order(without_neutral(block))
        #: Those that a bank of real patches depends on.
        self.bank_settings = {key: block[key] for key in _BANK_KEYS}
        #: Pretrained weights that a training starts from; none where it starts from random ones.
        self.encoder = ["resources/encoders/thermalizer.pt"] if block["encoder_weights"] else []
        #: What the pretrained weights depend on, by the network that starts from them.
        self.encoder_settings = {
            "thermalizer": {key: block[key] for key in ("decoder_channels", "encoder", "encoder_weights")},
            "landmarks": {key: plan.config["landmarks"][key] for key in ("backbone", "head", "pretrained")},
        }

    def condition(self, wildcards: Wildcards) -> dict[str, Any]:
        """The settings of a condition."""
        return in_key_order(self._conditions[wildcards.condition])

    def ambient_range(self, wildcards: Wildcards) -> list[float]:
        """Lowest and highest ambient temperature in °C that a condition is trained for."""
        return list(self._plan.ambient_range(wildcards.condition))

    def lab_ambient_range(self, wildcards: Wildcards) -> list[float]:
        """Those of a condition's lab pairs: where they were recorded, or its own."""
        recorded_at = self._conditions[wildcards.condition]["pairs"]["ambient_celsius"]
        return self.ambient_range(wildcards) if recorded_at is None else [recorded_at, recorded_at]

    def released_weights(self, wildcards: Wildcards) -> str:
        """Weights that were trained elsewhere: the file as named, or where its download goes."""
        place = self._plan.config["thermalizers"][wildcards.condition]["weights"]
        return f"resources/weights/{wildcards.condition}.pt" if "://" in place else place

    def check_files(self) -> None:
        """Look for the pairs.

        Raises:
            ConfigError: there are none where the config says.
        """
        for name, settings in self._conditions.items():
            path = settings["pairs"]["path"]
            if path is not None and not os.path.exists(path):
                raise ConfigError(
                    f"config: conditions.{name}.pairs.path: there is no {path} (seen from {os.getcwd()}). Paired data "
                    "with terms to be signed is never downloaded: docs/data.md says where to ask and where to put it."
                )
