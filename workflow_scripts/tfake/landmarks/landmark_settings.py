"""Every number of a landmark network's training, checked once."""

from dataclasses import dataclass
from functools import cached_property

from tfake.imaging.real_world import RealWorld
from tfake.landmarks.landmark_network import HEADS, LandmarkArchitecture
from tfake.training.training_settings import LoopSettings


@dataclass(frozen=True)
class LandmarkSettings(LoopSettings):
    """How a landmark network is trained; what every run has is in ``LoopSettings``.

    Attributes:
        batch: crops a step.
        thermal_share: fraction of the face crops that are thermal; the others are RGB. T-FAKE's is .4.
        texture_share: fraction of a batch that is pure texture with points anywhere: what is no face.
        background_share: fraction of the face crops whose background is a texture.
        covered_weight: weight of points that hair, glasses, headwear, a mask or clothing cover, against 1 of others;
            dense points alone, since the 70 are exact wherever they are.
        image_pixels: edge of the square crops.
        crop_scale: (least, largest) edge of a crop over the longer side of the face's box.
        shift: standard deviation of the crop's centre from the face's, over the crop's edge.
        rotation_degrees: largest rotation of a crop, either way.
        shear_degrees: largest shear of a crop, either way.
        photometric_strength: how much colours and light of RGB crops are varied; 0 not at all, 1 as T-FAKE's training.
        thermal_strength: how much thermal crops are varied: gain control, inversion, blur, noise, resolution.
        real_share: fraction of the face crops that are real ones, where there are any.
        others_share: fraction of the face crops that are other runs' faces, where there are any.
        real_world_strength: how often what real pictures have and rendered ones lack happens to thermal crops, and how
            often any crop is rolled or cuts the face (:class:`tfake.imaging.real_world.RealWorld`).
        thermal_stretch: whether the contrast of gray crops is stretched, in training and ever after.
        thermal_mirror: whether answers on gray crops are averaged with those on their mirror images.
        nll_beta: weight of each point's likelihood by its deviation to this power (Seitzer et al., ICLR 2022), which
            keeps hard points in the gradient; 0 is T-FAKE's Gaussian likelihood.
        backbone: name of a timm model.
        pretrained: whether timm's ImageNet weights are fetched for it.
        head: ``heatmap`` or ``pooled``.
        neck_channels: width of what joins the backbone's scales, of the head ``heatmap``.
    """

    steps: int = 3000
    learning_rate: float = 4e-3
    weight_decay: float = 5e-5
    clip_norm: float = 1.0
    validate_every: int = 500
    checkpoint_every: int = 100
    batch: int = 48
    thermal_share: float = 0.5
    texture_share: float = 0.1
    background_share: float = 0.3
    covered_weight: float = 0.0
    image_pixels: int = 64
    crop_scale: tuple[float, float] = (1.0, 1.9)
    shift: float = 0.05
    rotation_degrees: float = 20.0
    shear_degrees: float = 4.0
    photometric_strength: float = 0.4
    thermal_strength: float = 0.6
    real_share: float = 0.25
    others_share: float = 0.33
    real_world_strength: float = 1.0
    thermal_stretch: bool = True
    thermal_mirror: bool = True
    nll_beta: float = 0.5
    backbone: str = "regnetx_002"
    pretrained: bool = False
    head: str = "heatmap"
    neck_channels: int = 64

    def __post_init__(self) -> None:
        """Raise a ValueError for a value that cannot train, named with its key."""
        super().__post_init__()
        self._require_all(("batch", "neck_channels"), 1)
        angles = ("rotation_degrees", "shear_degrees")
        strengths = ("photometric_strength", "thermal_strength", "real_world_strength")
        self._require_all((*angles, *strengths, "shift", "nll_beta"), 0)
        self._require_fraction("texture_share")
        self._require_fraction("real_share")
        self._require_fraction("others_share")
        self._require("others_share", self.others_share + self.real_share < 1, "below 1 with real_share")
        for key in ("thermal_share", "background_share", "covered_weight"):
            self._require(key, 0 <= getattr(self, key) <= 1, "within 0 to 1")
        least, largest = self.crop_scale
        self._require("crop_scale", 0 < least <= largest, "(least, largest), above 0")
        self._require("head", self.head in HEADS, f"one of {', '.join(HEADS)}")
        self._require("image_pixels", self.image_pixels % 32 == 0, "a multiple of 32")

    @cached_property
    def real_world(self) -> RealWorld:
        """How often what real pictures have happens to a crop."""
        return RealWorld(self.real_world_strength)

    def architecture(self, landmarks: int) -> LandmarkArchitecture:
        """What weights trained with these settings fit, for 70, 478 or 548 points."""
        return LandmarkArchitecture(
            landmarks,
            self.backbone,
            self.head,
            self.image_pixels,
            self.thermal_stretch,
            self.thermal_mirror,
            self.neck_channels,
        )
