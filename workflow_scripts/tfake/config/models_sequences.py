"""Keys of the sequences of procedural people, `snakemake sequences`, and of the tasks on them."""

from typing import Annotated, Literal

from annotated_types import Ge, Le, MinLen

from tfake.config.keys import Celsius, Count, Natural, Positive, Range, Section, Text, Unique, key

Expression = Literal[
    "neutral", "smile", "frown", "surprise", "talk", "wink", "anger", "disgust", "fear", "sadness", "puff"
]
State = Literal["rest", "stress", "fever", "cold"]
Format = Literal["video", "mot", "coco"]
_Rate = Annotated[float, Ge(1), Le(300)]
_Depth = Annotated[float, Ge(0), Le(5)]
#: A pulse of more than this is not seen on skin.
_Pulse = Annotated[float, Ge(0), Le(0.05)]
_Drift = Annotated[float, Ge(-5), Le(5)]


class Physiology(Section):
    """Between which bounds the bodies of sequences are drawn, and what slow changes reach in the end."""

    breaths_per_minute: Range[_Rate] = key([12.0, 20.0], "Rate of breathing, lowest and highest.", unit="breaths/min")
    breath_depth: Range[_Depth] = key(
        [0.7, 1.4], "Swing of the breath at nostrils and mouth; 1 is that of one at rest.", unit="1"
    )
    beats_per_minute: Range[_Rate] = key([55.0, 95.0], "Rate of the heart, lowest and highest.", unit="beats/min")
    pulse_kelvin: Range[_Pulse] = key([0.01, 0.04], "Amplitude of the pulse on skin in a room of 20 °C.")
    drift_kelvin_per_minute: Range[_Drift] = key([-0.05, 0.05], "Slow drift of the skin.", unit="K/min")
    nose_cooling_kelvin: float = key(1.5, "By how much stress cools the nose in the end.", ge=0, le=10)
    fever_kelvin: float = key(1.5, "By how much fever warms the core in the end.", ge=0, le=5)
    cold_kelvin: float = key(4.0, "How much too cold the nose of somebody is who comes in from the cold.", ge=0, le=15)


class Sequences(Section):
    """Sequences of procedural people, `snakemake sequences`: every person in every look, state and expression."""

    seed: Natural = key(1, "Seed of the people and of all that they do.")
    subjects: int = key(8, "How many people.", unit="people", ge=1, le=9999)
    looks: int = key(1, "How many looks - hair, glasses, hats, clothes - each person has.", unit="looks", ge=1, le=64)
    expressions: Annotated[Unique[Expression], MinLen(1)] = key(
        ["neutral", "smile", "surprise", "talk"], "The expressions, one a sequence."
    )
    states: Annotated[Unique[State], MinLen(1)] = key(
        ["rest"], "What bodies do to the temperatures: a state a sequence, in which stress, fever or cold is under way."
    )
    frames: int = key(64, "Frames of a sequence, which is a shard.", unit="frames", ge=1, le=100_000)
    frames_per_second: Positive = key(16.0, "Rate of the frames.", unit="frames/s")
    image_pixels: int = key(256, "Height and width of the frames.", ge=64)
    setting: Literal["wild", "lab"] = key(
        "wild",
        "wild: any light, dress and background; lab: even light before a plain sheet, and nothing over the face.",
    )
    ambient_celsius: Celsius = key(23.0, "Temperature of the room.")
    tables: Literal["measured", "charlotte"] = key("measured", "Parameters of the temperature model, as heat.tables.")
    physiology: Physiology
    blur_pixels: float = key(
        1.0, "Standard deviation of the optics' Gaussian point spread, in pixels of an image 512 wide.", ge=0, le=100
    )
    netd_kelvin: float = key(0.05, "Standard deviation of the temporal noise, drawn anew in every frame.", ge=0, le=100)
    pattern_scale: float = key(1.0, "Factor on the fixed pattern, the same in every frame.", unit="1", ge=0, le=100)
    formats: Unique[Format] = key(
        ["video", "mot", "coco"],
        "Exports: 16-bit FFV1 films with previews and labels; MOT challenge folders; COCO keypoints by frame.",
    )
    page_sequences: int = key(32, "Sequences that the page shows, spread evenly.", unit="sequences", ge=1)


class SequenceTasks(Section):
    """What a landmarker does on the sequences, `snakemake sequence_tasks`."""

    weights: Text = key("package", "A file of landmark weights; package is the landmarker that comes with the library.")
    scenes: int = key(
        12, "Scenes in which several people pass in front of one another; with one person there are none.", ge=0
    )
    scene_people: int = key(3, "How many people a scene has; as many as there are, where there are fewer.", ge=2, le=8)
    scene_seconds: Positive = key(4.0, "Time of one walk, and of a scene, at most that of a sequence.", unit="s")
    seed: Natural = key(0, "Who meets whom and how, and whom the intervals draw.")
    interval_draws: Count = key(2000, "How often people are drawn for a confidence interval.")
