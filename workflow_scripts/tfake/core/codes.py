"""Codes, counts and ids that archives, stores and labels share.

Planning a run imports this module where numpy is not installed.
"""

from collections.abc import Iterable, Iterator
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

LANDMARKS = 70
MESH_POINTS = 478
#: Of networks that find both at once: the 70 points, then the mesh.
BOTH_POINTS = LANDMARKS + MESH_POINTS
ROWS_OF_BOTH = {LANDMARKS: slice(LANDMARKS), MESH_POINTS: slice(LANDMARKS, BOTH_POINTS)}
BLENDSHAPES = 52
#: The archive measures from the image's corner, so that a pixel's centre lies at a half: over 96 eyes of the released
#: images, the centres of the class map's eyes lie .62 +- .07 pixels left of their landmarks'.
PIXEL_CENTRE = 0.5
#: A sample's three members, in the order of :class:`tfake.archive.samples.Sample`'s fields, and how their names end.
MEMBER_SUFFIXES = {"rgb": ".png", "classes": "_seg.png", "landmarks": "_ldmks.txt"}
IMAGE_ID_BYTES = 32


class SampleStatus(IntEnum):
    """What is wrong with a source sample; 0 is good. Stored as uint8 in the faces store's ``status``."""

    OK = 0
    MISSING_MEMBER = 1
    UNREADABLE_MEMBER = 2
    UNDECODABLE_IMAGE = 3
    WRONG_SIZE = 4
    UNKNOWN_CLASS = 5
    WRONG_LANDMARKS = 6


class MeshStatus(IntEnum):
    """Codes of ``landmarks_478_status``. The first three rows have 478 points."""

    OK = 0  # the first attempt agrees best with the exact points, and well enough
    RETRIED = 1  # a later attempt does, where the first left something to wish for
    FITTED = 2  # no attempt does: a face shape fitted to the exact points
    REJECTED = 3  # a mesh was found, disagrees, and nothing stands in for it
    NOT_FOUND = 4  # no mesh was found, and nothing stands in for it
    NO_IMAGE = 5  # the source sample cannot be used


#: The statuses of rows that have 478 points.
LABELLED = (MeshStatus.OK, MeshStatus.RETRIED, MeshStatus.FITTED)


class Attempt(IntEnum):
    """Codes of ``landmarks_478_attempt``: how the image was shown to the backend when it agreed best."""

    GUIDED = 0  # the levelled surroundings of the exact points
    WIDE = 1  # the same with a larger margin
    FULL = 2  # the whole image, all of whose faces are detected
    MIRRORED = 3  # the levelled surroundings, mirrored
    LIFTED = 4  # the levelled surroundings with lifted shadows
    NONE = 5  # no attempt found a mesh


class PointState(IntEnum):
    """Codes of ``landmarks_478_visibility``: whether a point's place on the face can be seen, or what covers it."""

    VISIBLE = 0
    SELF_OCCLUDED = 1  # behind the face itself
    HAIR = 2
    GLASSES = 3
    HEADWEAR = 4
    FACEWEAR = 5
    CLOTHING = 6
    OUTSIDE = 7  # outside the image
    UNKNOWN = 8  # the row has no points


class ExpressionClass(IntEnum):
    """Codes of ``expression`` in stores of sequences."""

    NEUTRAL = 0
    SMILE = 1
    FROWN = 2
    SURPRISE = 3
    TALK = 4
    WINK = 5
    ANGER = 6
    DISGUST = 7
    FEAR = 8
    SADNESS = 9
    PUFF = 10  # cheeks blown up


#: The movements of a face in the order of ``expression_parameters``; right and left are the subject's.
EXPRESSION_PARAMETERS = (
    *("jaw_degrees", "smile", "pucker", "show_teeth", "brow_raise_right", "brow_raise_left", "frown"),
    *("lid_right", "lid_left", "corner_right", "corner_left", "stretch", "cheek_puff", "nose_wrinkle"),
    *("inner_brow", "lip_press"),
)
#: What a body does to its face's temperatures at a moment, in the order of ``body_temperature``.
BODY_TEMPERATURES = (
    *("fever_kelvin", "nose_kelvin", "perfusion", "breath", "pulse_kelvin", "drift_kelvin"),
    *("breaths_per_minute", "beats_per_minute"),
)


class BodyState(IntEnum):
    """Codes of ``state`` in stores of sequences: what a body does to its face's temperatures."""

    REST = 0
    STRESS = 1  # vessels of the nose close
    FEVER = 2  # the core warms
    COLD = 3  # skin that comes in from the cold, and is perfused again


class ApparentSex(IntEnum):
    """Codes of ``apparent_sex``: which shape of face and hair was drawn for a synthetic person."""

    MALE = 0
    FEMALE = 1
    UNKNOWN = 2  # a still that was set in motion: nobody has drawn its shape


class ThermalOrigin(IntEnum):
    """Codes of ``thermal_origin`` in stores of stills that were set in motion."""

    WARPED = 0  # the still's own temperatures, moved
    REPAINTED = 1  # 8 bits of a network, brought to each class's mean in the still: not radiometric


class RetargetStatus(IntEnum):
    """Codes of ``status`` in stores of stills that were set in motion. From ``NO_IMAGE`` on no frame can be used."""

    OK = 0
    FOLDED = 1  # the motion would fold the mesh: the frame repeats the one before
    NO_DRIVER = 2  # the driving film shows no face at this moment: the frame repeats the one before
    NO_IMAGE = 3  # the source sample cannot be used, or the variant has no image of it
    NO_MESH = 4  # the still has no 478 points
    UNFIT = 5  # the still's mesh leaves the picture, or cannot be laid out flat: too much of it is hidden


def subject_name(subject: int) -> str:
    """The id of a person of sequences."""
    return f"s{subject:04d}"


def sequence_name(subject: int, look: int, state: str, expression: str) -> str:
    """The id of a sequence, of at most ``IMAGE_ID_BYTES`` letters."""
    return f"{subject_name(subject)}_l{look:02d}_{state}_{expression}"


def encode_ids(ids: Iterable[str]) -> "np.ndarray":
    """Turn ids into rows of NUL-padded ASCII: (N,) str to (N, 32) uint8."""
    import numpy as np

    return np.array(list(ids), dtype=f"S{IMAGE_ID_BYTES}").view(np.uint8).reshape(-1, IMAGE_ID_BYTES)


def decode_ids(rows: "np.ndarray") -> Iterator[str]:
    """Turn rows of NUL-padded ASCII back into ids: (N, 32) uint8 to N str."""
    return (bytes(row).rstrip(b"\0").decode("ascii") for row in rows)
