"""Every setting of a diffusion thermalizer's training, checked once; config/README.md describes each."""

from dataclasses import dataclass
from typing import ClassVar

from tfake.thermalizer.thermal_diffusion import GROUPS, DiffusionArchitecture
from tfake.thermalizer.thermalizer_settings import PairedSettings


@dataclass(frozen=True)
class DiffusionSettings(PairedSettings):
    """How a diffusion thermalizer is trained.

    Each field is the key of its name in the config's block ``diffusion_thermalizer``.
    """

    kind: ClassVar[str] = "diffusion"

    steps: int = 1500
    learning_rate: float = 2e-3
    clip_norm: float = 1.0
    ema_decay: float = 0.99
    validate_every: int = 250
    batch_pairs: int = 4
    batch_sources: int = 2
    image_pixels: int = 128
    weight_prior: float = 0.1
    residual_kelvin: float = 1.0
    block_channels: tuple[int, ...] = (16, 32, 64, 64)
    layers_per_block: int = 1
    sampling_steps: int = 8

    def __post_init__(self) -> None:
        """As of ``LoopSettings``."""
        super().__post_init__()
        self._require_all(("layers_per_block", "sampling_steps"), 1)
        self._require_all(("weight_prior",), 0)
        self._require("residual_kelvin", self.residual_kelvin > 0, "above 0")
        channels = self.block_channels
        holds = len(channels) > 0 and all(count > 0 and count % GROUPS == 0 for count in channels)
        self._require("block_channels", holds, f"multiples of {GROUPS}")
        self._require_stride(len(channels) - 1)

    def architecture(self, ambient_celsius: tuple[float, float]) -> DiffusionArchitecture:
        """See ``PairedSettings``; samples follow from the training's seed."""
        low, high = self.output_celsius
        return DiffusionArchitecture(
            tuple(self.block_channels),
            self.layers_per_block,
            (float(low), float(high)),
            self.residual_kelvin,
            self.sampling_steps,
            self.seed,
            tuple(ambient_celsius) if ambient_celsius[0] < ambient_celsius[1] else None,
            self.heat_field,
        )
