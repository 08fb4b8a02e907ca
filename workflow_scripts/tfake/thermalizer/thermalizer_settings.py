"""Every setting of a thermalizer's training, checked once; config/README.md describes each."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Self

from tfake.imaging.crops import CropSettings
from tfake.thermalizer.terms import weight_defaults
from tfake.thermalizer.thermal_unet import Architecture
from tfake.training.training_settings import LoopSettings


@dataclass(frozen=True)
class PairedSettings(LoopSettings, ABC):
    """What every kind of thermalizer is trained with: crops of pairs and of sources, as the config's block has them.

    Attributes:
        kind: of :data:`tfake.thermalizer.thermalizer_kinds.KINDS`; a subclass says which.
    """

    kind: ClassVar[str]

    batch_pairs: int = 4
    batch_sources: int = 4
    image_pixels: int = 160
    largest_zoom: float = 1.0
    rotation_degrees: float = 25.0
    shear_degrees: float = 8.0
    photometric_strength: float = 0.4
    class_dropout: float = 0.0
    heat_field: bool = True
    field_dropout: float = 0.2
    validation_share: float = 0.125
    output_celsius: tuple[float, float] = (10.0, 45.0)

    def __post_init__(self) -> None:
        """As of ``LoopSettings``."""
        super().__post_init__()
        self._require_all(("batch_pairs", "batch_sources", "image_pixels"), 1)
        self._require("largest_zoom", self.largest_zoom > 0, "above 0")
        self._require_all(("rotation_degrees", "shear_degrees", "photometric_strength"), 0)
        for key in ("class_dropout", "field_dropout", "validation_share"):
            self._require_fraction(key)
        low, high = self.output_celsius
        self._require("output_celsius", low < high, "(lowest, highest)")

    def _require_stride(self, levels: int) -> None:
        """The crops must be multiples of the stride of a network that halves them so often."""
        stride = 2**levels
        self._require("image_pixels", self.image_pixels % stride == 0, f"a multiple of {stride}, the network's stride")

    @property
    def _validates(self) -> bool:
        return self.validation_share > 0 and super()._validates

    @property
    def crop(self) -> CropSettings:
        """Limits of the training's crops."""
        return CropSettings(
            pixels=self.image_pixels,
            largest_zoom=self.largest_zoom,
            rotation_degrees=self.rotation_degrees,
            shear_degrees=self.shear_degrees,
            photometric_strength=self.photometric_strength,
        )

    @abstractmethod
    def architecture(self, ambient_celsius: tuple[float, float]) -> Any:
        """What weights trained with these settings fit.

        Args:
            ambient_celsius: lowest and highest ambient temperature that it is trained for.
        """


@dataclass(frozen=True)
class TrainingSettings(PairedSettings):
    """How a regression network is trained. Each field is the key of its name in the config's block ``thermalizer``.

    Attributes:
        weights: ``weight_{term}`` of :data:`tfake.thermalizer.terms.TERMS` to its weight against the supervised term;
            0 leaves it out. Each is a key of its own in ``from_mapping`` and ``as_mapping``.
    """

    kind: ClassVar[str] = "unet"

    # Not hashed, as a mapping cannot be; settings that differ in it alone are still unequal.
    weights: Mapping[str, float] = field(default_factory=weight_defaults, hash=False)
    patch_pixels: int = 8
    patch_scales: tuple[int, ...] = (1, 2, 4)
    patches: int = 192
    bank_patches: int = 4096
    sinkhorn_blur_kelvin: float = 0.3
    encoder: str = "tu-regnetx_002"
    encoder_weights: str | None = None
    # Four, not the usual five: a deeper body sees beyond the crops of training, learns their padding, and errs at 512.
    decoder_channels: tuple[int, ...] = (64, 48, 32, 16)
    class_offset: bool = True

    def __post_init__(self) -> None:
        """As of ``LoopSettings``."""
        super().__post_init__()
        self._require_all(("patch_pixels", "patches", "bank_patches"), 1)
        self._require("sinkhorn_blur_kelvin", self.sinkhorn_blur_kelvin > 0, "above 0")
        for key, weight in self.weights.items():
            if weight < 0:
                raise ValueError(f"{key} must be at least 0; found {weight!r}")
        self._require(
            "patch_scales", len(self.patch_scales) > 0 and min(self.patch_scales) >= 1, "factors of at least 1"
        )
        self._require_stride(len(self.decoder_channels))

    @classmethod
    def known_keys(cls) -> tuple[str, ...]:
        """See ``LoopSettings.known_keys``."""
        return (*(key for key in super().known_keys() if key != "weights"), *weight_defaults())

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> Self:
        """See ``LoopSettings.from_mapping``."""
        weights = {key: mapping.get(key, default) for key, default in weight_defaults().items()}
        others = {key: value for key, value in mapping.items() if key not in weights}
        return replace(super().from_mapping(others), weights=weights)

    def as_mapping(self) -> dict[str, Any]:
        """See ``LoopSettings.as_mapping``."""
        plain = super().as_mapping()
        return plain | plain.pop("weights")

    def architecture(self, ambient_celsius: tuple[float, float]) -> Architecture:
        """What weights trained with these settings fit; of a range of ambients the network takes it as an input."""
        low, high = self.output_celsius
        ambients = ambient_celsius if ambient_celsius[0] < ambient_celsius[1] else None
        return Architecture(
            self.encoder,
            tuple(self.decoder_channels),
            (float(low), float(high)),
            self.class_offset,
            ambients,
            self.heat_field,
        )
