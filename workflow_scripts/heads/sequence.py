"""Sequences: one person through time, with exact motion, labels and temperatures.

A person keeps face, complexion and heat whatever they wear: what is worn (the *look*) has streams of random numbers of
its own, and so has what one sequence alone has, motion and scenery. Hair and clothes are built once a sequence.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from heads.expression import Expression
from heads.features import EYE_RADIUS
from heads.performance import Performance, draw_performance, draw_rest
from heads.person import Person, Stream, Wearer, draw_wearer, wear_expression
from heads.picture import Scenery, draw_scenery, paint
from heads.scene import Rendering, label_picture, place
from heads.truth_camera import record
from heads.viewpoint import Viewpoint, view
from tfake.core.codes import ApparentSex, BodyState, ExpressionClass
from tfake.heat.field import heat_field
from tfake.heat.physiology import Physiology, PhysiologyRanges
from tfake.heat.subject import Subject, SubjectState, draw_subject, in_state
from tfake.heat.surface import rendered_surface
from tfake.mesh.raster import SurfaceBuffer

#: People of sequences are numbered from here, so that nobody is in another set of the same seed.
SEQUENCE_FIRST_FACE = 20_000_000
#: Looks a person may have: their number is told from the letters of a stream's name.
MOST_LOOKS = 64
#: The iris's edge about the line of sight, cm (:func:`heads.shading.shade_eye`).
_IRIS_RADIUS = 0.60
#: Middle of the face in the head's frame, cm: what a framing puts into the image's middle.
_FACE_MIDDLE = np.array([[0.0, -1.0, 6.0]])
#: What does not change with what is worn.
_OWN_STREAMS = ("identity", "complexion", "grooming")


@dataclass(frozen=True)
class Clip:
    """What a sequence shows.

    Attributes:
        seed: of all people.
        subject: number of the person.
        look: number of what the person wears.
        expression: the expression that comes and goes.
        body: what the body does.
        frames, frames_per_second: length and rate.
        pixels: side of the images.
        setting: "wild" for any light, dress and background; "lab" for even light before a plain sheet.
        ambient_celsius: temperature of the room.
        tables: the parameters of the temperature model.
        physiology: between which bounds bodies are drawn.
        blur_pixels, netd_kelvin, pattern_scale: the camera (:func:`heads.truth_camera.record`).
    """

    seed: int
    subject: int
    look: int = 0
    expression: ExpressionClass = ExpressionClass.NEUTRAL
    body: BodyState = BodyState.REST
    frames: int = 64
    frames_per_second: float = 16.0
    pixels: int = 256
    setting: str = "wild"
    ambient_celsius: float = 23.0
    tables: str = "measured"
    physiology: PhysiologyRanges = field(default_factory=PhysiologyRanges)
    blur_pixels: float = 1.0
    netd_kelvin: float = 0.05
    pattern_scale: float = 1.0

    @property
    def face(self) -> int:
        """Number of the person among all that are rendered."""
        return SEQUENCE_FIRST_FACE + self.subject


@dataclass(frozen=True)
class SequenceFrame:
    """One frame.

    Attributes:
        rendering: picture, exact points and surface.
        mesh_478: (478, 3) float64 px FaceMesh's vertices and irises, in MediaPipe's order.
        celsius: (H, W) float32 as the camera recorded it.
        expression: what the face does.
        head_degrees: (3,) yaw to the image's right, pitch upwards, roll clockwise.
        position_cm: (3,) of the middle of the face from the camera: right, up, towards the camera.
        state: what the body does to the temperatures.
    """

    rendering: Rendering
    mesh_478: np.ndarray
    celsius: np.ndarray
    expression: Expression
    head_degrees: np.ndarray
    position_cm: np.ndarray
    state: SubjectState


@dataclass(frozen=True)
class Sequence:
    """A sequence that is about to be rendered.

    Attributes:
        clip: what was asked for.
        performance: what the person does.
        physiology: what the body does.
        wearer: who it is, dressed.
        subject: the same person's temperatures.
        scenery: what is around them.
        stream: gives a generator for a named purpose of this sequence.
    """

    clip: Clip
    performance: Performance
    physiology: Physiology
    wearer: Wearer
    subject: Subject
    scenery: Scenery
    stream: Stream

    @property
    def apparent_sex(self) -> ApparentSex:
        """Which shape was drawn."""
        return ApparentSex.FEMALE if self.wearer.traits.femininity > 0.5 else ApparentSex.MALE

    def __len__(self) -> int:
        """How many frames."""
        return self.clip.frames

    def __iter__(self) -> Iterator[SequenceFrame]:
        """The frames in order."""
        return map(self.frame, range(len(self)))

    def frame(self, number: int) -> SequenceFrame:
        """Render a frame; the same whichever others are rendered, and in whatever order."""
        clip, shown = self.clip, self.performance.states[number]
        person, viewpoint = wear_expression(self.wearer, shown.expression), view(shown.framing, clip.pixels)
        light = self.scenery.lighting
        scenery = replace(self.scenery, lighting=replace(light, key=light.key * self.performance.light[number]))
        grain = self.stream(f"grain {number}")
        rgb, surface = paint(person, viewpoint, self.stream, clip.setting == "lab", scenery, grain)
        state = self.physiology.state_at(float(self.performance.seconds[number]))
        return SequenceFrame(
            rendering=label_picture(person, viewpoint, rgb, surface),
            mesh_478=_with_irises(person, viewpoint),
            celsius=self._record(surface, state, number),
            expression=shown.expression,
            head_degrees=np.array(shown.framing.head),
            position_cm=viewpoint.place(_FACE_MIDDLE, np.ones(1))[0],
            state=state,
        )

    def _record(self, surface: SurfaceBuffer, state: SubjectState, number: int) -> np.ndarray:
        """What the thermal camera records of a frame, (H, W) float32 °C."""
        clip = self.clip
        seen = rendered_surface(surface, clip.tables)
        field = heat_field(seen, clip.ambient_celsius, in_state(self.subject, state), clip.tables)
        # One camera records all sequences of a seed: its pattern is theirs, its temporal noise that of a sequence.
        noise_seed = int(self.stream("noise").integers(2**31))
        return record(
            field.celsius,
            clip.ambient_celsius,
            clip.seed,
            noise_seed,
            clip.blur_pixels,
            clip.netd_kelvin,
            clip.pattern_scale,
            frame=number,
        )


def prepare_sequence(clip: Clip) -> Sequence:
    """Draw everything that a sequence's frames have in common.

    Raises:
        ValueError: there is no such setting or look, or no frame, or the rate is not positive.
    """
    if clip.setting not in ("wild", "lab"):
        raise ValueError(f"setting must be 'wild' or 'lab', found {clip.setting!r}")
    if not 0 <= clip.look < MOST_LOOKS:
        raise ValueError(f"a person has the looks 0 to {MOST_LOOKS - 1}; found {clip.look}")
    if clip.frames < 1 or clip.frames_per_second <= 0.0:
        raise ValueError(
            f"a sequence has a frame and a rate; found {clip.frames} frames, {clip.frames_per_second} a second"
        )
    key = [clip.seed, clip.face]

    def worn(name: str) -> np.random.Generator:
        own = [] if name in _OWN_STREAMS else [1 + clip.look]
        return np.random.default_rng([*key, *own, *name.encode()])

    def taken(name: str) -> np.random.Generator:
        # Letters are above all these numbers: no two streams have one key.
        return np.random.default_rng([*key, 1 + clip.look, 1 + clip.expression, 1 + clip.body, *name.encode()])

    lab = clip.setting == "lab"
    wearer = draw_wearer(worn, lab)
    seconds = np.arange(clip.frames) / clip.frames_per_second
    rest = draw_rest(np.random.default_rng([*key, *b"rest"]))
    performance = draw_performance(taken, rest, clip.expression, seconds, clip.setting)
    return Sequence(
        clip=clip,
        performance=performance,
        physiology=clip.physiology.draw(taken("body"), clip.body),
        wearer=wearer,
        subject=draw_subject(clip.seed, clip.face),
        scenery=draw_scenery(taken, clip.pixels, lab),
        stream=taken,
    )


def _with_irises(person: Person, viewpoint: Viewpoint) -> np.ndarray:
    """FaceMesh's vertices and, behind them, MediaPipe's irises: centre, then the edge at +x, +y, -x, -y; (478, 3) px.

    Depths are from the middle of the 468 vertices, so that they are those of :class:`heads.scene.Rendering`.
    """
    aside = np.cross((0.0, 1.0, 0.0), person.gaze)
    aside /= np.linalg.norm(aside)
    upward = np.cross(person.gaze, aside)
    angle = _IRIS_RADIUS / EYE_RADIUS
    edge = [np.cos(angle) * person.gaze + np.sin(angle) * way for way in (aside, upward, -aside, -upward)]
    # The pupils of the 70 are on the eyeball, along the line of sight.
    centres = person.landmarks[68:] - EYE_RADIUS * person.gaze
    irises = np.concatenate([centre + EYE_RADIUS * np.array([person.gaze, *edge]) for centre in centres])
    return place(np.concatenate([person.mesh, irises]), viewpoint, middle=len(person.mesh))
