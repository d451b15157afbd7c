# Everything a developer or a first visitor runs. `make` alone lists it.

PYTHON ?= python3
CASES ?= ../shared/conformance
SECONDS ?= 60
TESTS ?=

VENV := .venv
BIN := $(VENV)/bin
RUN := $(VENV)/.installed-to-run
DEV := $(VENV)/.installed-to-develop
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes

.DEFAULT_GOAL := help
.PHONY: help run test lint test-stripe-live conformance bench e2e soak screenshots clean

help: ## list the targets
	@sed -n 's/^\([a-z0-9-]*\):[^#]*## /\1\t/p' $(MAKEFILE_LIST) | while IFS='	' read -r target about; do \
		printf '  make %-16s %s\n' "$$target" "$$about"; done

run: $(RUN) ## start the service with a demo company (PORT=8000, DATA_DIR=.data); Ctrl-C ends it
	@exec $(BIN)/python -m config.run --with-parent

test: $(DEV) ## check style and types, then run all tests; TESTS=<path> runs one part
ifeq ($(strip $(TESTS)),)
	@$(MAKE) --no-print-directory lint
	$(BIN)/python -m pytest -n 2
else
	$(BIN)/python -m pytest $(TESTS)
endif

lint: $(DEV) ## style, types, who may import whom, and whether a migration is missing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python manage.py makemigrations --check --dry-run

test-stripe-live: $(DEV) ## tell some of the stories to Stripe itself; needs a test-mode STRIPE_SECRET_KEY
	STRIPE_LIVE_TESTS=1 $(BIN)/python -m pytest -rs tests/stripe_live

conformance: $(DEV) ## run the shared cases against the real functions; CASES=<dir> for others of the same form
	$(BIN)/python -m tests.conformance.run --cases $(CASES)

bench: $(DEV) ## measure, as ratios to raw PostgreSQL in the same run
	$(BIN)/python -m bench

e2e: $(DEV) ## drive the pages with a real browser
	$(BIN)/python -m pytest --override-ini addopts= tests/e2e

soak: $(DEV) ## run mixed traffic with faults for SECONDS=60 and check every promise
	$(BIN)/python -m tests.soak --seconds $(SECONDS)

screenshots: $(DEV) ## take the documentation's pictures anew
	$(BIN)/python -m tests.e2e.screenshots

clean: ## remove installed packages and caches; .data, with your database, stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis staticfiles
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Python 3.11 or newer is needed; '$(PYTHON)' is not. Name another: make PYTHON=python3.12 run" >&2; exit 1; }
	@$(PYTHON) -m venv --clear $(VENV) || { rm -rf $(VENV); \
		echo "'$(PYTHON) -m venv' failed. On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }

$(RUN): requirements.txt | $(BIN)/python
	@echo "installing packages (only the first time) ..."
	@$(PIP) -r requirements.txt
	@touch $@

$(DEV): requirements-dev.txt requirements.txt | $(BIN)/python
	@echo "installing packages and development tools (only the first time) ..."
	@$(PIP) -r requirements-dev.txt
	@touch $(RUN) $@
