"""Keys of the face detector."""

from tfake.config.keys import key, with_default
from tfake.config.models_thermalizers import Training


class DetectorTraining(Training):
    """How the face detector is trained, `snakemake detector`, from the people and the real pictures of `landmarks`."""

    steps: int = with_default(Training, "steps", 2200)
    learning_rate: float = with_default(Training, "learning_rate", 3e-3)
    weight_decay: float = with_default(Training, "weight_decay", 5e-5)
    clip_norm: float = with_default(Training, "clip_norm", 5.0)
    ema_decay: float = with_default(Training, "ema_decay", 0.995)
    validate_every: int = with_default(Training, "validate_every", 500)
    backbone: str = key("regnetx_002", "Name of a timm model; it is cut off at a sixteenth of the resolution.")
    from_landmarks: bool = key(
        True,
        "Whether it begins with the weights that the backbone of the landmark network joint_548 has learnt, which must "
        "be the same; it then needs a fraction of the steps.",
    )
    channels: int = key(40, "Channels behind the backbone.", ge=1)
    search_pixels: int = key(
        288, "Edge of a square of the area that a picture is brought to before it is searched.", ge=64
    )
    batch: int = key(16, "Scenes per step.", unit="images", ge=1)
    scene_pixels: int = key(
        176, "Edge of a square of a scene's area; scenes are up to a third larger or smaller.", ge=64
    )
    least_face_pixels: float = key(12.0, "Size, sqrt(w h) of the points' box, of the smallest face of a scene.", ge=4)
    most_people: int = key(8, "People of a scene, at most.", unit="people", ge=1)
    empty_share: float = key(0.25, "Fraction of the scenes without any person.", ge=0, lt=1)
    rgb_share: float = key(0.2, "Fraction of the scenes in visible light.", ge=0, lt=1)
    real_share: float = key(
        0.25,
        "Fraction of the thermal scenes with people that hold a real picture, where landmarks.real names some.",
        ge=0,
        lt=1,
    )
    objects: float = key(
        2.5, "Mean number of lamps, kettles, hands, animals and other things of a thermal scene.", unit="things", ge=0
    )
    thermal_strength: float = key(0.8, "How much the display of thermal scenes is varied, as for landmarks.", ge=0)
    photometric_strength: float = key(0.4, "How much colours and light are varied, as for landmarks.", ge=0)
    real_world_strength: float = key(1.0, "How often displays saturate, invert, or draw digits; 0 never.", ge=0)
