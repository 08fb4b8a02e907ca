"""LoRAs of diffusion models: what each learns from and generates."""

import os
from typing import TYPE_CHECKING, Any

from tfake.config.faults import ConfigError
from tfake.config.plan_rules import Wildcards, in_key_order, without_neutral

if TYPE_CHECKING:
    from tfake.config.plan import Plan

#: Table of what procedural people are.
_ATTRIBUTES = "results/diffusion/attributes.csv"
# Keys of ``diffusion`` that are no settings of a training, but say what it learns from; and one that no result depends
# on, which no other network has.
_NO_SETTINGS = (
    *("model", "license", "loras", "variant", "faces", "caption", "attributes", "generation"),
    "gradient_checkpointing",
)


class DiffusionPlan:
    """LoRAs by what they are told a picture by."""

    def __init__(self, plan: "Plan") -> None:
        """Take a plan."""
        block = self._block = plan.config["diffusion"]
        #: ``text``, ``control`` or both.
        self.loras = tuple(block["loras"])
        #: The variant whose images are learnt.
        self.variant: str = block["variant"] or next(name for name in plan.variants if name not in plan.recorded)
        own = block["attributes"]
        #: The table of attributes, where there is one.
        self.attributes = [own] if own else [_ATTRIBUTES] if plan.source.is_procedural else []
        #: How many faces are learnt from.
        self.faces: int = block["faces"]
        kept = {key: value for key, value in without_neutral(block).items() if key not in _NO_SETTINGS}
        #: The settings of a training.
        self.settings = in_key_order(kept)
        #: The settings of what is generated.
        self.generation = in_key_order(dict(block["generation"]))
        #: Which images, and how they are described.
        self.source = {
            "ambient_celsius": plan.ambient(self.variant),
            "caption": block["caption"],
            "variant": self.variant,
        }

    def model(self, wildcards: Wildcards) -> dict[str, Any]:
        """The model and its licence.

        Raises:
            ConfigError: none is named.
        """
        if self._block["model"] is None:
            raise ConfigError(
                "config: diffusion.model is null; name the folder of a FLUX model in diffusers' layout, and state its "
                "licence in diffusion.license"
            )
        return {"license": self._block["license"], "model": self._block["model"]}

    def check_files(self) -> None:
        """Look for the model and the table of attributes.

        Raises:
            ConfigError: one is not there.
        """
        for key in ("model", "attributes"):
            path = self._block[key]
            if path is not None and not os.path.exists(path):
                raise ConfigError(f"config: diffusion.{key}: there is no {path} (seen from {os.getcwd()})")
