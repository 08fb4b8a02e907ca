"""The landmark study: each network on faces that nobody trained on, in other rooms and through other cameras.

The networks' scores become one table and what it says of joint training. Pictures that nobody has labelled are searched
as well: counts, and drawings to look at.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import torch

from heads.truth_camera import record
from tfake.archive.samples import read_sample
from tfake.archive.zip_archive import Archive
from tfake.core.classes import FaceClass
from tfake.core.codes import SampleStatus
from tfake.core.radiometry import decode_counts
from tfake.landmarks.inputs import first_picture, list_files
from tfake.landmarks.landmark_network import (
    Calibration,
    LandmarkNetwork,
    calibration_curve,
    calibration_error,
    separation,
)
from tfake.landmarks.landmarker import ThermalLandmarker
from tfake.landmarks.outputs import draw_faces
from tfake.landmarks.scoring import Scores, center_crops, negative_sigma, score, texture_sigma, window_sigma
from tfake.thermalizer.evaluation import read_truth
from tfake.training.training_faces import TrainingFace

#: Seed of textures that no training draws: training's seeds are 63-bit numbers.
_TEXTURE_SEED = 5
_TEXTURES = 400
#: The study's other camera: a low-cost one (facts: NETD 100-150 mK), a quarter of the resolution, gain control.
_NETD_KELVIN, _PATTERN_SCALE, _BLUR_PIXELS, _RESOLUTION = 0.12, 3.0, 4.0, 0.25

#: Longer edge of a kept drawing, which is shown small.
_DRAWING_PIXELS = 480


def read_people(
    archive: str, index: pd.DataFrame, truth: str, pixels: int, ambient_celsius: float, seed: int
) -> list[TrainingFace]:
    """Procedural faces with their thermal truth, as a good camera and as a cheap one recorded it.

    Args:
        archive: their zip.
        index: its index.
        truth: zip of the thermal truth.
        pixels: height and width of the images.
        ambient_celsius: the room.
        seed: of the cheap camera's noise.

    Returns:
        Faces whose variants are ``other_room`` and ``other_camera``.
    """
    records = index[index["status"] == SampleStatus.OK]
    reader, faces = Archive([archive]), []
    known = read_truth(truth, records["image_id"], (pixels, pixels))
    for number, (row, (_, camera)) in enumerate(zip(records.itertuples(), known, strict=True)):
        sample = read_sample(reader, row, pixels)
        celsius = decode_counts(camera)
        variants = {"other_room": celsius, "other_camera": record_cheaply(celsius, ambient_celsius, seed, number)}
        faces.append(
            TrainingFace.of_arrays(
                sample.rgb,
                variants,
                (sample.classes != FaceClass.BACKGROUND).astype(np.uint8),
                sample.landmarks_70,
                np.ones(len(sample.landmarks_70), np.float32),
            )
        )
    return faces


def record_cheaply(celsius: np.ndarray, ambient_celsius: float, seed: int, face: int) -> np.ndarray:
    """A scene as a low-cost camera with gain control records it, its grays mapped to 20 to 40 °C.

    Args:
        celsius: (H, W) float32 °C.
        ambient_celsius: the room.
        seed: of its noise.
        face: number of the face.

    Returns:
        (H, W) float32: 8-bit grays from the scene's coldest to its warmest hundredth, where a landmarker takes 20 and
        40 °C for black and white.
    """
    height, width = celsius.shape
    small = (round(width * _RESOLUTION), round(height * _RESOLUTION))
    recorded = record(celsius, ambient_celsius, seed, face, _BLUR_PIXELS, _NETD_KELVIN, _PATTERN_SCALE)
    recorded = cv2.resize(recorded, small, interpolation=cv2.INTER_AREA)
    low, high = np.percentile(recorded, (1, 99))
    grays = np.round(255 * np.clip((recorded - low) / max(high - low, 1e-3), 0, 1)).astype(np.float32)
    return 20 + 20 / 255 * cv2.resize(grays, (width, height), interpolation=cv2.INTER_LINEAR)


def score_sets(
    network: LandmarkNetwork,
    calibration: Calibration,
    sets: Mapping[str, tuple[Sequence[TrainingFace], str | None]],
    device: torch.device,
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Score a network on sets of faces, on windows beside them, and on textures.

    Args:
        network: in evaluation mode, on the device.
        calibration: its threshold.
        sets: name to faces and the variant that is looked at; None: RGB.
        device: where it is.

    Returns:
        Plain values: by set ``faces``, ``nme`` (sqrt(w h) of the box), ``median``, ``failures`` (fraction above .1),
        ``calibration_error``, ``auroc_textures``, ``auroc_elsewhere``, ``found`` and ``false_elsewhere`` (fractions
        below the threshold), ``curve``; and arrays: each set's errors and mean standard deviations.
    """
    pixels = network.architecture.image_pixels
    textures = texture_sigma(network, _TEXTURES, _TEXTURE_SEED, device)
    rows: dict[str, Any] = {}
    arrays: dict[str, np.ndarray] = {"textures_sigma": textures}
    for name, (faces, variant) in sets.items():
        crops = center_crops(faces, variant, pixels)
        found, sigma = score(network, crops, device), window_sigma(network, crops[0], device)
        negatives = negative_sigma(network, faces, variant, device)
        rows[name] = _summarise(found, sigma, negatives, textures, calibration)
        arrays |= {f"{name}_errors": found.errors, f"{name}_sigma": sigma, f"{name}_elsewhere": negatives}
    return rows, arrays


def _summarise(
    found: Scores, sigma: np.ndarray, negatives: np.ndarray, textures: np.ndarray, calibration: Calibration
) -> dict[str, Any]:
    predicted, measured = calibration_curve(*found.counted)
    return {
        "faces": len(sigma),
        "nme": found.nme,
        "median": float(np.median(found.errors)),
        "failures": float((found.errors > 0.1).mean()),
        "calibration_error": calibration_error(*found.counted),
        "auroc_textures": separation(sigma, textures),
        "auroc_elsewhere": separation(sigma, negatives),
        "found": float((sigma < calibration.threshold).mean()),
        "false_elsewhere": float((negatives < calibration.threshold).mean()),
        "curve": [predicted.tolist(), measured.tolist()],
    }


@dataclass(frozen=True)
class Findings:
    """What became of a folder's pictures.

    Attributes:
        pictures: how many there are.
        searched: how many were searched, spread evenly over the folder.
        unreadable: how many of the chosen ones cannot be read, or taken for temperatures or pixels.
        found: in how many a face was found.
        sigma: median over the found faces of the mean standard deviation, over the window's edge; None without a face.
    """

    pictures: int
    searched: int
    unreadable: int
    found: int
    sigma: float | None


def search_folder(
    landmarker: ThermalLandmarker, folder: str | Path, most: int
) -> tuple[Findings, list[tuple[str, np.ndarray]]]:
    """Search a folder's pictures for their most confident face.

    Args:
        landmarker: the network.
        folder: pictures, as :func:`tfake.landmarks.inputs.list_files` lists them; of films and stacks the first frame.
        most: pictures to search, at most.

    Returns:
        The counts, and label and drawing ((H, W, 3) uint8 RGB) of each picture searched.

    Raises:
        ValueError: there is no picture in the folder.
    """
    files, _ = list_files(folder)
    chosen = np.unique(np.linspace(0, len(files) - 1, min(most, len(files))).astype(int))
    drawn, scores = [], []
    for file in (files[place] for place in chosen):
        try:
            picture = first_picture(file)
            faces = landmarker.process(picture.image, sliding_window=True, mode=picture.mode)
        except ValueError as error:
            logging.warning("%s", error)
            continue
        scores += faces.score.tolist()
        label = file.stem if len(faces) else f"{file.stem}: no face"
        drawn.append((label, _shrink(draw_faces(picture.image, faces, picture.mode)[..., ::-1])))
    sigma = float(np.median(scores)) if scores else None
    return Findings(len(files), len(drawn), len(chosen) - len(drawn), len(scores), sigma), drawn


def _shrink(drawing: np.ndarray) -> np.ndarray:
    factor = _DRAWING_PIXELS / max(drawing.shape[:2])
    return drawing if factor >= 1 else cv2.resize(drawing, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
