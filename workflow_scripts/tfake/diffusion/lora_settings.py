"""Every number of a LoRA's training, checked once."""

from dataclasses import dataclass

from tfake.training.training_settings import LoopSettings

TARGETS = ("blocks", "attention")
TIMESTEPS = ("logit_normal", "uniform")
#: Pixels along an edge of a token of FLUX: 8 of the autoencoder, packed by 2.
TOKEN_PIXELS = 16


@dataclass(frozen=True)
class LoraSettings(LoopSettings):
    """How a LoRA is trained; what every run has is in ``LoopSettings``.

    Attributes:
        rank: of each layer's update.
        alpha: the update counts ``alpha / rank``.
        targets: which layers are updated: ``blocks``, each linear layer of the transformer's blocks, as kohya's scripts
            do; ``attention``, those of the attention alone.
        batch: pictures a step.
        image_pixels: edge of the pictures.
        guidance: what models with an embedding of the guidance are told.
        timesteps: how noise levels are drawn (:func:`tfake.diffusion.flow_matching.draw_sigma`).
        timestep_shift: how far they are moved towards noise; 1 leaves them.
        t5_attention_mask: whether a text's padding is hidden from T5 and from the transformer.
        text_tokens: most tokens of a text.
        gradient_checkpointing: whether activations are computed twice instead of kept.
    """

    steps: int = 3000
    learning_rate: float = 4e-4
    schedule: str = "constant"
    weight_decay: float = 0.01
    clip_norm: float = 1.0
    validate_every: int = 500
    rank: int = 64
    alpha: float = 64.0
    targets: str = "blocks"
    batch: int = 1
    image_pixels: int = 512
    guidance: float = 3.0
    timesteps: str = "logit_normal"
    timestep_shift: float = 1.0
    t5_attention_mask: bool = True
    text_tokens: int = 512
    gradient_checkpointing: bool = True

    def __post_init__(self) -> None:
        """Raise a ValueError for a value that cannot train, named with its key."""
        super().__post_init__()
        self._require_all(("rank", "batch", "text_tokens"), 1)
        for key in ("alpha", "timestep_shift"):
            self._require(key, getattr(self, key) > 0, "above 0")
        self._require_all(("guidance",), 0)
        self._require("targets", self.targets in TARGETS, f"one of {', '.join(TARGETS)}")
        self._require("timesteps", self.timesteps in TIMESTEPS, f"one of {', '.join(TIMESTEPS)}")
        whole = self.image_pixels > 0 and self.image_pixels % TOKEN_PIXELS == 0
        self._require("image_pixels", whole, f"a multiple of {TOKEN_PIXELS}")
        # An average would be a second transformer; float16 overflows in FLUX's residual stream.
        self._require("ema_decay", self.ema_decay == 0, "0, for a LoRA has no average")
        self._require("precision", self.precision != "float16", "auto, float32 or bfloat16")
