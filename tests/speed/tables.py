"""Turn ``docs/benchmarks.json`` into the tables of ``docs/benchmarks.md``, between two markers: ``make benchmark``."""

import json
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
FIGURES, PAGE = DOCS / "benchmarks.json", DOCS / "benchmarks.md"
BEGIN, END = "<!-- begin: tests/speed/tables.py -->\n", "<!-- end -->\n"
#: Ratios that the project asks of itself, on two CPU cores.
AIMS = {
    "job / network alone": 0.9,
    "job, identity network / decode and encode": 0.8,
    "job, identity network, images kept / job, identity network": 1.7,
    "job / naive loop": 3,
}


def render(figures: dict) -> str:
    """The tables, as Markdown."""
    job = figures["job"]
    machine = f"Measured on: {figures['machine']}; the job on `{job['device']}`, threads: {job['threads']}."
    parts = [machine, "", *_job(job)]
    for name, found in figures["stores"].items():
        if name != "images":
            parts += ["", f"### Images {name}", "", *_formats(found["formats"]), "", *_codecs(found["codecs"])]
    parts += ["", *_rest(figures), "", *_training_data(figures["training_data"]), ""]
    return "\n".join(parts)


def insert(page: str, tables: str) -> str:
    """The page with its tables replaced."""
    head, rest = page.split(BEGIN)
    return head + BEGIN + tables + END + rest.split(END)[1]


def _job(job: dict) -> list[str]:
    cpu = job["images_a_cpu_second"]
    lines = ["| pass | images/s | images a CPU second |", "|---|---|---|"]
    lines += [f"| {name} | {rate} | {cpu[name]} |" for name, rate in job["images_a_second"].items()]
    lines += ["", "| ratio | by the clock | by CPU time | asked |", "|---|---|---|---|"]
    lines += [
        f"| {name} | {ratio} | {job['cpu_ratios'][name]} | {AIMS[name]} |" for name, ratio in job["ratios"].items()
    ]
    memory = job["memory"]
    return [
        *lines,
        "",
        f"One job of {memory['images']:,} images: {memory['megabytes_beyond']:,} MB of memory beyond the "
        f"{memory['megabytes_with_model']:,} MB with the model loaded (asked: 3,000).",
    ]


def _formats(rows: list[dict]) -> list[str]:
    ours = rows[0]
    lines = ["| format | KB an image | write/s | random read/s | sequential read/s |", "|---|---|---|---|---|"]
    lines += [
        f"| {row['format']} | {row['kilobytes']} | "
        + " | ".join(str(row[key] or "") for key in ("write", "random read", "sequential read"))
        + " |"
        for row in rows
    ]
    lines += ["", "| this store against | size | write | random read | sequential read |", "|---|---|---|---|---|"]
    for row in rows[1:]:
        ratios = [
            f"{ours[key] / row[key]:.2f}" if row[key] else ""
            for key in ("kilobytes", "write", "random read", "sequential read")
        ]
        lines.append(f"| {row['format']} | " + " | ".join(ratios) + " |")
    return lines


def _codecs(rows: list[dict]) -> list[str]:
    lines = ["| codec, one chunk an image | KB, 0.01 K counts | KB, 16 bit full range | write/s | read/s |"]
    lines += ["|---|---|---|---|---|"]
    return lines + [
        f"| {row['codec']} | {row['kilobytes']} | {row['kilobytes_full_range']} | {row['write']} | {row['read']} |"
        for row in rows
    ]


def _rest(figures: dict) -> list[str]:
    check, plan = figures["verification"], figures["plan"]
    return [
        "### Verification and plan",
        "",
        "| what | found | asked |",
        "|---|---|---|",
        f"| verification, GB/s | {check['gigabytes_a_second']} | |",
        f"| plain SHA-256 of the same files, GB/s | {check['plain_gigabytes_a_second']} | |",
        f"| ratio | {check['ratio']} | 0.8 |",
        f"| dry run of {plan['images']:,} images x {plan['variants']} in shards of {plan['shard_images']:,}, s "
        f"(CPU s) | {plan['seconds']} ({plan['cpu_seconds']}) | 10 |",
        f"| its memory, MB | {plan['megabytes']} | 500 |",
    ]


def _training_data(found: dict) -> list[str]:
    times = found["cpu_milliseconds_a_crop"]
    lines = [
        "### Training batches",
        "",
        f"| CPU ms a crop | commit {found['commit']} | now | ratio |",
        "|---|---|---|---|",
    ]
    return lines + [
        f"| {name} | {times['before'][name]} | {times['now'][name]} | {ratio} |"
        for name, ratio in found["ratios"].items()
    ]


if __name__ == "__main__":
    PAGE.write_text(insert(PAGE.read_text(), render(json.loads(FIGURES.read_text()))))
