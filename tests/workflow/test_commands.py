"""Every command that a document tells the reader to type: it plans, and the targets it names are there."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from documents import OWN_CONFIG, PAGES, commands_of, own_config
from recipes import ROOT
from runs import command

COMMANDS = {str(found): found for page in PAGES for found in commands_of(page)}
MAKE = [text for text in COMMANDS if text.startswith("make")]
#: `snakemake NAME` in a sentence: the name is looked up; the commands to copy are planned.
MENTIONED = [text for text in COMMANDS if re.fullmatch(r"snakemake \w+", text)]
#: Of its own results, and so run for good on those of the tests.
REPORTED = [text for text in COMMANDS if "--report" in text]
PLANNED = [text for text in COMMANDS if text not in {*MAKE, *MENTIONED, *REPORTED}]


def test_the_documents_have_commands():
    assert len(MAKE) >= 5
    assert len(PLANNED) >= 8
    assert len(REPORTED) == 1


@pytest.mark.parametrize("text", MAKE)
def test_make_knows_its_target(text):
    done = subprocess.run(
        ["make", "--dry-run", *text.split()[1:]], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("text", MENTIONED)
def test_what_is_mentioned_is_a_target(text):
    rules = "".join(file.read_text() for file in [ROOT / "Snakefile", *(ROOT / "rules").rglob("*.smk")])
    target = text.split()[1]
    # One milestone a variant, whatever its name.
    found = 'f"variant_{_variant}"' if target.startswith("variant_") else rf"(?m)^rule {target}:"
    assert re.search(found, rules)


@pytest.mark.parametrize("text", PLANNED)
def test_snakemake_plans_it(text, tmp_path):
    own = tmp_path / OWN_CONFIG
    own.write_text(own_config())
    folder = tmp_path / "run"
    folder.mkdir()
    words = [str(own) if word == OWN_CONFIG else word for word in COMMANDS[text].words[1:]]
    # What the reader has, and the tests have not: a home to write to, other datasets, a model.
    words = [str(folder) if word.startswith("~") else word for word in words]
    if "compare" in words:
        for faces in (folder / "results/faces", tmp_path / "other/results/faces"):
            faces.mkdir(parents=True)
            (faces / "SHA256SUMS").touch()
    (folder / "models/FLUX.1-schnell").mkdir(parents=True)
    cold = tmp_path / "cold/results/sequences"
    cold.mkdir(parents=True)
    (cold / "SHA256SUMS").touch()
    if "--directory" not in words:
        words += ["--directory", str(folder)]
    path = os.pathsep.join([str(ROOT / "tests/envs/bin"), str(Path(sys.executable).parent), os.environ["PATH"]])
    variables = {
        name: value.replace("$PWD", str(ROOT)).replace("$PATH", path)
        for name, value in COMMANDS[text].variables.items()
    }
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", *words, "--dry-run", "--quiet", "rules"],
        cwd=ROOT,
        env={**os.environ, "PATH": path, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "Job stats" in done.stdout


def test_snakemakes_report_holds_the_figures(finished, copy):
    target = copy / REPORTED[0].split()[-1]
    assert target.suffix == ".zip"
    done = subprocess.run([*command(copy), "--report", str(target)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    shutil.unpack_archive(target, copy / "unpacked")
    names = [path.name for path in (copy / "unpacked").rglob("*") if path.is_file()]
    for figure in ("index.html", "temperatures.svg", "labels.svg", "lineage.svg", "losses.png", "samples.png"):
        assert any(name.endswith(figure) for name in names), (figure, names)
    page = next(path for path in (copy / "unpacked").rglob("report.html"))
    text = page.read_text(encoding="utf-8")
    assert "How temperatures spread in each class" in text
