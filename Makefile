# Every target sets up what it needs: a fresh checkout with Python 3.11+ and make is enough.
PYTHON ?= python3
RUN := .venv/bin/python -m
PYTEST_ARGS ?=

.PHONY: report test lint bench seeds mutants matrix lock docs clean .venv

report: .venv
	$(RUN) pytest theorems --report=reports/html $(PYTEST_ARGS)

# The many processes that tests start compile each module once, not each for itself.
unexport PYTHONDONTWRITEBYTECODE

# One thread a process: side by side, and in the runs that tests start, they wait for one another longest.
test: export OMP_NUM_THREADS ?= 1
test: .venv
	$(RUN) pytest tests $(PYTEST_ARGS)
	$(RUN) pytest theorems $(PYTEST_ARGS)

# What .pre-commit-config.yaml runs before a commit, and .ci/run in CI.
lint: .venv
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) mypy
	$(RUN) pymarkdown scan README.md CHANGELOG.md docs
	$(RUN) pytest -q tests/test_citation.py

bench: .venv
	$(RUN) benchmarks

# SEEDS=3,5-8 PROFILE=thorough JOBS=4 CLUSTER=tcp://…:8786 choose; a sweep goes on where it was interrupted.
SEEDS ?= 0-39
PROFILE ?= quick
JOBS ?= -1
seeds: .venv
	$(RUN) benchmarks.seeds --seeds=$(SEEDS) --profile=$(PROFILE) --jobs=$(JOBS) $(if $(CLUSTER),--cluster=$(CLUSTER))

# MINUTES=60 SIZE=400 choose; faults that were tried are kept, so that a sweep goes on.
MINUTES ?= 60
SIZE ?= 400
mutants: .venv
	$(RUN) benchmarks.mutants --minutes=$(MINUTES) --size=$(SIZE) $(if $(CLUSTER),--cluster=$(CLUSTER))

# The tests over Python 3.11 to 3.14, as far as they are found, with the lowest and the newest dependencies.
# MATRIX='-s "tests-3.13(newest)" -- tests/numerics' chooses.
MATRIX ?=
matrix: .venv
	$(RUN) pip install --quiet --editable '.[matrix]' --constraint constraints.txt
	$(RUN) nox $(MATRIX)

# Versions for every Python from 3.11 on, by uv: what is pinned stays where it fits; UPGRADE=--upgrade lets go.
UPGRADE ?=
lock: .venv
	$(RUN) pip install --quiet --editable '.[matrix]' --constraint constraints.txt
	$(RUN) uv pip compile pyproject.toml --universal --python-version 3.11 --extra dev --extra cluster \
		--extra matrix --no-annotate --custom-compile-command 'make lock' --quiet $(UPGRADE) -o constraints.txt

# Writes docs/_build/html; warnings, broken links between pages among them, are errors. Then every example runs.
docs: .venv
	$(RUN) sphinx -W --keep-going -b html docs docs/_build/html
	$(RUN) pytest -q tests/test_examples.py

.venv: .venv/installed

# The stamp is written last, so that an interrupted installation is repeated. torchcfm is a peer under test:
# what it declares to depend on would replace torch, and it couples batches without any of it.
.venv/installed: pyproject.toml constraints.txt tests/reports/neighbours.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv
	$(RUN) pip install --quiet --editable '.[dev,cluster]' --constraint constraints.txt
	$(RUN) pip install --quiet --no-deps torchcfm==1.0.7
	$(RUN) pip install --quiet --no-deps --upgrade --target .venv/neighbours -r tests/reports/neighbours.txt
	touch $@

clean:
	rm -rf .venv reports/html docs/_build docs/generated
