"""Train the thermalizer of one condition."""

from tfake.core.devices import resolve_device
from tfake.thermalizer.thermalizer_job import ThermalizerJob, run_thermalizer_job
from tfake.training.distributed import run_distributed


def train_thermalizer(job: ThermalizerJob, processes: int = 1) -> None:
    """Train a thermalizer and write its weights with their provenance.

    Args:
        job: what to read, to write and to do.
        processes: number of GPUs; each makes its part of every batch.

    Raises:
        ValueError: a setting, a table or a paired set that cannot be used; the message names it.
        FloatingPointError: the loss is not finite any more.
        TrainingStoppedError: the job was asked to stop; started again, it resumes from its checkpoint.
    """
    run_distributed(run_thermalizer_job, {"job": job}, processes, gpus=resolve_device(job.device).type == "cuda")


if __name__ == "__main__":
    from pathlib import Path

    from tfake.config.plan_rules import with_neutral
    from tfake.core.gpu_claims import claim_device
    from tfake.core.runlog import start_log
    from tfake.thermalizer.thermalizer_kinds import KINDS

    start_log(snakemake.log[0])
    condition, settings = snakemake.params.condition, dict(snakemake.params.settings)
    kind = KINDS[settings.pop("kind", "unet")]
    train_thermalizer(
        ThermalizerJob(
            weights=snakemake.output.weights,
            provenance=snakemake.output.provenance,
            losses=snakemake.output.losses,
            loss_figure=snakemake.output.loss_figure,
            sample_figure=snakemake.output.sample_figure,
            # No output of the rule: Snakemake deletes those of a job that was stopped.
            checkpoint=str(Path(snakemake.output.weights).with_name("checkpoint.pt")),
            archive=list(snakemake.input.archive),
            index=snakemake.input.index,
            image_pixels=snakemake.params.image_pixels,
            pairs=str(snakemake.input.pairs),
            pair_layout=condition["pairs"]["layout"],
            pair_values=condition["pairs"]["values"],
            supervision=condition["pairs"]["supervision"],
            patches=str(snakemake.input.patches) or None,
            condition=snakemake.params.name,
            ambient_celsius=tuple(snakemake.params.rooms),
            prior_table=condition["prior"]["table"],
            read_prior_at_celsius=condition["prior"]["read_at_celsius"],
            prior_offsets_kelvin=condition["prior"]["offsets_kelvin"],
            prior_per_pixel=condition["prior"]["per_pixel"],
            settings=with_neutral(settings, snakemake.config[kind.section]),
            device=claim_device(snakemake.config["device"], snakemake.resources.gpu),
            threads=snakemake.threads,
            images=str(Path(snakemake.input.images[0]).parent) if snakemake.input.images else None,
            encoder=str(snakemake.input.encoder) or None,
            faces=str(Path(snakemake.input.faces[0]).parent) if snakemake.input.faces else None,
            kind=kind.name,
        ),
        processes=snakemake.resources.gpu,
    )
