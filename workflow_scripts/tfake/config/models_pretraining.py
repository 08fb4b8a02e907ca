"""Keys of the pretraining of encoders."""

from typing import Annotated, Literal

from annotated_types import MinLen

from tfake.config.keys import Name, Positive, Range, Section, Text, key, optional_key, with_default
from tfake.config.models_thermalizers import ThermalValues, Training

PretextName = Literal["rotation", "subject", "five_points", "vicreg", "dense", "masked"]


class UnlabelledPictures(Section):
    """A folder of thermal pictures or films without any labels."""

    path: Text = key(..., "A folder or zip of thermal pictures, stacks and films, of any format that is read.")
    values: ThermalValues = key(..., "What they hold, as for pairs; relative for 8-bit pictures.")
    subjects: Text | None = optional_key(
        "A regular expression whose first group is who is on a picture, by its name; without it each file is one of "
        "its own."
    )


class Pretraining(Training):
    """How the backbone of `landmarks` is pretrained without points, `snakemake pretraining`, at its crops' size."""

    steps: int = with_default(Training, "steps", 1500)
    learning_rate: float = with_default(Training, "learning_rate", 3e-3)
    weight_decay: float = with_default(Training, "weight_decay", 5e-5)
    clip_norm: float = with_default(Training, "clip_norm", 5.0)
    validate_every: int = with_default(Training, "validate_every", 500)
    pretexts: dict[Name, Annotated[dict[PretextName, Positive], MinLen(1)]] = key(
        ...,
        "What encoders learn, by name: pretexts with the weights of their losses. rotation, subject and five_points "
        "are those of Aghaomidi et al. (2023), the last two of which are labels; vicreg, dense and masked need none.",
        min_length=1,
    )
    stores: bool = key(True, "Whether the thermal variants of landmarks.variants are learnt from.")
    folders: dict[Name, UnlabelledPictures] = key(..., "Folders of unlabelled thermal pictures to learn from, by name.")
    folder_share: float = key(
        0.5, "Fraction of the images that are those folders', where there are stores, too.", ge=0, le=1
    )
    validation_share: float = key(
        0.2, "Fraction of each folder's images, by whole subjects, that are held out.", ge=0, lt=1
    )
    batch: int = key(48, "Images per step; each pretext cuts views of its own out of them.", unit="images", ge=2)
    crop_scale: Range[Positive] = key(
        [0.6, 1.6],
        "Least and largest edge of a crop over the longer side of the face's box, or of the person's where no face is "
        "known; crops never leave the picture, and those of five_points hold the box until they are rotated.",
    )
    rotation_degrees: float = key(20.0, "Largest rotation of a crop, either way, but in the pretext rotation.", ge=0)
    thermal_strength: float = key(0.8, "How much crops are varied; 0 not at all, 1 as T-FAKE's training did.", ge=0)
