"""A detector's training job: from stores, archive and settings to a detector's files."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial

import numpy as np
import torch

from tfake.core.codes import LANDMARKS
from tfake.core.files import write_whole
from tfake.detector.detector_file import save_detector, save_detector_provenance
from tfake.detector.detector_network import NetworkMaps
from tfake.detector.detector_settings import DetectorSettings
from tfake.detector.detector_training import SceneSampler, TrainedDetector, train_detector
from tfake.detector.face_detector import find_faces
from tfake.landmarks.landmark_job import StoredFaces, open_faces
from tfake.landmarks.landmarker_file import load_landmark_weights
from tfake.landmarks.real_faces import load_real_faces
from tfake.store.manifest import file_sha256
from tfake.training.curves import LossCurve, plot_image_grids, plot_loss_terms
from tfake.training.distributed import rank_zero_only
from tfake.training.rng import RngStream
from tfake.training.training_faces import TrainingFace, TrainingFaces
from tfake.training.training_job import TrainingJob
from tfake.training.weights_file import run_digest

_CURVES = {
    "total": LossCurve("total", "#0f172a"),
    "centres": LossCurve("centres, focal loss a face"),
    "boxes": LossCurve("boxes, error a face"),
    "points": LossCurve("points, error a face"),
}
_DRAWN = 24
_FOUND_COLOUR = (249, 115, 22)


@dataclass(frozen=True, kw_only=True)
class DetectorJob(TrainingJob):
    """Everything a job reads, writes and is told, beside what every training does.

    Attributes:
        weights: the weights to write.
        sample_figure: the PNG of scenes of held-out people with what was found in them to write.
        stored: what to make scenes from; its 70 points.
        sums: the stores' checksum lists: what the run is told apart by.
        real: files of real faces (:mod:`tfake.landmarks.real_faces`), by name of their folder.
        start: weights of a landmark network whose backbone the detector's begins with; None: it begins at random.
    """

    weights: str
    sample_figure: str
    stored: StoredFaces
    sums: Sequence[str]
    real: Mapping[str, str] = field(default_factory=dict)
    start: str | None = None


def run_detector_job(job: DetectorJob) -> None:
    """Train and write; of a group of processes the first one writes.

    Raises:
        ValueError: a setting or a store that cannot be used; the message names it.
        FloatingPointError: the loss is not finite any more.
        TrainingStoppedError: SIGTERM came; the checkpoint is written and the same job goes on from it.
    """
    prepared = job.prepare()
    settings = DetectorSettings.from_mapping(job.settings)
    faces, held_out = (open_faces(job.stored, part) for part in ("train", "validation"))
    real = [face.to_learn_from(LANDMARKS) for path in job.real.values() for face in load_real_faces(path)]
    logging.info("%d people to make scenes of, %d to validate on; %d real faces", len(faces), len(held_out), len(real))
    backbone = None if job.start is None else load_landmark_weights(job.start)[0].body.backbone.state_dict()
    keys = ("batch", "scene_pixels")
    with job.controlled(prepared, settings, partial(_digest, job), keys, "detector") as (chosen, control):
        trained = train_detector(chosen, faces, held_out, control, real, backbone)
        with rank_zero_only() as writes:
            if writes:
                _write_products(job, settings, trained, (len(faces), len(real)), held_out, control.device)


def _write_products(
    job: DetectorJob,
    settings: DetectorSettings,
    trained: TrainedDetector,
    counts: tuple[int, int],
    held_out: TrainingFaces,
    device: torch.device,
) -> None:
    logging.info("average precision on scenes of held-out people: %.4f", trained.average_precision)
    title = f"detector, {len(trained.losses)} steps"
    write_whole(job.losses, lambda part: trained.losses.to_csv(part, index=False, float_format="%.6g"))
    write_whole(job.loss_figure, lambda part: plot_loss_terms(part, trained.losses, _CURVES, title))
    scenes = _draw_found(trained, held_out, settings, device)
    write_whole(job.sample_figure, lambda part: plot_image_grids(part, {"held-out people": scenes}, title))
    digest = save_detector(job.weights, trained.network, trained.calibration)
    save_detector_provenance(
        job.provenance,
        weights_sha256=digest,
        architecture=asdict(trained.network.architecture),
        settings=settings.as_mapping(),
        calibration=asdict(trained.calibration),
        average_precision=trained.average_precision,
        precision=trained.precision,
        variants=list(job.stored.variants),
        faces=counts[0],
        validation_faces=len(held_out),
        real={"folders": list(job.real), "faces": counts[1]},
        sources=[file_sha256(path) for path in (*job.sums, *job.real.values(), *filter(None, [job.start]))],
        device=device.type,
        threads=torch.get_num_threads(),
    )


def _draw_found(
    trained: TrainedDetector, held_out: Sequence[TrainingFace], settings: DetectorSettings, device: torch.device
) -> list[tuple[str, np.ndarray]]:
    """Scenes of held-out people with the boxes that are faces by more than a half, and how many there are to find."""
    sampler = SceneSampler(held_out, settings, stream=RngStream.HELD_OUT_SCENES)
    maps = NetworkMaps(trained.network, device)
    least, drawn, step = trained.calibration.logit_of(0.5), [], 0
    while len(drawn) < _DRAWN:
        for scene in sampler.scenes(step):
            image = scene.image if scene.image.ndim == 3 else np.rint(255 * scene.image[..., None]).astype(np.uint8)
            picture = np.repeat(image, 4 - image.ndim if image.shape[2] == 3 else 3, axis=2)
            found = find_faces(maps, picture.astype(np.float32) / 255, least)
            drawn.append((f"{len(found)} of {len(scene.faces)}", _frame(picture, found.boxes)))
        step += 1
    return drawn[:_DRAWN]


def _frame(picture: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8 with the outlines of boxes, as far as they are in it."""
    framed, last = picture.copy(), np.array(picture.shape[1::-1]) - 1
    for left, top, right, bottom in np.clip(np.rint(boxes).reshape(-1, 2), 0, last).astype(int).reshape(-1, 4):
        framed[[top, bottom], left : right + 1] = _FOUND_COLOUR
        framed[top : bottom + 1, [left, right]] = _FOUND_COLOUR
    return framed


def _digest(job: DetectorJob, settings: DetectorSettings) -> str:
    """Stands for everything the weights depend on, given the number format; where files lie is none of it."""
    sums = [file_sha256(path) for path in (*job.sums, *job.real.values(), *filter(None, [job.start]))]
    return run_digest(settings, sums, list(job.stored.variants))
