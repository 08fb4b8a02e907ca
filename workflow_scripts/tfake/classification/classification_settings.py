"""Every number of a classifier's training, checked once."""

from dataclasses import dataclass

from tfake.classification.face_clips import ClipViews
from tfake.training.training_settings import LoopSettings

TEMPORAL = ("mean", "gru")


@dataclass(frozen=True)
class ClassificationSettings(LoopSettings):
    """How a classifier is trained; what every run has is in ``LoopSettings``.

    Attributes:
        backbone: name of a timm model.
        temporal: what becomes of the frames' features: their ``mean``, or the last state of a ``gru``.
        frames: of a clip, one of each of so many equal parts of the sequence.
        batch: clips a step.
        real_share: fraction of them that are real, where there are synthetic ones, too.
        image_pixels: edge of a frame.
        crop_scale: edge of a crop over the longer side of the face's box.
        thermal_strength: how much the display is varied.
        thermal_stretch: whether each frame's contrast is stretched to the face; else 20 to 40 °C are black and white.
    """

    steps: int = 300
    learning_rate: float = 2e-3
    weight_decay: float = 5e-3
    clip_norm: float = 5.0
    validate_every: int = 30
    patience: int = 10
    backbone: str = "resnet10t"
    temporal: str = "mean"
    frames: int = 8
    batch: int = 8
    real_share: float = 0.5
    image_pixels: int = 64
    crop_scale: float = 1.4
    thermal_strength: float = 0.5
    thermal_stretch: bool = True

    def __post_init__(self) -> None:
        """Raise a ValueError for a value that cannot train, named with its key."""
        super().__post_init__()
        self._require("temporal", self.temporal in TEMPORAL, f"one of {', '.join(TEMPORAL)}")
        self._require_all(("frames",), 1)
        self._require_all(("batch",), 2)
        self._require_all(("thermal_strength",), 0)
        self._require("real_share", 0 < self.real_share < 1, "between 0 and 1")
        self._require("crop_scale", self.crop_scale > 0, "above 0")
        self._require("image_pixels", self.image_pixels > 0 and self.image_pixels % 32 == 0, "a multiple of 32")
        self._require("patience", self.patience > 0, "above 0: validation people choose the weights")

    @property
    def views(self) -> ClipViews:
        """How clips are shown."""
        return ClipViews(self.image_pixels, self.frames, self.crop_scale, self.thermal_strength)
