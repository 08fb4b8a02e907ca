"""Scores of networks that were fine-tuned with few labels, on crops and on annotated sets."""

from collections.abc import Mapping

import numpy as np
import torch

from tfake.labels.conventions import convention, set_of_points
from tfake.landmarks.landmark_network import LandmarkNetwork
from tfake.landmarks.landmarker import ThermalLandmarker
from tfake.landmarks.scoring import Scores, score
from tfake.studies.landmark_methods import landmarker_methods
from tfake.studies.method_scoring import run_methods
from tfake.test_sets.annotated_faces import AnnotatedSet

Crops = tuple[np.ndarray, np.ndarray, np.ndarray]


def score_crops(
    network: LandmarkNetwork, sets: Mapping[str, Crops], failure_above: float, device: torch.device
) -> list[dict[str, float | int | str]]:
    """Score a network on crops of faces.

    Args:
        network: in evaluation mode, on the device.
        sets: name to what :func:`tfake.landmarks.scoring.center_crops` gives.
        failure_above: error over sqrt(w h) above which a face counts as failed.
        device: where it is.

    Returns:
        A row a set: ``set``, ``faces``, ``nme_box``, ``nme_inter_ocular`` and ``failures``, a fraction.
    """
    eyes = convention(set_of_points(network.architecture.landmarks)).outer_eyes
    rows = []
    for name, crops in sets.items():
        found = score(network, crops, device)
        between = np.linalg.norm(crops[1][:, eyes[0]] - crops[1][:, eyes[1]], axis=1)
        rows.append(_row(name, found.errors, _over(found, between), failure_above))
    return rows


def score_annotated(
    weights: str, sets: Mapping[str, AnnotatedSet], failure_above: float, device: str
) -> list[dict[str, float | int | str]]:
    """Score a network on annotated sets, the faces' boxes given; rows as of :func:`score_crops`.

    A face without two eyes, as in profile, has no inter-ocular error, and does not count in its mean.
    """
    rows = []
    for name, annotated in sets.items():
        _, in_boxes = landmarker_methods("finetuned", ThermalLandmarker(weights, device))
        table = run_methods(annotated, [in_boxes], 0.5).face_table()
        rows.append(_row(name, table["nme_box"].to_numpy(), table["nme_inter_ocular"].to_numpy(), failure_above))
    return rows


def _over(found: Scores, lengths: np.ndarray) -> np.ndarray:
    return found.errors * found.size / lengths


def _row(name: str, box: np.ndarray, inter_ocular: np.ndarray, failure_above: float) -> dict[str, float | int | str]:
    known = inter_ocular[np.isfinite(inter_ocular)]
    return {
        "set": name,
        "faces": len(box),
        "nme_box": float(box.mean()),
        "nme_inter_ocular": float(known.mean()) if len(known) else float("nan"),
        "failures": float((box > failure_above).mean()),
    }
