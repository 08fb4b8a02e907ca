"""Train the face detector."""

from tfake.core.devices import resolve_device
from tfake.landmarks.detector_job import DetectorJob, run_detector_job
from tfake.training.distributed import run_distributed


def train_detector(job: DetectorJob, processes: int = 1) -> None:
    """Train a face detector and write its weights with what tells how they were made.

    Args:
        job: what to read, to write and to do.
        processes: GPUs to share the work; each makes its part of every batch.

    Raises:
        ValueError: a setting or a store that cannot be used; the message names it.
        FloatingPointError: the loss is not finite any more.
        TrainingStoppedError: the job was told to end; it goes on from its checkpoint when it is started again.
    """
    run_distributed(run_detector_job, {"job": job}, processes, gpus=resolve_device(job.device).type == "cuda")


if __name__ == "__main__":
    from pathlib import Path

    from tfake.config.plan_rules import with_neutral
    from tfake.core.gpu_claims import claim_device
    from tfake.core.runlog import start_log
    from tfake.landmarks.landmark_job import StoredFaces

    start_log(snakemake.log[0])
    train_detector(
        DetectorJob(
            weights=snakemake.output.weights,
            provenance=snakemake.output.provenance,
            losses=snakemake.output.losses,
            loss_figure=snakemake.output.loss_figure,
            sample_figure=snakemake.output.sample_figure,
            # No output of the rule: Snakemake deletes those of a job that was stopped.
            checkpoint=str(Path(snakemake.output.weights).with_name("checkpoint.pt")),
            stored=StoredFaces.of_files(
                faces=snakemake.input.faces,
                archive=snakemake.input.archive,
                index=snakemake.input.index,
                images=snakemake.input.images,
                landmarks=70,
                variants=snakemake.params.variants,
            ),
            sums=[snakemake.input.faces, *snakemake.input.variants],
            settings=with_neutral(snakemake.params.settings, snakemake.config["detector"]),
            device=claim_device(snakemake.config["device"], snakemake.resources.gpu),
            threads=snakemake.threads,
            real=dict(zip(snakemake.params.real, snakemake.input.real, strict=True)),
            start=str(snakemake.input.start) or None,
        ),
        processes=snakemake.resources.gpu,
    )
