"""What Snakemake plans: each job of a dry run with its rule, threads, resources and outputs.

A rule's own message hides all of that in what Snakemake prints, so it is taken from the log records, as logger plugins
do.
"""

import json
import logging
import subprocess
import sys
from pathlib import Path

from snakemake.cli import args_to_api, parse_args

ROOT = Path(__file__).parents[1]


def plan(folder: Path, *arguments: str) -> list[dict]:
    """The jobs of a dry run in ``folder``: ``rule``, ``threads``, ``resources`` and ``output`` of each."""
    words = ["--snakefile", str(ROOT / "Snakefile"), "--directory", str(folder), "--dry-run", *arguments]
    done = subprocess.run([sys.executable, __file__, *words], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def _plan_here(arguments: list[str]) -> list[dict]:
    jobs = []

    def keep(record: logging.LogRecord) -> bool:
        if hasattr(record, "rule_name") and hasattr(record, "resources"):
            resources = {name: value for name, value in record.resources.items() if isinstance(value, int | str)}
            about = {"rule": record.rule_name, "threads": record.threads, "resources": resources}
            jobs.append({**about, "output": list(map(str, record.output))})
        return True

    # A filter, for Snakemake takes away handlers that it did not add itself.
    logging.getLogger("snakemake.logging").addFilter(keep)
    parser, args = parse_args(arguments)
    if not args_to_api(args, parser):
        raise SystemExit(1)
    return jobs


if __name__ == "__main__":
    print(json.dumps(_plan_here(sys.argv[1:])))
