"""Every number of a detector's training, checked once."""

from dataclasses import dataclass

from tfake.detector.detector_network import DetectorArchitecture
from tfake.training.training_settings import LoopSettings


@dataclass(frozen=True)
class DetectorSettings(LoopSettings):
    """How a face detector is trained; what every run has is in ``LoopSettings``.

    Attributes:
        batch: scenes a step.
        scene_pixels: edge of a square of a scene's area; scenes of a step are upright, square or lying, and up to a
            third larger or smaller.
        least_face_pixels: sqrt(w h) of the smallest face that is to be found.
        most_people: people of a scene, at most.
        empty_share: fraction of the scenes without any person.
        rgb_share: fraction of the scenes in visible light.
        real_share: fraction of the thermal scenes with people that a real picture is laid into, where there are any.
        objects: mean number of lamps, kettles, hands, animals and other things of a thermal scene.
        thermal_strength: how much the display of thermal scenes is varied, as for landmarks.
        photometric_strength: how much colours and light are varied, as for landmarks.
        real_world_strength: how often displays saturate, invert, or draw digits.
        backbone: name of a timm model.
        channels: channels of the neck and of the heads.
        search_pixels: edge of a square of the area that a picture is brought to before it is searched.
    """

    steps: int = 2200
    learning_rate: float = 3e-3
    weight_decay: float = 5e-5
    clip_norm: float = 5.0
    ema_decay: float = 0.995
    validate_every: int = 500
    checkpoint_every: int = 100
    batch: int = 16
    scene_pixels: int = 176
    least_face_pixels: float = 12.0
    most_people: int = 8
    empty_share: float = 0.25
    rgb_share: float = 0.2
    real_share: float = 0.25
    objects: float = 2.5
    thermal_strength: float = 0.8
    photometric_strength: float = 0.4
    real_world_strength: float = 1.0
    backbone: str = "regnetx_002"
    channels: int = 40
    search_pixels: int = 288

    def __post_init__(self) -> None:
        """Raise a ValueError for a value that cannot train, named with its key."""
        super().__post_init__()
        self._require_all(("batch", "most_people", "channels"), 1)
        self._require_all(("objects", "thermal_strength", "photometric_strength", "real_world_strength"), 0)
        self._require_all(("scene_pixels", "search_pixels"), 64)
        self._require("least_face_pixels", self.least_face_pixels >= 4, "at least 4")
        for key in ("empty_share", "rgb_share", "real_share"):
            self._require_fraction(key)

    @property
    def architecture(self) -> DetectorArchitecture:
        """What weights trained with these settings fit."""
        return DetectorArchitecture(self.backbone, self.channels, self.search_pixels)
