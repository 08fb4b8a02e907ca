"""Train the landmark network of one task."""

from tfake.core.devices import resolve_device
from tfake.landmarks.landmark_job import LandmarkJob, run_landmark_job
from tfake.training.distributed import run_distributed


def train_landmarker(job: LandmarkJob, processes: int = 1) -> None:
    """Train a landmark network and write its weights with what tells how they were made.

    Args:
        job: what to read, to write and to do.
        processes: GPUs to share the work; each makes its part of every batch.

    Raises:
        ValueError: a setting or a store that cannot be used; the message names it.
        FloatingPointError: the loss is not finite any more.
        TrainingStoppedError: the job was told to end; it goes on from its checkpoint when it is started again.
    """
    run_distributed(run_landmark_job, {"job": job}, processes, gpus=resolve_device(job.device).type == "cuda")


if __name__ == "__main__":
    from pathlib import Path

    from tfake.config.plan_rules import with_neutral
    from tfake.core.gpu_claims import claim_device
    from tfake.core.runlog import start_log
    from tfake.landmarks.landmark_job import StoredFaces

    start_log(snakemake.log[0])
    train_landmarker(
        LandmarkJob(
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
                landmarks=snakemake.params.landmarks,
                variants=snakemake.params.variants,
            ),
            others=[
                StoredFaces(
                    results=run["results"],
                    archive=run["archive"],
                    index=f"{run['results']}/source/index.parquet",
                    landmarks=snakemake.params.landmarks,
                    variants=run["variants"],
                )
                for run in snakemake.params.others.values()
            ],
            sums=[snakemake.input.faces, *snakemake.input.variants, *snakemake.input.others],
            task=snakemake.wildcards.task,
            settings=with_neutral(snakemake.params.settings, snakemake.config["landmarks"]),
            device=claim_device(snakemake.config["device"], snakemake.resources.gpu),
            threads=snakemake.threads,
            encoder=str(snakemake.input.encoder) or None,
            real=dict(zip(snakemake.params.real, snakemake.input.real, strict=True)),
            real_validation_share=snakemake.params.real_validation_share,
            initial=str(snakemake.input.initial) or None,
            # Of students alone.
            distillation=snakemake.params.get("distillation"),
            teacher=str(snakemake.input.get("teacher", "")) or None,
            # Of finetune_landmarker alone.
            labels=snakemake.params.get("labels"),
            is_frozen=snakemake.params.get("is_frozen", False),
        ),
        processes=snakemake.resources.gpu,
    )
