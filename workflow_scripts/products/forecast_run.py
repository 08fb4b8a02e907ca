"""Forecast what a run will cost in time and disk."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from tfake.products.forecast import Cost, Machine, list_jobs, predict, read_costs, write_forecast


def forecast_run(page: str, config: Mapping[str, Any], runs: Sequence[str], machine: Machine) -> None:
    """Write what is left of this run will cost, from what was measured in it and in others.

    Args:
        page: the Markdown file to write; it is logged, too.
        config: this run's config, complete.
        runs: folders of other runs, each with benchmarks and results/config.yaml.
        machine: where this run will be.

    Raises:
        FileNotFoundError: one of the folders has no results/config.yaml.
        ValueError: one of them has no benchmarks of a run.
    """
    jobs = list_jobs(config)
    here = read_costs(Path(), config)
    sources = [f"{len(here.costs)} jobs of this run"]
    elsewhere: list[Cost] = []
    for run in map(Path, runs):
        saved = run / "results/config.yaml"
        if not saved.is_file():
            raise FileNotFoundError(f"forecast.runs: {run} is no run: there is no {saved} (seen from {Path.cwd()})")
        costs = read_costs(run, yaml.safe_load(saved.read_text(encoding="utf-8"))).costs
        if not costs:
            raise ValueError(f"forecast.runs: {run} has no benchmarks of a run in {run / 'benchmarks'}")
        elsewhere += costs
        sources.append(f"{len(costs)} jobs of {run}")
    text = write_forecast(predict(jobs, here, elsewhere, machine), machine, sources)
    Path(page).write_text(text, encoding="utf-8")
    logging.info("\n%s", text)


if __name__ == "__main__":
    from tfake.core.runlog import start_log

    start_log(snakemake.log[0])
    settings = snakemake.config["forecast"]
    forecast_run(
        page=snakemake.output.page,
        config=snakemake.config,
        runs=settings["runs"],
        machine=Machine(
            cores=settings["cores"] or snakemake.threads,
            gpus=settings["gpus"],
            threads=snakemake.params.rule_threads,
            uses_gpu=frozenset(snakemake.params.gpu_rules),
        ),
    )
