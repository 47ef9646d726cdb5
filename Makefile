# Everything from one place. The first target that needs it makes .venv; after that the check costs nothing.

VENV ?= .venv
JOBS ?= 2
BIN := $(VENV)/bin
DOCS_TESTS := tests/docs
POOLED := fencing recovery queues sharing line faults overlap store complete_in complete_in_lost retries firing sessions

# Images set it; every process would compile every test, and every import, anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run test check types floors format lock bench torture screenshots docs clean

help: ## Say what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

run: $(VENV)/.for-running ## Run the example modules on SQLite; Ctrl-C stops, the schedule stays
	@FRAMEWORK_ENV=$${FRAMEWORK_ENV:-demo} $(BIN)/chamberlain run

test: $(VENV)/.for-working ## Run the whole test suite
	@$(BIN)/python -m pytest -n $(JOBS) --dist worksteal -q

check: $(VENV)/.for-working ## Check format, lint, types, import floors and docs
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(MAKE) --no-print-directory -j2 types floors

types:
	@$(BIN)/mypy

floors:
	@$(BIN)/lint-imports
	@$(BIN)/python -m pytest -q $(DOCS_TESTS)/test_docs.py $(DOCS_TESTS)/test_style.py $(DOCS_TESTS)/test_site.py

format: $(VENV)/.for-working ## Put the code into shape
	@$(BIN)/ruff check --fix-only .
	@$(BIN)/ruff format .

lock: $(VENV)/.for-working ## Write requirements.lock anew, from the ranges in pyproject.toml
	@$(BIN)/uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 --generate-hashes \
		--custom-compile-command "make lock" --no-emit-index-url --upgrade --quiet --output-file requirements.lock
	@$(BIN)/uv pip compile pyproject.toml --extra postgres --constraint requirements.lock --universal --python-version 3.11 --generate-hashes \
		--custom-compile-command "make lock" --no-emit-index-url --no-annotate --quiet --output-file deploy/requirements.lock

bench: $(VENV)/.for-working ## Measure beside the peers, for an hour or two; brings docs/benchmarks.md up to date
	@$(BIN)/python -m benchmarks --write-docs

torture: $(VENV)/.for-working ## Kill, freeze and starve it, go through a pooler, try 100,000 crons, every zone's changes, hosts of two zones, 1,000 policies of rows and 20,000 requests, two and a half hours; fails where anything is wrong
	@$(BIN)/python -m benchmarks.torture
	@cd tests/core/scheduler && TEST_POSTGRES_POOLED=1 $(abspath $(BIN))/python -m pytest -q -m postgres $(POOLED:%=test_%.py)
	@PYTHONPATH=.:tests $(BIN)/python tests/cron_at_random.py 100000
	@PYTHONPATH=.:tests $(BIN)/python tests/zones_swept.py
	@TZ=America/New_York $(BIN)/python -m pytest -n $(JOBS) --dist worksteal -q -m "not slow" -k "not postgres"
	@TZ=Pacific/Kiritimati $(BIN)/python -m pytest -n $(JOBS) --dist worksteal -q -m "not slow" -k "not postgres"
	@RANDOM_POLICIES=1000 $(BIN)/python -m pytest -q -o timeout=1200 tests/core/scheduler/cleanup/test_rows_brute_force.py
	@GENERATED_REQUESTS=20000 $(BIN)/python -m pytest -q tests/core/scheduler/api/test_generated.py

screenshots: $(VENV)/.for-working ## Make the pictures of the dashboard in docs/pictures anew; needs Chromium
	@$(BIN)/python docs/screenshots.py

docs: $(VENV)/.for-docs ## Build the documentation site into site/; strictly, and without anything from elsewhere
	@$(BIN)/python docs/drawings.py
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet
	@echo "open site/index.html; to search it too: python3 -m http.server -d site"

clean: ## Remove .venv and what tools left behind; data stays
	@rm -rf $(VENV) build dist site .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@sh .ci/make-venv $(VENV)

$(VENV)/.for-running: pyproject.toml | $(BIN)/python
	@sh .ci/install $(VENV) .
	@touch $@

$(VENV)/.for-docs: pyproject.toml | $(BIN)/python
	@sh .ci/install $(VENV) '.[docs]'
	@touch $@

$(VENV)/.for-working: pyproject.toml | $(BIN)/python
	@sh .ci/install $(VENV) '.[dev]'
	@touch $@ $(VENV)/.for-running
