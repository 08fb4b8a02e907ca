"""Every number of an encoder's pretraining, checked once."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tfake.pretraining.pretraining_views import ViewSettings
from tfake.pretraining.registry import PRETEXTS
from tfake.training.training_settings import LoopSettings


@dataclass(frozen=True)
class PretrainingSettings(LoopSettings):
    """How an encoder is pretrained; what every run has is in ``LoopSettings``.

    Attributes:
        tasks: weight of each pretext's loss, by its name in :data:`tfake.pretraining.registry.PRETEXTS`.
        batch: images a step; each pretext makes its own views of them.
        folder_share: fraction of them out of folders, where there are stores, too.
        image_pixels: edge of the square crops; that of the landmark network, for the same detail.
        crop_scale: (least, largest) edge of a crop over the longer side of the face's, or the person's, box; a task may
            want more.
        rotation_degrees: largest rotation of a crop, either way, in the tasks that allow one.
        thermal_strength: how much crops are varied: gain control, inversion, blur, noise, resolution.
        thermal_stretch: whether the contrast of crops is stretched, as the landmark network will do.
        backbone: name of a timm model; the landmark network's.
    """

    steps: int = 1500
    learning_rate: float = 3e-3
    weight_decay: float = 5e-5
    clip_norm: float = 5.0
    validate_every: int = 500
    tasks: Mapping[str, float] = field(default_factory=lambda: {"rotation": 1.0})
    batch: int = 48
    folder_share: float = 0.5
    image_pixels: int = 64
    crop_scale: tuple[float, float] = (0.6, 1.6)
    rotation_degrees: float = 20.0
    thermal_strength: float = 0.8
    thermal_stretch: bool = True
    backbone: str = "regnetx_002"

    def __post_init__(self) -> None:
        """Raise a ValueError for a value that cannot train, named with its key."""
        super().__post_init__()
        known = ", ".join(PRETEXTS)
        self._require("tasks", bool(self.tasks) and self.tasks.keys() <= PRETEXTS.keys(), f"some of {known}")
        self._require("tasks", all(weight > 0 for weight in self.tasks.values()), "weights above 0")
        self._require_all(("batch",), 2)
        self._require_all(("rotation_degrees", "thermal_strength"), 0)
        self._require("folder_share", 0 <= self.folder_share <= 1, "within 0 to 1")
        least, largest = self.crop_scale
        self._require("crop_scale", 0 < least <= largest, "(least, largest), above 0")
        self._require("image_pixels", self.image_pixels > 0 and self.image_pixels % 32 == 0, "a multiple of 32")

    @property
    def views(self) -> ViewSettings:
        """How crops are cut and shown."""
        return ViewSettings(self.image_pixels, self.crop_scale, self.rotation_degrees, self.thermal_strength)
