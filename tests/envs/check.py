"""Build every environment of ``envs/`` and run each rule in its own: ``make envs-check``. Downloads gigabytes.

Snakemake's --use-conda runs the tiny workflow, then the rules that fetch things, from a server on this machine. The
scripts of the rules that these runs leave out are imported in their environments, all that they name at the top
included. Without conda, ``tests/envs/bin/conda`` takes its place: the python of each file, its pip part, nothing else.
The stores must have the checksums of a run in the one environment that ``make`` sets up.
"""

import hashlib
import os
import re
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

#: With these every environment is asked for.
EVERY_MILESTONE = ("all", "ablation", "landmark_evaluation", "landmark_study", "realism", "publish", "exports")
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
    imported = sorted(set(rule_blocks()) - ran)
    settings = {**yaml.safe_load(TINY.read_text()), "variants": {"lepton": {"of": "warm", "camera": "lepton_160x120"}}}
    config = folder / "every_milestone.yaml"
    config.write_text(yaml.safe_dump(settings))
    succeed(fetched, *use, "--conda-create-envs-only", *EVERY_MILESTONE, config=config)
    for rule in imported:
        import_in(re.search(r"envs/([\w-]+\.yaml)", rule_blocks()[rule])[1], rule, folder / "environments")
    # The other backend's environment: its model cannot be shipped, so no label is made.
    config.write_text(yaml.safe_dump({**settings, "labels": {"backend": "face_landmarker"}}))
    succeed(fetched, *use, "--conda-create-envs-only", "faces", config=config)
    import_in("face-landmarker.yaml", "tfake.labels.face_landmarker", folder / "environments")
    for env in sorted((ROOT / "envs").glob("*.yaml")):
        rules = [name for name, block in rule_blocks().items() if f"/envs/{env.name}" in block]
        print(f"{env.name}: {', '.join(rules)}")
    size = subprocess.run(["du", "-sh", folder / "environments"], capture_output=True, text=True, check=True).stdout
    by = conda or "the stand-in for conda"
    print(f"{len(ran)} rules were run in their environments, {len(imported)} imported there: {', '.join(imported)}")
    print(f"together {size.split()[0]}; built by {by}")


def import_in(name: str, module: str, environments: Path) -> None:
    """Import a script or a module, and what it imports in turn, by the python of an environment."""
    pins = (ROOT / "envs" / name).read_text()
    copies = [path for path in environments.glob("*.yaml") if path.read_text() == pins]
    if not copies:
        raise SystemExit(f"{name} was not built")
    python = copies[0].with_suffix("") / "bin/python"
    done = subprocess.run([python, "-c", f"import {module}"], cwd=ROOT / "workflow_scripts", check=False)
    if done.returncode:
        raise SystemExit(f"{module} cannot be imported in {name}")


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
