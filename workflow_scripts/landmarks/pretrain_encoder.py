"""Pretrain the encoder of landmark networks on thermal images without points."""

from tfake.core.devices import resolve_device
from tfake.pretraining.pretraining_job import PretrainingJob, run_pretraining_job
from tfake.training.distributed import run_distributed


def pretrain_encoder(job: PretrainingJob, processes: int = 1) -> None:
    """Pretrain an encoder and write its weights with what tells how they were made.

    Args:
        job: what to read, to write and to do.
        processes: GPUs to share the work; each makes its part of every batch.

    Raises:
        ValueError: a setting, a store or a folder that cannot be used; the message names it.
        FloatingPointError: the loss is not finite any more.
        TrainingStoppedError: the job was told to end; it goes on from its checkpoint when it is started again.
    """
    run_distributed(run_pretraining_job, {"job": job}, processes, gpus=resolve_device(job.device).type == "cuda")


if __name__ == "__main__":
    from pathlib import Path

    from tfake.config.plan_rules import with_neutral
    from tfake.core.gpu_claims import claim_device
    from tfake.core.runlog import start_log
    from tfake.landmarks.landmark_job import StoredFaces

    start_log(snakemake.log[0])
    pretrain_encoder(
        PretrainingJob(
            encoder=snakemake.output.encoder,
            provenance=snakemake.output.provenance,
            losses=snakemake.output.losses,
            loss_figure=snakemake.output.loss_figure,
            # No output of the rule: Snakemake deletes those of a job that was stopped.
            checkpoint=str(Path(snakemake.output.encoder).with_name("checkpoint.pt")),
            stored=StoredFaces.of_files(
                faces=snakemake.input.faces,
                archive=snakemake.input.archive,
                index=snakemake.input.index,
                images=snakemake.input.images,
                landmarks=70,
                variants=snakemake.params.variants,
            )
            if snakemake.input.faces
            else None,
            sums=[*filter(None, [str(snakemake.input.faces)]), *snakemake.input.variants],
            folders=snakemake.params.folders,
            validation_share=snakemake.params.validation_share,
            name=snakemake.wildcards.pretext,
            settings=with_neutral(snakemake.params.settings, snakemake.config["pretraining"]),
            device=claim_device(snakemake.config["device"], snakemake.resources.gpu),
            threads=snakemake.threads,
        ),
        processes=snakemake.resources.gpu,
    )
