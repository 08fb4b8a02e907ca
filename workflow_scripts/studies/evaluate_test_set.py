"""Score landmarkers and baselines on one annotated test set."""

import json
import logging
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from tfake.core.files import write_text_whole, write_whole
from tfake.studies.landmark_errors import FACE_COLUMNS, finite, summarise
from tfake.test_sets.catalogue import KINDS, missing_message
from tfake.test_sets.read_log import ReadLog


def evaluate_test_set(
    scores: str,
    faces: str,
    read_log: str,
    name: str,
    kind: str,
    path: str | None,
    results: str,
    landmarkers: Mapping[str, str],
    facemesh: bool,
    adapt: bool,
    most_images: int | None,
    min_window_fraction: float,
    iou_threshold: float,
    failure_above: float,
    high_above_pixels: float | None,
    device: str,
    threads: int,
    values: str | Mapping = "celsius",
) -> None:
    """Write a test set's scores, or what to get where it is not there.

    Args:
        scores: the JSON to write: what became of the rows and every method's figures, or ``missing`` with a message.
        faces: the CSV to write: a row a method and face.
        read_log: the CSV to write: a row a fault of the set's rows.
        name: of the set in the config.
        kind: a key of :data:`tfake.test_sets.catalogue.KINDS`.
        path: folder or zip of the set, or the variant's name; None where there is none.
        results: the folder that holds ``faces`` and ``variants``.
        landmarkers: name to weights.
        facemesh: whether MediaPipe's FaceMesh is compared.
        adapt: whether label adapters are fitted, half of the subjects for the other half.
        most_images: images at most, spread evenly; None: all.
        min_window_fraction: edge of the smallest windows searched, over the image's shorter edge.
        iou_threshold: intersection over union from which a face counts as found.
        failure_above: error above which a face counts as failed.
        high_above_pixels: face size above which it counts as High; None: the set's median.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        threads: CPU threads.
        values: what the set's images of more than 8 bits hold, as :func:`tfake.thermal_io.scales.parse_scale` reads it.

    Raises:
        ValueError: the set cannot be read, or its images are not what was declared.
    """
    summary = {"set": name, "kind": kind, "missing": None, "account": None, "methods": {}}
    if KINDS[kind].is_variant and path is not None:
        path = f"{results}/variants/{path}"
    if path is None or not Path(path).exists():
        summary["missing"] = missing_message(name, kind, path)
        logging.warning("%s", summary["missing"])
        log, table = ReadLog(), pd.DataFrame(columns=list(FACE_COLUMNS))
    else:
        # Imported here: a set that is not there needs no networks.
        from tfake.studies.landmark_methods import BASELINES
        from tfake.studies.method_scoring import score_set

        test_set = KINDS[kind].load(path, values)
        log = test_set.read_log
        table, detections = score_set(
            test_set,
            landmarkers,
            [baseline for baseline in BASELINES if facemesh or baseline != "facemesh"],
            adapt=adapt,
            most_images=most_images,
            min_window_fraction=min_window_fraction,
            iou_threshold=iou_threshold,
            device=device,
            threads=threads,
            progress=partial(tqdm, desc=name),
        )
        summary["methods"] = summarise(table, detections, failure_above, high_above_pixels)
        summary["account"] = log.summary()
        logging.info("%s: %s", name, summary["account"])
    write_whole(faces, lambda part: table.to_csv(part, index=False, float_format="%.6g"))
    log.save(read_log)
    text = json.dumps(finite(summary), indent=1) + "\n"
    write_text_whole(scores, text)


if __name__ == "__main__":
    from tfake.core.gpu_claims import claim_device
    from tfake.core.runlog import start_log

    start_log(snakemake.log[0])
    evaluate_test_set(
        scores=snakemake.output.scores,
        faces=snakemake.output.faces,
        read_log=snakemake.output.account,
        name=snakemake.wildcards.testset,
        kind=snakemake.params.kind,
        path=snakemake.params.path,
        results=str(Path(snakemake.output.scores).parents[2]),
        landmarkers=snakemake.params.landmarkers,
        facemesh=snakemake.params.facemesh,
        adapt=snakemake.params.adapt,
        most_images=snakemake.params.most_images,
        min_window_fraction=snakemake.params.smallest_share,
        iou_threshold=snakemake.params.least_overlap,
        failure_above=snakemake.params.failure_above,
        high_above_pixels=snakemake.params.high_above_pixels,
        # Without landmarkers there is no network, and no GPU is asked for.
        device=claim_device(snakemake.config["device"]) if snakemake.params.landmarkers else "cpu",
        threads=snakemake.threads,
        values=snakemake.params.image_values,
    )
