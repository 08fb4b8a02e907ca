"""Build the report: gallery and viewer, lineage, temperatures, labels, failures, losses, costs, checksums."""

import logging
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tfake.core.files import write_text_whole
from tfake.pages.charts import stand_alone
from tfake.pages.page_images import fit_scale
from tfake.products.report.gallery import build_gallery, choose_rows
from tfake.products.report.image_sources import open_source, open_variant
from tfake.products.report.label_quality import measure_labels
from tfake.products.report.lineage import draw_lineage, gather_lineage
from tfake.products.report.page import render_page
from tfake.products.report.reference import compare_with_reference
from tfake.products.report.run_facts import SealedStore, gather_facts, read_store, read_timings
from tfake.products.report.temperatures import (
    SAMPLED_FACES,
    VariantTemperatures,
    class_temperatures,
    draw_losses,
    draw_temperatures,
    measure_distributions,
    measured_by_charlotte,
    read_errors,
)
from tfake.products.report.viewer_data import describe_viewer, write_faces
from tfake.store.arrays import open_store
from tfake.thermalizer.prior_table import load_prior

_NO_TEMPERATURES = '<svg viewBox="0 0 320 40"><text x="10" y="25">No variant holds temperatures.</text></svg>'


def build_report(
    page: str,
    viewer: str,
    files: str,
    figures: Mapping[str, str],
    config: Mapping[str, Any],
    config_file: str,
    archive: list[str],
    index: str,
    faces: str,
    variants: Mapping[str, str],
    ambients: Mapping[str, float],
    losses: Mapping[str, str],
    evaluations: Mapping[str, str],
    benchmarks: str,
    sequences: str | None = None,
) -> None:
    """Write one self-contained folder: the page, the viewer's data, and the figures as files of their own.

    Args:
        page: the page to write.
        viewer: the folder, next to the page, for the data of the faces that can be opened.
        files: the folder for copies of the configuration and of the stores' checksum lists, to which the page leads.
        figures: ``temperatures``, ``labels`` and ``lineage`` to the SVG files to write.
        config: the effective configuration.
        config_file: where it is saved.
        archive: one zip, or all its raw split parts in order.
        index: the archive's index.
        faces: the folder of the sealed and verified faces store.
        variants: variant to the folder of its sealed and verified thermal store.
        ambients: variant to the temperature of its room.
        losses: condition to its ``losses.csv``; conditions with imported weights have none.
        evaluations: variant to its ``evaluation.csv``; empty where no truth is known.
        benchmarks: the folder with Snakemake's benchmark files.
        sequences: the page of the sequences, where there is one.

    Raises:
        SampleError: a sample that was good when indexed is not any more: the archive has changed.
    """
    faces_store = read_store(faces)
    source = open_source(archive, index, faces_store.path)
    stores = {variant: read_store(folder) for variant, folder in variants.items()}
    opened = [open_variant(name, store.path, faces_store.path, store.span) for name, store in stores.items()]
    shown = choose_rows(opened, len(source.index), config["report"]["gallery_images"])
    radiometric = [variant for variant in opened if variant.radiometric]
    scale = fit_scale(variant.counts[row] for variant in radiometric for row in shown)
    temperatures = [
        VariantTemperatures(
            variant=variant.name,
            ambient_celsius=ambients[variant.name],
            classes=class_temperatures(
                stores[variant.name].statistics, _read_prior(config, variant.name, ambients[variant.name])
            ),
            errors=read_errors(evaluations.get(variant.name)),
            distributions=measure_distributions(variant, variant.spread_rows(SAMPLED_FACES)),
            measured=measured_by_charlotte(ambients[variant.name]),
        )
        for variant in radiometric
    ]
    labels = measure_labels(source, config["labels"])
    lineage = gather_lineage(
        config, archive, source.index.attrs["source_sha256"], faces_store, stores, _read_weights(stores)
    )
    tables = {condition: pd.read_csv(path) for condition, path in losses.items()}
    drawings = {"temperatures": draw_temperatures(temperatures)} if temperatures else {}
    drawings |= {"losses": draw_losses(tables)} if tables else {}
    reference = config["report"]["reference"]
    compared = next((variant for variant in opened if variant.name == reference["variant"]), None)
    html = render_page(
        page=page,
        config=config,
        archive=archive,
        source=source,
        faces=faces_store,
        variants=stores,
        timings=read_timings(benchmarks),
        lineage=lineage,
        config_file=config_file,
        copies=_copy(files, [config_file, faces_store.sums, *(store.sums for store in stores.values())]),
        labels=labels,
        variant_facts=gather_facts(config, stores, opened, ambients),
        gallery=build_gallery(source, opened, shown, scale),
        viewer_data=describe_viewer(os.path.relpath(viewer, os.path.dirname(page)), opened, scale),
        temperatures=temperatures,
        sampled_faces=SAMPLED_FACES,
        temperature_drawing=drawings.get("temperatures"),
        loss_drawing=drawings.get("losses"),
        sequences=sequences,
        reference=compare_with_reference(reference["path"], compared, source) if reference["path"] else None,
    )
    written = write_faces(viewer, source, opened, shown)
    alone = {"labels": labels.drawing.alone(), "lineage": stand_alone(draw_lineage(lineage))}
    alone["temperatures"] = drawings["temperatures"].alone() if temperatures else stand_alone(_NO_TEMPERATURES)
    for name, path in figures.items():
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(alone[name], encoding="utf-8")
    Path(page).parent.mkdir(parents=True, exist_ok=True)
    write_text_whole(page, html)
    logging.info("%s: %.1f MB, and %.1f MB of faces to open", page, len(html.encode()) / 1e6, written / 1e6)


def _copy(folder: str, paths: Sequence[str]) -> dict[str, str]:
    """Copy files into one folder, named by their last folder and their own name; where each came to lie."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    return {path: shutil.copyfile(path, Path(folder, "-".join(Path(path).parts[-2:]))) for path in paths}


def _read_prior(config: Mapping[str, Any], variant: str, ambient_celsius: float) -> np.ndarray | None:
    """(19,) °C that a variant's classes were pulled to, None where nothing did; a camera variant's are its base's."""
    settings = config["variants"][variant]
    while settings.get("of"):
        settings = config["variants"][settings["of"]]
    if "condition" not in settings:
        return None
    prior = config["conditions"][settings["condition"]]["prior"]
    table = load_prior(prior["table"]).shifted(prior["offsets_kelvin"])
    return table.at(ambient_celsius, prior["read_at_celsius"]).celsius


def _read_weights(stores: Mapping[str, SealedStore]) -> dict[str, str]:
    """Condition to the SHA-256 of the weights that its variants say they were made with."""
    attributes = [open_store(store.path).attrs for store in stores.values()]
    return {found["condition"]: found["thermalizer_sha256"] for found in attributes if "thermalizer_sha256" in found}


if __name__ == "__main__":
    from tfake.core.runlog import start_log

    start_log(snakemake.log[0])
    build_report(
        page=snakemake.output.page,
        viewer=snakemake.output.viewer,
        files=snakemake.output.files,
        figures={name: snakemake.output[name] for name in ("temperatures", "labels", "lineage")},
        config=snakemake.params.config,
        config_file=snakemake.input.config,
        archive=list(snakemake.input.archive),
        index=snakemake.input.index,
        faces=str(Path(snakemake.input.faces).parent),
        # A product is told by its folder's name: params come with their keys sorted, not in the order of the inputs.
        variants={Path(path).parent.name: str(Path(path).parent) for path in snakemake.input.thermal},
        ambients=snakemake.params.ambients,
        losses={Path(path).parent.name: path for path in snakemake.input.losses},
        evaluations={Path(path).parent.name: path for path in snakemake.input.evaluations},
        benchmarks=snakemake.params.benchmarks,
        sequences=snakemake.params.sequences,
    )
