"""Train a LoRA of a FLUX model on thermal faces, by text or by the visible image."""

from tfake.core.devices import resolve_device
from tfake.diffusion.lora_job import LoraJob, run_lora_job
from tfake.training.distributed import run_distributed


def train_thermal_lora(job: LoraJob, processes: int = 1) -> None:
    """Train a LoRA and write its files with what tells how they were made.

    Args:
        job: what to read, to write and to do.
        processes: GPUs to share the work; each makes its part of every batch.

    Raises:
        FileNotFoundError: the model is not there, or not whole.
        ValueError: a setting or a store that cannot be used; the message names it.
        FloatingPointError: the loss is not finite any more.
        TrainingStoppedError: the job was told to end; it goes on from its checkpoint when it is started again.
    """
    run_distributed(run_lora_job, {"job": job}, processes, gpus=resolve_device(job.device).type == "cuda")


if __name__ == "__main__":
    from pathlib import Path

    from tfake.config.plan_rules import with_neutral
    from tfake.core.gpu_claims import claim_device
    from tfake.core.runlog import start_log
    from tfake.diffusion.lora_pictures import LoraSource

    start_log(snakemake.log[0])
    train_thermal_lora(
        LoraJob(
            weights=snakemake.output.weights,
            comfyui=snakemake.output.comfyui,
            provenance=snakemake.output.provenance,
            losses=snakemake.output.losses,
            loss_figure=snakemake.output.loss_figure,
            # No output of the rule: Snakemake deletes those of a job that was stopped.
            checkpoint=str(Path(snakemake.output.weights).with_name("checkpoint.pt")),
            source=LoraSource(
                results=str(Path(snakemake.input.faces).parents[1]),
                archive=list(snakemake.input.archive),
                attributes=next(iter(snakemake.input.attributes), None),
                **snakemake.params.source,
            ),
            sums=[snakemake.input.faces, *snakemake.input.variant, *snakemake.input.attributes],
            kind=snakemake.wildcards.lora,
            **snakemake.params.model,
            faces=snakemake.params.faces,
            settings={
                **with_neutral(snakemake.params.settings, snakemake.config["diffusion"]),
                "gradient_checkpointing": snakemake.config["diffusion"]["gradient_checkpointing"],
            },
            device=claim_device(snakemake.config["device"], snakemake.resources.gpu),
            threads=snakemake.threads,
        ),
        processes=snakemake.resources.gpu,
    )
