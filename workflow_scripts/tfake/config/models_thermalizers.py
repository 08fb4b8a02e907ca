"""Keys of the thermalizers: the conditions they are trained for, released weights, and the training itself."""

from typing import Annotated, Literal, Self

from annotated_types import Ge, Le
from pydantic import model_validator

from tfake.config.keys import Celsius, Count, Range, Section, Sha256, Text, conflict, key, optional_key

ClassName = Literal[
    "SKIN",
    "NOSE",
    "RIGHT_EYE",
    "LEFT_EYE",
    "RIGHT_BROW",
    "LEFT_BROW",
    "RIGHT_EAR",
    "LEFT_EAR",
    "MOUTH_INTERIOR",
    "TOP_LIP",
    "BOTTOM_LIP",
    "NECK",
    "HAIR",
    "BEARD",
    "CLOTHING",
    "HEADWEAR",
    "FACEWEAR",
]
Offsets = dict[ClassName, Annotated[float, Ge(-20), Le(20)]]
Supervision = Literal["absolute", "within_class"]


class Counts(Section):
    """How counts become temperatures."""

    per_kelvin: float = key(..., "Counts per kelvin.", unit="1/K", gt=0)
    offset: float = optional_key("Temperature of the count 0; 0 without it.", unit="K")


class LinearCounts(Section):
    """Linear counts of any camera: K = count / per_kelvin + offset."""

    counts: Counts


ThermalValues = Literal["celsius", "kelvin", "fahrenheit", "relative"] | LinearCounts


class Prior(Section):
    """Class means that the temperature prior pulls to."""

    table: Text = key(..., "A name in tfake/thermalizer/priors, or the path of a CSV file of the same form.")
    read_at_celsius: Celsius | None = key(
        ..., "Room whose body temperatures are taken from the table; null is the condition's own."
    )
    offsets_kelvin: Offsets = key(..., "Class name to what is added to its temperature in the table.")
    per_pixel: bool = key(
        True,
        "Whether skin is held to the heat field pixel by pixel, where the network takes one; false holds it to its "
        "class means, as everything else is.",
    )


class Pairs(Section):
    """Pairs of visible and thermal images to learn from."""

    path: Text | None = key(..., "A folder or a zip; null takes the procedural lab set.")
    layout: Literal["stems", "tfake", "speakingfaces", "folders"] = key(
        ...,
        "How the files are named, by the set that first did it: stems is *_v and *_t, folders visible/ and thermal/.",
    )
    values: ThermalValues = key(
        ...,
        "What the thermal images hold. celsius: 16-bit counts of 0.01 K or float; kelvin, fahrenheit, or "
        "{counts: {per_kelvin: 10, offset: 0}}; relative: scale and offset carry nothing.",
    )
    ambient_celsius: Celsius | None = key(..., "Room that the pairs were recorded in; null is the condition's.")
    supervision: Supervision = key(
        ...,
        "absolute: temperatures count as they are; within_class: less each class's mean, for pairs of another room.",
    )


class Bank(Section):
    """Thermal images without a visible partner, whose patches the Wasserstein term compares with."""

    path: Text | None = key(..., "A folder or a zip; null takes the thermal images of the pairs.")
    values: ThermalValues = key(..., "What they hold, as for pairs; only read where path is not null.")


class Condition(Section):
    """What a thermalizer is trained for."""

    kind: Literal["unet", "diffusion"] = key(
        "unet",
        "Its network. unet: a regression, trained as the block thermalizer says, which gives the mean of what an image "
        "leaves open; diffusion: a flow from noise, trained as the block diffusion_thermalizer says, which gives a "
        "draw from it.",
    )
    ambient_celsius: Celsius | Range[Celsius] = key(
        ...,
        "Temperature of the room; [lowest, highest] trains one thermalizer for every room between, and its variants "
        "state theirs.",
    )
    prior: Prior
    pairs: Pairs
    bank: Bank


class ReleasedWeights(Section):
    """Weights to take instead of training."""

    weights: Text = key(..., "Path or URL of a weights file of this workflow, or of T-FAKE's released state dict.")
    sha256: Sha256 | None = key(..., "SHA-256 that the file must have; null is for paths alone.")

    @model_validator(mode="after")
    def _url_has_a_checksum(self) -> Self:
        if "://" in self.weights and self.sha256 is None:
            raise conflict("weights from a URL need their SHA-256", "sha256")
        return self


class Training(Section):
    """What every network's training has; each kind of network adds keys and changes defaults."""

    steps: int = key(200, "Optimiser steps.", ge=1)
    learning_rate: float = key(5e-3, "Peak of the learning rate.", gt=0)
    schedule: Literal["onecycle", "cosine", "step", "constant"] = key(
        "onecycle", "Schedule of the learning rate; step is T-FAKE's."
    )
    weight_decay: float = key(1e-4, "AdamW's decoupled weight decay.", ge=0)
    clip_norm: float = key(20.0, "Largest norm of the gradient.", gt=0)
    ema_decay: float = key(
        0.0,
        "Decay per step of the weights' moving average, which becomes the result; 0 takes the last weights.",
        ge=0,
        lt=1,
    )
    validate_every: int = key(40, "Steps between two validations; 0 never validates.", ge=0)
    patience: int = key(
        0,
        "Validations without improvement that end the run with the best weights; 0 never does.",
        unit="validations",
        ge=0,
    )
    checkpoint_every: int = key(
        100,
        "Steps between two checkpoints, from which an interrupted run goes on; 0 writes one only when the run is told "
        "to stop.",
        neutral=True,
        ge=0,
    )
    precision: Literal["auto", "float32", "bfloat16", "float16"] = key(
        "auto",
        "Number format of the network's body; auto takes bfloat16 where the processor computes with it. The "
        "temperature itself is always float32.",
    )
    compile: bool = key(
        False, "Whether torch.compile builds the network's kernels: worth its minutes in long runs.", neutral=True
    )
    seed: int = key(0, "Seed of every random choice of the training.", ge=0)

    @model_validator(mode="after")
    def _patience_has_validations(self) -> Self:
        if self.patience > 0 and not (self.validate_every > 0 and getattr(self, "validation_share", 1) > 0):
            raise conflict("expected 0 where nothing is validated", "patience")
        return self


class PairedTraining(Training):
    """What every kind of thermalizer is trained with; each adds keys and changes defaults."""

    batch_pairs: int = key(4, "Paired images per step.", unit="images", ge=1)
    batch_sources: int = key(
        4, "Source images (RGB and class map, without a thermal counterpart) per step.", unit="images", ge=1
    )
    image_pixels: int = key(
        160, "Edge of the square crops the network trains on; a multiple of the network's stride.", ge=32
    )
    largest_zoom: float = key(
        1.0, "Finest magnification of a crop, crop pixels per source pixel; the coarsest shows the whole image.", gt=0
    )
    rotation_degrees: float = key(25.0, "Largest rotation of a crop, either way.", ge=0, le=180)
    shear_degrees: float = key(8.0, "Largest shear of a crop, either way.", ge=0, le=60)
    photometric_strength: float = key(
        0.4, "How much colours and light of the crops are varied; 0 not at all, 1 as T-FAKE's training did.", ge=0
    )
    class_dropout: float = key(
        0.0, "Fraction of the source crops that the network sees without their class map.", unit="fraction", ge=0, lt=1
    )
    heat_field: bool = key(
        True,
        "Whether the network takes the heat field of faces with a mesh as an input and renders it; false trains what "
        "RGB and class map alone can tell.",
    )
    field_dropout: float = key(
        0.2,
        "Fraction of the crops that the network sees without their heat field, so that it does without, too.",
        unit="fraction",
        ge=0,
        lt=1,
    )
    validation_share: float = key(
        0.125, "Fraction of the pairs, whole subjects, that is held out to validate on.", ge=0, lt=1
    )
    output_celsius: Range[Celsius] = key([10.0, 45.0], "Lowest and highest temperature that the network can give.")


def check_stride(image_pixels: int, levels: int, named: str) -> None:
    """Hold crops to the stride of a network that halves them so often; ``named`` is the key that says so.

    Raises:
        PydanticCustomError: they are no multiples of it.
    """
    stride = 2**levels
    if image_pixels % stride:
        raise conflict(f"expected a multiple of {stride}, the stride of its {named}", "image_pixels")


class ThermalizerTraining(PairedTraining):
    """How a thermalizer is trained; shared by the conditions. Two minutes on two cores; more is in config/presets."""

    weight_wasserstein: float = key(
        0.1, "Weight of the patch Wasserstein term against the supervised one; 0 leaves it out.", ge=0
    )
    weight_prior: float = key(0.3, "Weight of the temperature prior against the supervised one; 0 leaves it out.", ge=0)
    patch_pixels: int = key(8, "Edge of a Wasserstein patch.", ge=2)
    patch_scales: list[Count] = key([1, 2, 4], "Downsampling factors at which patches are taken.", min_length=1)
    patches: int = key(192, "Patches of each kind, generated and real, at each scale.", unit="patches", ge=2)
    bank_patches: int = key(
        4096, "How many real patches per scale the bank holds, out of which a step draws its own.", unit="patches", ge=2
    )
    sinkhorn_blur_kelvin: float = key(0.3, "Blur of the Sinkhorn divergence.", gt=0)
    encoder: Text = key(
        "tu-regnetx_002",
        'The U-Net\'s encoder, a name of segmentation_models_pytorch ("tu-" and a timm name, or its own).',
    )
    encoder_weights: Literal["imagenet"] | None = key(
        None, "imagenet, or null for random ones (nothing is downloaded)."
    )
    decoder_channels: list[Count] = key(
        [64, 48, 32, 16],
        "Channels of the U-Net's decoder, coarse to fine; their number is its depth.",
        min_length=1,
        max_length=5,
    )
    class_offset: bool = key(True, "Whether the class map, where there is one, shifts what the image alone gives.")

    @model_validator(mode="after")
    def _crops_fit_the_network(self) -> Self:
        check_stride(self.image_pixels, len(self.decoder_channels), "decoder_channels")
        return self
