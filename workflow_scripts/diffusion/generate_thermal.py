"""Generate thermal pictures by a FLUX model and a LoRA."""

from tfake.diffusion.generation_job import GenerationJob, run_generation_job


def generate_thermal(job: GenerationJob) -> None:
    """Generate pictures and write them with what tells how they were made.

    Args:
        job: what to read, to write and to do.

    Raises:
        FileNotFoundError: the model is not there, or not whole.
        ValueError: a setting or a store that cannot be used; the message names it.
    """
    run_generation_job(job)


if __name__ == "__main__":
    from pathlib import Path

    from tfake.config.plan_rules import with_neutral
    from tfake.core.gpu_claims import claim_device
    from tfake.core.runlog import start_log
    from tfake.diffusion.lora_pictures import LoraSource

    start_log(snakemake.log[0])
    generate_thermal(
        GenerationJob(
            folder=str(Path(snakemake.output.manifest).with_name("pictures")),
            manifest=snakemake.output.manifest,
            sheet=snakemake.output.sheet,
            lora=snakemake.input.weights,
            source=LoraSource(
                results=str(Path(snakemake.input.faces).parents[1]),
                archive=list(snakemake.input.archive),
                attributes=next(iter(snakemake.input.attributes), None),
                **snakemake.params.source,
            ),
            kind=snakemake.wildcards.lora,
            **snakemake.params.model,
            training=with_neutral(snakemake.params.training, snakemake.config["diffusion"]),
            settings=snakemake.params.settings,
            device=claim_device(snakemake.config["device"], snakemake.resources.gpu),
            threads=snakemake.threads,
        )
    )
