"""Turn ``docs/scaling.json`` into the tables of ``docs/scaling.md``, between the two markers: ``make scaling``."""

import json
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
FIGURES, PAGE = DOCS / "scaling.json", DOCS / "scaling.md"
BEGIN, END = "<!-- begin: tests/scaling/tables.py -->\n", "<!-- end -->\n"
#: Images, and images a shard that keep a shard's job below an hour or so and the number of jobs in reach.
SIZES = ((100_000, 1000), (1_000_000, 1000), (100_000_000, 10_000))
VARIANTS = 2
#: Of Snakemake's start inside a Slurm job, on the node (measured once with the tiny workflow; docs/slurm.md).
SLURM_SECONDS_A_JOB = 3.0
GB, TB, HOUR = 1e9, 1e12, 3600.0


def render(figures: dict) -> str:
    """The tables, as Markdown."""
    return "\n".join([*_measured(figures), "", *_sizes(figures), "", *_plans(figures), ""])


def insert(page: str, tables: str) -> str:
    """The page with its tables replaced."""
    head, rest = page.split(BEGIN)
    return head + BEGIN + tables + END + rest.split(END)[1]


def _measured(figures: dict) -> list[str]:
    lines = [f"Measured: {figures['machine']}.", ""]
    lines += [
        "| rule | a job, CPU s | an image, CPU s | images/s a core | a job, MB | an image, MB |",
        "|---|---|---|---|---|---|",
    ]
    for rule, cost in figures["rules"].items():
        job, memory = cost.get("seconds_a_job", ""), cost.get("megabytes_a_job", "")
        image, megabytes = cost["seconds_an_image"], cost.get("megabytes_an_image", "")
        lines.append(f"| `{rule}` | {job} | {image} | {1 / image:.3g} | {memory} | {megabytes} |")
    lines += ["", "| bytes an image | KB |", "|---|---|"]
    lines += [f"| {name} | {count / 1e3:.0f} |" for name, count in figures["bytes_an_image"].items()]
    return lines


def _sizes(figures: dict) -> list[str]:
    rules, size = figures["rules"], figures["bytes_an_image"]
    index, label, thermal = rules["index_archive"], rules["label_faces"], rules["thermalize_faces"]
    header = ["images", *(f"{images:,}" for images, _ in SIZES)]
    rows = {
        "images a shard": lambda n, s: f"{s:,}",
        f"jobs, {VARIANTS} variants": lambda n, s: f"{_jobs(n, s):,}",
        "hours a labelling job": lambda n, s: f"{_job_seconds(label, s) / HOUR:.2f}",
        "hours a thermalizing job, one CPU core": lambda n, s: f"{_job_seconds(thermal, s) / HOUR:.2f}",
        "GB of memory a labelling job": lambda n, s: f"{_memory(label, s):.1f}",
        "GB of memory a thermalizing job": lambda n, s: f"{_memory(thermal, s):.1f}",
        "core hours, checking the archive": lambda n, s: f"{n * index['seconds_an_image'] / HOUR:,.0f}",
        "core hours, labels": lambda n, s: f"{n / s * _job_seconds(label, s) / HOUR:,.0f}",
        f"core hours, {VARIANTS} variants": lambda n, s: f"{VARIANTS * n / s * _job_seconds(thermal, s) / HOUR:,.0f}",
        "hours of Slurm jobs starting Snakemake": lambda n, s: f"{_jobs(n, s) * SLURM_SECONDS_A_JOB / HOUR:,.1f}",
        "TB, source": lambda n, s: f"{n * size['source'] / TB:,.2f}",
        f"TB, faces store and {VARIANTS} variants": lambda n, s: (
            f"{n * (size['faces store'] + VARIANTS * size['thermal store']) / TB:,.2f}"
        ),
        "GB a shard file of thermal images": lambda n, s: f"{s * size['thermal store'] / GB:.2f}",
        "files, all stores": lambda n, s: f"{_files(figures, n, s):,}",
    }
    lines = ["| " + " | ".join(header) + " |", "|---" * len(header) + "|"]
    lines += [f"| {name} | " + " | ".join(cell(*each) for each in SIZES) + " |" for name, cell in rows.items()]
    return lines


def _plans(figures: dict) -> list[str]:
    lines = ["| plan: images | a shard | jobs | CPU s | MB |", "|---|---|---|---|---|"]
    for plan in figures["plans"]:
        images, shard = plan["images"], plan["shard_images"]
        lines.append(f"| {images:,} | {shard:,} | {_jobs(images, shard):,} | {plan['seconds']} | {plan['megabytes']} |")
    return lines


def _jobs(images: int, shard_images: int) -> int:
    """Shard jobs alone: what grows."""
    return images // shard_images * (1 + VARIANTS)


def _files(figures: dict, images: int, shard_images: int) -> int:
    files = figures["files_a_shard"]
    return images // shard_images * (files["faces store"] + VARIANTS * files["thermal store"])


def _job_seconds(cost: dict, shard_images: int) -> float:
    return cost["seconds_a_job"] + shard_images * cost["seconds_an_image"]


def _memory(cost: dict, shard_images: int) -> float:
    return (cost["megabytes_a_job"] + shard_images * cost["megabytes_an_image"]) / 1e3


if __name__ == "__main__":
    PAGE.write_text(insert(PAGE.read_text(), render(json.loads(FIGURES.read_text()))))
