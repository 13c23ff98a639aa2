# Everything sets itself up in .venv: `make demo` on a bare machine needs Python 3.11+, pip and make, no more.
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet --quiet
DEBIAN_DATA := /usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz
CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/likely/fashion-mnist
SOURCES := src tests benchmarks examples docs

# How many threads NumPy and torch take in each test process; no test may depend on it.
OMP_NUM_THREADS ?= 1
# A file stays in one process, whose models its tests share; the longest come first, as conftest.py says.
IN_PARALLEL := -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

.PHONY: help demo test check tests coverage prove docs bench data browser format clean

help:  ## Say what can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 16

demo: .venv/.package data  ## Learn Fashion-MNIST, answer a few test images, write a report
	$(BIN)/likely fit fashion-mnist --preset fast --out runs/demo --overwrite
	$(BIN)/python examples/save_test_images.py runs/demo/images
	$(BIN)/likely predict runs/demo/model.likely runs/demo/images
	@echo
	@echo "report: $(CURDIR)/runs/demo/report.html"
	@echo "model:  $(CURDIR)/runs/demo/model.likely"

test: check tests  ## Run every check and every test

check: .venv/.development  ## Format, lint, types, import contract
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/basedpyright
	$(BIN)/lint-imports --no-cache

tests: .venv/.development data browser
	OMP_NUM_THREADS=$(OMP_NUM_THREADS) $(BIN)/python -m pytest $(IN_PARALLEL)

coverage: .venv/.development data browser  ## Run every test and say which lines and branches none of them ran
	OMP_NUM_THREADS=$(OMP_NUM_THREADS) $(BIN)/python -m pytest $(IN_PARALLEL) --cov --cov-report=term

prove: .venv/.development data browser  ## Simulate every guarantee in full; PART=name one of them; goes on where it was stopped
	OMP_NUM_THREADS=1 $(BIN)/python tests/guarantees/prove.py $(PART)

docs: .venv/.docs  ## Build the site into docs/_build
	$(BIN)/sphinx-build -W --keep-going -b html docs docs/_build

bench: .venv/.bench data  ## Run the benchmarks (some two hours; leave the machine alone)
	@for seed in 0 1 2; do \
		test -f runs/bench/$$seed/model.likely || \
		$(BIN)/likely fit fashion-mnist --seed $$seed --out runs/bench/$$seed --overwrite || exit 1; \
	done
	@for script in benchmarks/*.py; do \
		case $$script in \
			*/familiarity.py|*/trust.py) inputs="runs/bench/0 runs/bench/1 runs/bench/2";; \
			*/prediction.py|*/startup.py) inputs=runs/bench/0/model.likely;; \
			*/memory.py|*/growth.py) inputs=runs/bench/images;; \
			*) inputs=;; \
		esac; \
		echo "== $$script $$inputs"; \
		$(BIN)/python $$script $$inputs || exit 1; \
	done

format: .venv/.development  ## Format and fix what can be fixed
	$(BIN)/ruff format $(SOURCES)
	$(BIN)/ruff check --fix $(SOURCES)

# Debian's package is installed only where we already are root; elsewhere likely downloads the files itself.
data:
	@if [ -n "$$LIKELY_DATA" ] || [ -f $(DEBIAN_DATA) ] || [ -d "$(CACHE)" ]; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "Installing Debian's package dataset-fashion-mnist"; \
		(apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq dataset-fashion-mnist) >/dev/null \
		|| echo "Debian's package could not be installed; likely will download Fashion-MNIST itself."; \
	else \
		echo "Fashion-MNIST will be downloaded. Debian also has it: apt-get install dataset-fashion-mnist (as root)."; \
	fi

# The page that answers images is tried in a real browser, which is installed only where we already are root.
browser:
	@if command -v chromium >/dev/null; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "Installing Debian's package chromium"; \
		(apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium) \
		>/dev/null || echo "chromium could not be installed; the tests of the page in a browser are left out."; \
	else \
		echo "The tests of the page in a browser need chromium: apt-get install chromium (as root)."; \
	fi

.venv/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "likely needs Python 3.11 or newer; $(PYTHON) is older. Try: make PYTHON=python3.11"; exit 1; }
	@$(PYTHON) -m venv .venv || \
		{ echo "Python's venv is missing. On Debian: apt-get install python3-venv"; rm -rf .venv; exit 1; }
	@touch $@

.venv/.package: .venv/.python pyproject.toml constraints.txt
	@echo "Installing likely into .venv (a few minutes the first time)"
	@$(PIP) install --constraint constraints.txt --editable .
	@touch $@

.venv/.development: .venv/.package
	@echo "Installing what the tests need into .venv"
	@$(PIP) install --constraint constraints.txt --editable '.[dev]'
	@touch $@

.venv/.docs: .venv/.development
	@$(PIP) install --constraint constraints.txt --editable '.[dev,docs]'
	@touch $@

.venv/.bench: .venv/.development
	@$(PIP) install --constraint constraints.txt --editable '.[dev,bench]'
	@touch $@

clean:  ## Remove what was made, but not the runs
	rm -rf .venv build dist docs/_build .pytest_cache .ruff_cache .hypothesis .import_linter_cache
