"""Train a network to tell classes of faces."""

from tfake.classification.classifier_job import ClassifierJob, run_classifier_job
from tfake.core.devices import resolve_device
from tfake.training.distributed import run_distributed


def train_classifier(job: ClassifierJob, processes: int = 1) -> None:
    """Train a classifier and write its weights with what tells how they were made.

    Args:
        job: what to read, to write and to do.
        processes: GPUs to share the work; each makes its part of every batch.

    Raises:
        EthicsNoteError: apparent sex is to be learnt, and the note is not accepted.
        FileNotFoundError: a labelled set is not there; the message says where to ask for it.
        ValueError: a setting, a store or a set that cannot be used; the message names it.
        FloatingPointError: the loss is not finite any more.
        TrainingStoppedError: the job was told to end; it goes on from its checkpoint when it is started again.
    """
    run_distributed(run_classifier_job, {"job": job}, processes, gpus=resolve_device(job.device).type == "cuda")


if __name__ == "__main__":
    from pathlib import Path

    from tfake.classification.clip_sources import ClipSources
    from tfake.config.plan_rules import with_neutral
    from tfake.core.gpu_claims import claim_device
    from tfake.core.runlog import start_log

    start_log(snakemake.log[0])
    settings = snakemake.config["face_classification"]
    train_classifier(
        ClassifierJob(
            weights=snakemake.output.weights,
            provenance=snakemake.output.provenance,
            losses=snakemake.output.losses,
            loss_figure=snakemake.output.loss_figure,
            # No output of the rule: Snakemake deletes those of a job that was stopped.
            checkpoint=str(Path(snakemake.output.weights).with_name("checkpoint.pt")),
            sources=ClipSources(sequences=str(Path(snakemake.input.sequences).parents[1]), **snakemake.params.division),
            sums=snakemake.input.sequences,
            regime=snakemake.wildcards.regime,
            accepts_ethics_note=settings["accept_ethics_note"],
            settings=with_neutral(snakemake.params.settings, settings),
            device=claim_device(snakemake.config["device"], snakemake.resources.gpu),
            threads=snakemake.threads,
        ),
        processes=snakemake.resources.gpu,
    )
