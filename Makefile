# Two commands: `make` builds the demo dataset, `make test` runs the tests. Both set up .venv first.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
REAL := runs/real_sample
ORT_WEB_PACKAGE := onnxruntime-web@1.30.0
LANDMARKER := workflow_scripts/tfake/landmarks/landmarker.pt
PYTEST := $(BIN)/python -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder

.PHONY: all test test-all test-slurm docs gpu-check envs-check install-check scaling benchmark real-sample verify repair
.PHONY: config lock recipes clean help

all: $(READY)  ## build everything that config.yaml asks for, with all cores
	$(BIN)/snakemake --cores all

test: $(READY)  ## run the tests, linters included, a file a process; without those marked slow or slurm
	$(PYTEST)

test-all: $(READY)  ## run the slow tests, too
	$(PYTEST) -m 'not slurm'

test-slurm: $(READY)  ## the whole workflow through a Slurm of its own, with faults (root may install slurm-wlm and munge)
	bash tests/slurm/install.sh
	$(BIN)/python -m pytest -s -m slurm tests/slurm

docs: $(READY)  ## build the documentation site into runs/site; the page that runs networks needs npm, and says so without
	npm install --silent --no-audit --no-fund --ignore-scripts --prefix runs/npm $(ORT_WEB_PACKAGE) || \
	echo "onnxruntime-web cannot be had: the page Try it in the browser will say so"
	test ! -f $(LANDMARKER) || $(BIN)/python -m tfake.landmarks -w $(LANDMARKER) --export runs/landmarker
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

gpu-check: $(READY)  ## two minutes on a GPU: does everything work there, and how fast; a table, and a JSON under runs/
	$(BIN)/python tests/gpu/check.py runs/gpu_check

install-check: $(READY)  ## install the core alone for every Python that is there, under runs/, and read a dataset with it
	$(BIN)/python tests/envs/core_check.py runs/install_check

envs-check: $(READY)  ## build every environment of envs/ and run each rule in its own, under runs/ (gigabytes)
	$(BIN)/python tests/envs/check.py runs/envs_check

scaling: $(READY)  ## measure what an image, a shard and a plan cost here, and renew docs/scaling.md
	$(BIN)/python tests/scaling/measure.py runs/scaling
	$(BIN)/python tests/scaling/tables.py

benchmark: $(READY)  ## measure job, store, verification and plan against their floors and other formats, and renew docs/benchmarks.md
	$(PYTHON) -m venv runs/benchmark/formats
	runs/benchmark/formats/bin/python -m pip install --quiet --disable-pip-version-check -r tests/speed/formats.txt
	$(BIN)/python tests/speed/measure.py runs/benchmark runs/benchmark/formats/bin/python
	$(BIN)/python tests/speed/tables.py

real-sample: $(READY)  ## the same workflow on 60 real FaceSynthetics images in ../shared/data, under runs/
	@test -d ../shared/data || { echo "make real-sample needs the sample data in ../shared/data"; exit 1; }
	$(BIN)/snakemake --cores all --directory $(REAL) --configfile tests/configs/real_sample.yaml

verify: $(READY)  ## reread every byte of every store of the demo
	$(BIN)/snakemake --cores all -- verify

repair: $(READY)  ## take away what does not agree with its checksums, and make exactly that again
	$(BIN)/snakemake --cores all -- repair

config: $(READY)  ## renew config.yaml, schemas/, and the tables of config/README.md after a change of the configuration's models
	$(BIN)/python -m tfake.config.generated

lock: $(READY)  ## renew constraints.txt from the packages of .venv, and the pins of envs/ from it
	$(BIN)/python tests/envs/lock.py

recipes: $(READY)  ## renew tests/recipes.json after the code behind a rule has moved
	$(BIN)/python tests/recipes.py

clean:  ## delete the demo's products, logs and timings
	rm -rf results logs benchmarks

help:  ## list these targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/'

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))' || \
	{ echo "Python 3.11 or 3.12 is needed, found $$($(PYTHON) --version); name one: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	$(BIN)/python -m pip check
	touch $@
