"""The kinds of thermalizers: everything that tells one from another is one entry of ``KINDS``.

Config, training, files and report read this list. It imports no torch, and a kind's packages only where it is used: its
parts are named as ``package.module:Name``.
"""

import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tfake.thermalizer.terms import column_labels


@dataclass(frozen=True)
class ThermalizerKind:
    """One kind.

    Attributes:
        name: as ``conditions.NAME.kind`` names it.
        section: the config's block of its training settings.
        format: of its weights files.
        packages: whose versions its provenance records.
        column_labels: gives column of its table of losses to label, in the order in which they are drawn.
        settings: the class of its training settings, of ``PairedSettings``.
        state: the class of its training, of :class:`tfake.thermalizer.thermalizer_training.PairedTrainState`.
        network: the class of its network, built from an architecture.
        architecture: the class of that architecture.
    """

    name: str
    section: str
    format: str
    packages: tuple[str, ...]
    column_labels: Callable[[], dict[str, str]]
    settings: str
    state: str
    network: str
    architecture: str

    def load(self, part: str) -> Any:
        """One of the last four, itself.

        Args:
            part: the attribute's name.

        Raises:
            ValueError: this environment lacks a package that the kind needs.
        """
        try:
            return pkgutil.resolve_name(getattr(self, part))
        except ModuleNotFoundError as error:
            raise ValueError(
                f"a thermalizer of the kind {self.name!r} needs the package {error.name}, which is not installed"
            ) from error


def _flow_labels() -> dict[str, str]:
    known = column_labels()
    return {"total": known["total"], "flow": "flow matching: pairs", "prior": known["prior"]}


_COMMON_PACKAGES = ("torch", "numpy", "opencv-contrib-python")
_ALL = (
    ThermalizerKind(
        "unet",
        "thermalizer",
        "tfake-thermalizer-2",
        (*_COMMON_PACKAGES, "torchvision", "timm", "segmentation-models-pytorch", "geomloss"),
        column_labels,
        "tfake.thermalizer.thermalizer_settings:TrainingSettings",
        "tfake.thermalizer.thermalizer_training:ThermalizerTrainState",
        "tfake.thermalizer.thermal_unet:ThermalUNet",
        "tfake.thermalizer.thermal_unet:Architecture",
    ),
    ThermalizerKind(
        "diffusion",
        "diffusion_thermalizer",
        "tfake-thermal-diffusion-1",
        (*_COMMON_PACKAGES, "diffusers"),
        _flow_labels,
        "tfake.thermalizer.diffusion_settings:DiffusionSettings",
        "tfake.thermalizer.diffusion_training:DiffusionTrainState",
        "tfake.thermalizer.thermal_diffusion:ThermalDiffusion",
        "tfake.thermalizer.thermal_diffusion:DiffusionArchitecture",
    ),
)
#: Name to kind.
KINDS: dict[str, ThermalizerKind] = {kind.name: kind for kind in _ALL}


def all_column_labels() -> dict[str, str]:
    """Column of any kind's table of losses to label."""
    labels: dict[str, str] = {}
    for kind in KINDS.values():
        labels |= kind.column_labels()
    return labels
