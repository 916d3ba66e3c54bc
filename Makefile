# Everything runs from .venv, which is built from requirements.lock when missing or older than it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: help setup repro serve test check browser-test bench format lint deps lock clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort | expand -t 14

setup: $(READY) ## build .venv from requirements.lock

$(READY): requirements.lock
	@echo "building $(VENV) from requirements.lock (about 5 GB with torch for CPU and GPU)"
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11")'
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

repro: $(READY) ## run the whole chain on the dataset that params.yaml names, then show the results
	dvc repro
	@cat metrics/evaluate.md
	@echo "Pictures: metrics/plots/categories.png, cmc.png and gallery/ (what some queries find, a row a model);"
	@echo "          metrics/curves/adapt/tried.png (what helped on held-out source items); dvc plots show has all on a page."
	@echo "Next:     make serve searches what was built, in a browser; git commit -am \"Results of this machine\""
	@echo "          is what experiments are compared with (README.md, Comparing experiments)."

serve: $(READY) ## open the page that searches data/index
	crosswear serve --open

test: lint ## run all tests
	python -m pytest -n 2 --dist worksteal -m 'not slow' tests

check: lint ## run the tests of the library alone, without those that run stages or DVC
	python -m pytest -n 2 tests

browser-test: $(READY) ## use the page in a real browser (chromium), which is driven by playwright
	python -m pip install --quiet --disable-pip-version-check 'playwright>=1.50'
	@command -v chromium chromium-browser || test -n "$$BROWSER" || \
		{ echo "no chromium here: apt-get install chromium, or BROWSER=path make browser-test"; exit 2; }
	python -m pytest -m browser tests/web

lint: $(READY) ## check style and formatting
	ruff check .
	ruff format --check .

bench: $(READY) ## time the heavy parts beside the bare work in them; results in metrics/bench
	python -m stages.bench

format: $(READY) ## format the code and mend what ruff can
	ruff check --fix .
	ruff format .

deps: $(READY) ## write each stage's code dependencies into dvc.yaml
	python -m stages.deps

lock: ## resolve pyproject.toml anew and write requirements.lock
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check torch==2.12.1 torchvision==0.27.1 --editable '.[dev]'
	$(BIN)/python -m pip freeze --exclude-editable \
		| sed -E 's/^((nvidia|cuda)-.*|triton==.*)$$/\1; sys_platform == "linux"/' > requirements.lock
	@touch $(READY)

clean: ## remove .venv, work in progress and caches of tools (never data or DVC's cache)
	rm -rf $(VENV) data/.partial .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
