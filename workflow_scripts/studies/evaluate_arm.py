"""Score one arm of the ablation on faces that no training saw."""

import json
from pathlib import Path

from tfake.archive.index import read_index
from tfake.core.devices import limit_threads, resolve_device
from tfake.core.files import write_text_whole, write_whole
from tfake.pages.page_images import encode_png
from tfake.studies.ablation import draw_strip, iterate_faces, score
from tfake.thermalizer.patch_bank import load_patch_bank
from tfake.thermalizer.prior_table import load_prior
from tfake.thermalizer.thermalizer_file import load_thermalizer


def evaluate_arm(
    scores: str,
    strip: str,
    weights: str,
    archive: list[str],
    index: str,
    truth: str | None,
    image_pixels: int,
    ambient_celsius: float,
    prior_table: str,
    read_prior_at_celsius: float | None,
    lwir_patches: str | None,
    device: str,
    threads: int,
    precision: str = "auto",
) -> None:
    """Thermalize the faces and write what :func:`tfake.studies.ablation.score` measures.

    Args:
        scores: the JSON to write: name to value.
        strip: the PNG to write: some faces' temperatures side by side, as gray levels over ``SSIM_CELSIUS``.
        weights: the arm's weights.
        archive: one zip, or all its raw split parts in order: the faces.
        index: the archive's index.
        truth: zip of the faces' thermal truth; None where there is none.
        image_pixels: height and width of the images.
        ambient_celsius: ambient temperature.
        prior_table: the table that class means are compared with, a name or a path; an arm whose own prior is wrong is
            compared with the right one.
        read_prior_at_celsius: see ``PriorTable.at``.
        lwir_patches: relative bank of real long-wave infrared faces; None leaves that score out.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        threads: threads for torch on the CPU.
        precision: number format of the network's body: ``auto``, ``float32`` or ``bfloat16``.

    Raises:
        SampleError: a sample that was good when indexed is not any more.
        TruthError: the truth does not fit the faces.
    """
    limit_threads(threads)
    thermalizer = load_thermalizer(weights, resolve_device(device), precision)
    table = read_index(index)
    targets = load_prior(prior_table).at(ambient_celsius, read_prior_at_celsius).celsius
    bank = load_patch_bank(lwir_patches) if lwir_patches else None
    faces = iterate_faces(archive, table, image_pixels, truth)
    found = score(thermalizer, faces, ambient_celsius, targets, bank)
    drawn = draw_strip(thermalizer, iterate_faces(archive, table, image_pixels, truth), len(table), ambient_celsius)
    write_whole(strip, lambda part: Path(part).write_bytes(encode_png(drawn)))
    write_text_whole(scores, json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    from tfake.core.gpu_claims import claim_device
    from tfake.core.runlog import start_log

    start_log(snakemake.log[0])
    evaluate_arm(
        scores=snakemake.output.scores,
        strip=snakemake.output.strip,
        weights=snakemake.input.weights,
        archive=list(snakemake.input.archive),
        index=snakemake.input.index,
        truth=str(snakemake.input.truth) or None,
        image_pixels=snakemake.params.image_pixels,
        ambient_celsius=snakemake.params.ambient_celsius,
        prior_table=snakemake.params.prior["table"],
        read_prior_at_celsius=snakemake.params.prior["read_at_celsius"],
        lwir_patches=str(snakemake.input.lwir_patches) or None,
        device=claim_device(snakemake.config["device"]),
        threads=snakemake.threads,
        precision=snakemake.params.precision,
    )
