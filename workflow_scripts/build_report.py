"""Build the page: gallery, temperatures by class, statuses, loss curves, timings, checksums."""

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import zarr

from tfake.report.gallery import build_gallery
from tfake.report.label_quality import measure_labels
from tfake.report.page import render_page
from tfake.report.reference import Reference, compare_with_reference
from tfake.report.stores import read_store
from tfake.report.temperatures import VariantTemperatures, class_temperatures, read_errors
from tfake.report.timings import read_timings
from tfake.sources.index import read_index
from tfake.thermalizer.prior_table import load_prior


def build_report(
    page: str,
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
) -> None:
    """Write one self-contained HTML file.

    Args:
        page: the page to write.
        config: the effective configuration.
        config_file: where it is saved, for a link.
        archive: one zip, or all its raw split parts in order.
        index: the archive's index.
        faces: the folder of the sealed and verified faces store.
        variants: variant to the folder of its sealed and verified thermal store.
        ambients: variant to the temperature of its room.
        losses: condition to its ``losses.csv``; conditions with imported weights have none.
        evaluations: variant to its ``evaluation.csv``; empty where no truth is known.
        benchmarks: the folder with Snakemake's benchmark files.

    Raises:
        SampleError: a sample that was good when indexed is not any more: the archive has changed.
    """
    table = read_index(index)
    faces_store = read_store(faces)
    thermal_stores = {variant: read_store(folder) for variant, folder in variants.items()}
    temperatures = []
    for variant, store in thermal_stores.items():
        if zarr.open_group(store.path, mode="r")["thermal"].attrs["units"] != "degree_Celsius":
            continue
        base = config["variants"][variant].get("of", variant)
        condition = config["variants"][base]["condition"]
        settings = config["conditions"][condition]
        table_of_prior = load_prior(settings["prior"]["table"]).shifted(settings["prior"]["offsets_kelvin"])
        prior = table_of_prior.at(ambients[variant], settings["prior"]["read_at_celsius"]).celsius
        temperatures.append(
            VariantTemperatures(
                variant=variant,
                condition=condition,
                ambient_celsius=ambients[variant],
                classes=class_temperatures(store.statistics, prior),
                errors=read_errors(evaluations.get(variant)),
            )
        )
    thermal = {variant: store.path for variant, store in thermal_stores.items()}
    html = render_page(
        page=page,
        config=config,
        config_file=config_file,
        archive=archive,
        index=table,
        mesh_status=zarr.open_group(faces_store.path, mode="r")["landmarks_478_status"][:],
        faces=faces_store,
        labels=measure_labels(archive, table, faces_store.path, config["labels"]),
        variants=thermal_stores,
        gallery=build_gallery(archive, table, faces_store.path, thermal, config["report"]["gallery_images"]),
        temperatures=temperatures,
        losses={condition: pd.read_csv(path) for condition, path in losses.items()},
        timings=read_timings(benchmarks),
        reference=_compare(config["report"]["reference"], archive, table, faces_store.path, thermal),
    )
    part = Path(f"{page}.part")
    part.parent.mkdir(parents=True, exist_ok=True)
    part.write_text(html, encoding="utf-8")
    os.replace(part, page)
    logging.info("%s: %.1f MB", page, len(html.encode()) / 1e6)


def _compare(
    settings: Mapping[str, Any], archive: list[str], table: pd.DataFrame, faces: Path, thermal: Mapping[str, Path]
) -> Reference | None:
    folder, variant = settings["path"], settings["variant"]
    return compare_with_reference(folder, variant, archive, table, faces, thermal[variant]) if folder else None


if __name__ == "__main__":
    from tfake.runlog import start_log

    start_log(snakemake.log[0])
    build_report(
        page=snakemake.output.page,
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
    )
