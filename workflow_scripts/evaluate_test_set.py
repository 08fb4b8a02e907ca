"""Score landmarkers and baselines on one annotated test set."""

import json
import logging
import os
from collections.abc import Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from tqdm import tqdm

from tfake.devices import limit_threads
from tfake.evaluation_sets.account import Account
from tfake.evaluation_sets.catalogue import KINDS, missing_message
from tfake.evaluation_sets.faces import EvaluationSet
from tfake.evaluation_sets.variants import open_variant
from tfake.labels.facemesh import FaceMesh
from tfake.landmarks.adaptation.training import AdapterSettings
from tfake.landmarks.evaluation.cross_fitting import cross_fitted_errors
from tfake.landmarks.evaluation.methods import (
    Method,
    facemesh_method,
    landmarker_methods,
    mean_face_method,
)
from tfake.landmarks.evaluation.scoring import Answers, ask_methods, with_adapted_points
from tfake.landmarks.evaluation.summary import finite, summarise
from tfake.landmarks.landmarker import ThermalLandmarker
from tfake.landmarks.search import SearchSettings

_VARIANT_KINDS = {"variant_70": "70", "variant_478": "478"}
#: FaceMesh's own defaults.
_CONFIDENCE = 0.5


def evaluate_test_set(
    scores: str,
    faces: str,
    account: str,
    name: str,
    kind: str,
    path: str | None,
    results: str,
    landmarkers: Mapping[str, str],
    facemesh: bool,
    adapt: bool,
    most_images: int | None,
    smallest_share: float,
    least_overlap: float,
    failure_above: float,
    high_above_pixels: float | None,
    device: str,
    threads: int,
) -> None:
    """Write a test set's scores, or what to get where it is not there.

    Args:
        scores: the JSON to write: the account's summary and every method's figures, or ``missing`` with a message.
        faces: the CSV to write: a row a method and face.
        account: the CSV to write: a row a fault of the set's rows.
        name: of the set in the config.
        kind: a key of :data:`tfake.evaluation_sets.catalogue.KINDS`, ``variant_70`` or ``variant_478``.
        path: folder or zip of the set, or the variant's name; None where there is none.
        results: the folder that holds ``faces`` and ``variants``.
        landmarkers: name to weights.
        facemesh: whether MediaPipe's FaceMesh is compared.
        adapt: whether label adapters are fitted, half of the subjects for the other half.
        most_images: images at most, spread evenly; None: all.
        smallest_share: edge of the smallest windows searched, over the image's shorter edge.
        least_overlap: intersection over union from which a face counts as found.
        failure_above: error above which a face counts as failed.
        high_above_pixels: face size above which it counts as High; None: the set's median.
        device: ``auto``, ``cpu`` or ``cuda``.
        threads: CPU threads.
    """
    limit_threads(threads)
    answers, summary = Answers(), {"set": name, "kind": kind, "missing": None, "account": None, "methods": {}}
    book = Account()
    if kind in KINDS and (path is None or not Path(path).exists()):
        summary["missing"] = missing_message(name, kind, path)
        logging.warning("%s", summary["missing"])
        table = answers.face_table()
    else:
        test_set = _open(kind, path, results)
        book = test_set.account
        with ExitStack() as stack:
            asked = _methods(landmarkers, device, smallest_share)
            methods = [*asked, mean_face_method()]
            if facemesh:
                methods.append(facemesh_method(stack.enter_context(FaceMesh(_CONFIDENCE, _CONFIDENCE))))
            progress = partial(tqdm, desc=name)
            answers = ask_methods(test_set, methods, least_overlap, most_images, progress)
        table = answers.face_table()
        if adapt:
            table = with_adapted_points(
                table, cross_fitted_errors(answers, test_set.faces, asked, AdapterSettings(jitter=0.0))
            )
        summary["methods"] = summarise(table, answers.detection_table(), failure_above, high_above_pixels)
        summary["account"] = book.summary()
        logging.info("%s: %s", name, summary["account"])
    table.to_csv(f"{faces}.part", index=False, float_format="%.6g")
    os.replace(f"{faces}.part", faces)
    book.save(account)
    Path(f"{scores}.part").write_text(json.dumps(finite(summary), indent=1) + "\n", encoding="utf-8")
    os.replace(f"{scores}.part", scores)


def _open(kind: str, path: str, results: str) -> EvaluationSet:
    return open_variant(results, path, _VARIANT_KINDS[kind]) if kind in _VARIANT_KINDS else KINDS[kind].open(path)


def _methods(landmarkers: Mapping[str, str], device: str, smallest_share: float) -> list[Method]:
    search = SearchSettings(smallest_share=smallest_share)
    loaded = {name: ThermalLandmarker(weights, device, search=search) for name, weights in landmarkers.items()}
    return [method for name, landmarker in loaded.items() for method in landmarker_methods(name, landmarker)]


if __name__ == "__main__":
    from tfake.runlog import start_log

    start_log(snakemake.log[0])
    evaluate_test_set(
        scores=snakemake.output.scores,
        faces=snakemake.output.faces,
        account=snakemake.output.account,
        name=snakemake.wildcards.testset,
        kind=snakemake.params.kind,
        path=snakemake.params.path,
        results="results",
        landmarkers=snakemake.params.landmarkers,
        facemesh=snakemake.params.facemesh,
        adapt=snakemake.params.adapt,
        most_images=snakemake.params.most_images,
        smallest_share=snakemake.params.smallest_share,
        least_overlap=snakemake.params.least_overlap,
        failure_above=snakemake.params.failure_above,
        high_above_pixels=snakemake.params.high_above_pixels,
        device=snakemake.params.device,
        threads=snakemake.threads,
    )
