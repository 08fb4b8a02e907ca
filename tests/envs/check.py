"""Build every environment of ``envs/`` and run each rule in its own: ``make envs-check``. Downloads gigabytes.

Snakemake's --use-conda runs the tiny workflow, then the rules that fetch things, from a server on this machine. Without
conda, ``tests/envs/bin/conda`` takes its place: the python of each file, its pip part, nothing else. The stores must
have the checksums of a run in the one environment that ``make`` sets up.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import yaml

TESTS = Path(__file__).parents[1]
sys.path.insert(0, str(TESTS))

from archives import write_samples  # noqa: E402 - the tests' own modules
from faulty_server import serve  # noqa: E402
from recipes import ROOT, rule_blocks  # noqa: E402
from runs import TINY, succeed, sums  # noqa: E402

STAND_IN = Path(__file__).parent / "bin"


def check_environments(folder: Path) -> None:
    """Build the environments below ``folder``, run every rule, and print what was done."""
    conda = shutil.which("conda")
    if conda is None:
        os.environ["PATH"] = f"{STAND_IN}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    use = ["--use-conda", "--conda-prefix", str(folder / "environments")]
    whole, plain, fetched = (folder / name for name in ("whole", "plain", "fetched"))
    for run in (whole, plain, fetched):
        shutil.rmtree(run, ignore_errors=True)
        run.mkdir(parents=True)
    began = time.monotonic()
    succeed(whole, *use)
    print(f"the tiny workflow, {time.monotonic() - began:.0f} s, environments included if they were new")
    succeed(plain)
    if sums(whole) != sums(plain):
        raise SystemExit("the stores differ from those of a run in one environment")
    print(f"{len(sums(whole))} lists of checksums are those of a run in one environment")
    fetch(fetched, whole / "results/thermalizers/warm/weights.pt", use)
    timed = [
        path.relative_to(run / "benchmarks") for run in (whole, fetched) for path in run.glob("benchmarks/**/*.tsv")
    ]
    ran = {path.parts[0].removesuffix(".tsv") for path in timed}
    if ran != set(rule_blocks()):
        raise SystemExit(f"not run: {sorted(set(rule_blocks()) - ran)}")
    for env in sorted((ROOT / "envs").glob("*.yaml")):
        rules = [name for name, block in rule_blocks().items() if f"../envs/{env.name}" in block]
        print(f"{env.name}: {', '.join(rules)}")
    size = subprocess.run(["du", "-sh", folder / "environments"], capture_output=True, text=True, check=True).stdout
    by = conda or "the stand-in for conda"
    print(f"{len(ran)} rules, each run in its environment; together {size.split()[0]}; built by {by}")


def fetch(folder: Path, weights: Path, use: list[str]) -> None:
    """Run the rules that fetch archives and weights."""
    served = folder / "served"
    served.mkdir()
    write_samples(served / "a.zip", range(5))
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    with serve(served) as server:
        shutil.copy(weights, served / "w.pt")
        settings = yaml.safe_load(TINY.read_text())
        settings["source"] = {
            "archive": [f"{server.url}/a.zip"],
            "accept_license": True,
            "license": "R-UDA-1.0",
            "images": 5,
            "image_pixels": 64,
        }
        settings["thermalizers"] = {"warm": {"weights": f"{server.url}/w.pt", "sha256": digest}}
        for download in ("whole", "first_samples"):
            settings["source"]["download"] = download
            config = folder / f"{download}.yaml"
            config.write_text(yaml.safe_dump(settings))
            succeed(folder, *use, "source", "results/thermalizers/warm/weights.pt", config=config)


if __name__ == "__main__":
    check_environments(Path(sys.argv[1]).resolve())
