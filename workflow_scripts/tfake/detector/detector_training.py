"""Training a detector: batches of scenes, its loss, how it is validated, and how its scores become probabilities."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from scipy.optimize import minimize
from torch import Tensor, nn

from tfake.detector.detector_network import DetectorNetwork
from tfake.detector.detector_settings import DetectorSettings
from tfake.detector.detector_targets import detection_loss, encode_faces
from tfake.detector.face_detector import OVERLAP, ScoreCalibration
from tfake.detector.face_maps import DetectedFaces, decode_faces, suppress
from tfake.detector.scene_people import PastedFace
from tfake.detector.scenes import Scene, SceneMaker
from tfake.detector.views import round_edge
from tfake.imaging.crops import box_iou
from tfake.training.distributed import shard_of_batch
from tfake.training.loading import CACHE_BYTES, TensorBatch
from tfake.training.loop import RunControl, TrainState, reproducible, run_steps
from tfake.training.rng import SINGLE_PROCESS, ProcessShard, RngStream, derive_seed
from tfake.training.training_faces import FaceCache, TrainingFace
from tfake.training.training_settings import autocast_body, resolve_precision

#: Scenes of a validation, and of the calibration after the training.
VALIDATION_SCENES, CALIBRATION_SCENES = 96, 600
# A box that shares this much with a face's has found it.
_IOU = 0.4
# Logits below this are not even counted as wrong.
_LEAST_LOGIT = -4.0
_MOST_PEAKS = 100
# Edges of the faces that are kept in memory, and width over height of scenes.
_FACE_PIXELS, _ASPECTS = 512, (4 / 3, 1.0, 3 / 4)


@dataclass(frozen=True)
class SceneBatch(TensorBatch):
    """Scenes of a step, all of one size: those in colour first, then those without."""

    colour: Tensor  # (C, 3, H, W) uint8
    gray: Tensor  # (G, 1, H, W) float16 in 0..1
    heat: Tensor  # (C + G, h, w) float32, and the others of encode_faces
    counts: Tensor
    values: Tensor
    weights: Tensor

    @property
    def images(self) -> Tensor:
        """(C + G, 3, H, W) float32 in 0..1, made on the batch's device."""
        return torch.cat((self.colour.float() / 255, self.gray.float().expand(-1, 3, -1, -1)))


class SceneSampler:
    """Batches of scenes."""

    def __init__(
        self,
        faces: Sequence[TrainingFace],
        settings: DetectorSettings,
        shard: ProcessShard = SINGLE_PROCESS,
        real: Sequence[TrainingFace] = (),
        stream: RngStream = RngStream.SCENES,
    ) -> None:
        """Keep people and settings; ``stream`` tells training from validation."""
        self._maker = SceneMaker(FaceCache(faces, 1.0, _FACE_PIXELS, CACHE_BYTES), settings, real)
        self._settings, self._shard, self._stream = settings, shard, stream

    def scenes(self, step: int) -> list[Scene]:
        """The scenes of a step that this process makes, all of one size."""
        settings = self._settings
        shape = draw_shape(settings, self._stream, step)
        places = range(self._shard.rank, settings.batch, self._shard.world_size)
        return [
            self._maker.draw(np.random.default_rng([settings.seed, self._stream, step, place]), shape)
            for place in places
        ]

    def batch(self, step: int) -> SceneBatch:
        """The same as tensors, with what the network is to answer."""
        return batch_scenes(self.scenes(step))


def draw_shape(settings: DetectorSettings, stream: RngStream, step: int) -> tuple[int, int]:
    """(H, W) of the scenes of a step."""
    rng = np.random.default_rng([settings.seed, stream, step])
    edge = settings.scene_pixels * rng.uniform(3 / 4, 4 / 3)
    aspect = np.sqrt(_ASPECTS[rng.integers(len(_ASPECTS))])
    return round_edge(edge / aspect), round_edge(edge * aspect)


def batch_scenes(scenes: Sequence[Scene]) -> SceneBatch:
    """Scenes of one size as tensors, with what the network is to answer."""
    scenes = sorted(scenes, key=lambda scene: scene.image.ndim, reverse=True)
    shape = scenes[0].image.shape[:2]
    colour = np.array([scene.image for scene in scenes if scene.image.ndim == 3], np.uint8).reshape(-1, *shape, 3)
    gray = np.array([scene.image for scene in scenes if scene.image.ndim == 2], np.float16).reshape(-1, *shape)
    maps = [encode_faces(scene.faces, scene.unsure, shape) for scene in scenes]
    return SceneBatch(
        torch.from_numpy(colour).permute(0, 3, 1, 2),
        torch.from_numpy(gray)[:, None],
        *(torch.from_numpy(np.stack(parts)) for parts in zip(*maps, strict=True)),
    )


class DetectorTrainState(TrainState):
    """A detector in training.

    Terms: the loss; the focal loss of centres; the errors of boxes and of points. The validation error is 1 - the
    average precision on scenes of other people.
    """

    term_names = ("total", "centres", "boxes", "points")
    _settings: DetectorSettings

    def __init__(
        self,
        settings: DetectorSettings,
        precision: str,
        device: torch.device,
        backbone: Mapping[str, Tensor] | None = None,
    ) -> None:
        """Start at step 0; random weights come from torch's global generator."""
        network = DetectorNetwork(settings.architecture)
        if backbone is not None:
            network.start_from(backbone)
        network.to(device).train()
        super().__init__(settings, network, precision, device)

    def compute(self, step: int, batch: SceneBatch) -> tuple[Tensor, ...]:
        """The loss terms of a step."""
        answer = self._forward(batch.images, autocast_body(self._precision, self._device))
        terms = detection_loss(answer, batch.heat, batch.counts, batch.values, batch.weights)
        return terms[0] + terms[1] + terms[2], *(term.detach() for term in terms)


@dataclass(frozen=True)
class TrainedDetector:
    """A finished run.

    Attributes:
        network: the network, in evaluation mode.
        calibration: how its logits become probabilities.
        losses: one row a step with the columns ``DetectorTrainState.columns``.
        precision: the number format that the body was trained in.
        average_precision: on scenes of held-out people.
    """

    network: DetectorNetwork
    calibration: ScoreCalibration
    losses: pd.DataFrame
    precision: str
    average_precision: float


def train_detector(
    settings: DetectorSettings,
    faces: Sequence[TrainingFace],
    held_out: Sequence[TrainingFace],
    control: RunControl,
    real: Sequence[TrainingFace] = (),
    backbone: Mapping[str, Tensor] | None = None,
) -> TrainedDetector:
    """Train a detector; on one machine and thread count the result depends on settings and faces alone.

    Args:
        settings: every number of the run.
        faces: people with 70 points, to make scenes from.
        held_out: other people, to validate and to calibrate on.
        control: where it computes, and how it is stopped and goes on.
        real: real faces in thermal pictures, with 70 points.
        backbone: weights of the same backbone that learnt something else (:meth:`DetectorNetwork.start_from`).

    Raises:
        ValueError: there are no faces on either side, weights do not fit, a batch cannot be split evenly, or values are
            unknown.
        FloatingPointError: the loss is not finite any more.
        TrainingStoppedError: the control's ``is_stopping`` said yes.
    """
    device = control.device
    precision, shard = resolve_precision(settings.precision, device), shard_of_batch(settings.batch)
    if not len(held_out):
        raise ValueError("there are no faces to validate on: a split of so few images has an empty part")
    sampler = SceneSampler(faces, settings, shard, real)
    held = SceneSampler(held_out, settings, stream=RngStream.HELD_OUT_SCENES)

    def measure(network: nn.Module) -> float:
        was_training = network.training
        network.eval()
        logits, is_right, faces_in = score_scenes(network, held, VALIDATION_SCENES, device)
        network.train(was_training)
        return 1 - average_precision(logits, is_right, faces_in)

    with reproducible(derive_seed(settings.seed, RngStream.NETWORK), device):
        run = DetectorTrainState(settings, precision, device, backbone)
        losses = run_steps(
            run,
            settings,
            lambda step: (sampler.batch(step),),
            measure if settings.validate_every else None,
            control,
            "train detector",
        )
        network = run.finish()
    logits, is_right, faces_in = score_scenes(network, held, CALIBRATION_SCENES, device)
    precision_reached = average_precision(logits, is_right, faces_in)
    return TrainedDetector(network, fit_calibration(logits, is_right), losses, precision, precision_reached)


@torch.inference_mode()
def score_scenes(
    network: nn.Module, sampler: SceneSampler, count: int, device: torch.device
) -> tuple[np.ndarray, np.ndarray, int]:
    """What a detector finds in the first scenes of a sampler.

    Returns:
        (D,) logits of what was found, (D,) bool whether it is a face, and the number of faces to find. What covers a
        face that may be missed is not counted.
    """
    logits: list[float] = []
    is_right: list[bool] = []
    faces, seen, step = 0, 0, 0
    while seen < count:
        scenes = sampler.scenes(step)
        for scene in scenes:
            image = scene.image.astype(np.float32) / 255 if scene.image.ndim == 3 else scene.image[..., None]
            tensor = torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1))).expand(3, -1, -1)[None]
            maps = network(tensor.to(device))[0].cpu().numpy()
            found = suppress(decode_faces(maps, _LEAST_LOGIT, _MOST_PEAKS), OVERLAP)
            for logit, right in judge(found, scene.faces, scene.unsure):
                logits.append(logit)
                is_right.append(right)
            faces += len(scene.faces)
        seen, step = seen + len(scenes), step + 1
    return np.array(logits, np.float32), np.array(is_right, bool), faces


def judge(found: DetectedFaces, faces: Sequence[PastedFace], unsure: Sequence[PastedFace]) -> list[tuple[float, bool]]:
    """Logit of each that was found, and whether it is a face that no surer one has found; those unsure are left out."""
    left = list(range(len(faces)))
    judged = []
    for box, logit in zip(found.boxes.tolist(), found.logits.tolist(), strict=True):
        best = max(left, key=lambda place: box_iou(box, faces[place].box), default=None)
        if best is not None and box_iou(box, faces[best].box) >= _IOU:
            left.remove(best)
            judged.append((logit, True))
        elif not any(box_iou(box, face.box) >= _IOU for face in unsure):
            judged.append((logit, False))
    return judged


def average_precision(logits: np.ndarray, is_right: np.ndarray, faces: int) -> float:
    """Area under precision against recall, the precision at a recall being the best at that or any larger one."""
    if not faces:
        return 0.0
    ordered = is_right[np.argsort(-logits, kind="stable")]
    precision = np.cumsum(ordered) / np.arange(1, len(ordered) + 1)
    best = np.maximum.accumulate(precision[::-1])[::-1]
    return float(best[ordered].sum() / faces)


def fit_calibration(logits: np.ndarray, is_right: np.ndarray) -> ScoreCalibration:
    """Platt's scaling with his targets, which keep it finite where all of one kind is on one side."""
    right, wrong = int(is_right.sum()), int((~is_right).sum())
    if not right or not wrong:
        return ScoreCalibration()
    target = np.where(is_right, (right + 1) / (right + 2), 1 / (wrong + 2))

    def loss(values: np.ndarray) -> float:
        scaled = values[0] * logits.astype(np.float64) + values[1]
        return float((np.logaddexp(0, scaled) - target * scaled).mean())

    slope, offset = minimize(loss, (1.0, 0.0), method="Nelder-Mead").x
    # A slope that is not positive would turn the order round: scores that say nothing are left as they are.
    return ScoreCalibration(float(slope), float(offset)) if slope > 0 else ScoreCalibration()
