# Every target works from a fresh clone; `make setup` is quick when nothing changed.
.DEFAULT_GOAL := help
SHELL := /bin/bash

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
BENCHMARKS := compile weight_flip many_routes proxy_cost lambda_path local_lambda adapters_events adapters_calls \
	planner_demand planning addresses gates breaker counted_routes ingest instrument pages synth

# Tests start thousands of Python processes: where the environment forbids compiled modules each of them would compile all anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup demo test check golden bench bench-phoenix soak lint-infra clean

help: ## Show this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/.demo $(VENV)/.pages ## Make .venv and install what the demo needs (quick when nothing changed)

demo: $(VENV)/.demo $(VENV)/.pages ## Shift a real route to Lambda and back, unattended (KEEP=1, REPORT=file.json)
	@$(BIN)/python examples/bookshop/demo $(if $(KEEP),--keep) $(if $(REPORT),--report $(REPORT))

test: $(VENV)/.test $(VENV)/.pages ## Install what the tests need, Debian packages included, and run them
	@tests/debian-packages.sh
	@$(BIN)/python -m pytest --numprocesses $$(( $$(nproc) + 2 )) --dist loadfile --no-loadscope-reorder $(PYTEST)

check: $(VENV)/.test ## Lint, format, types, import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

golden: $(VENV)/.test ## Rewrite the golden files from what the code does now
	@$(BIN)/python -m pytest -q --update-golden tests/router/check tests/router/snapshot tests/capacity_planner/demand \
		tests/capacity_planner/allocations tests/docs/test_pictures.py tests/infra/test_golden_templates.py
	@$(BIN)/python docs/estate_reference.py
	@$(BIN)/python docs/capacity_tables.py
	@$(BIN)/python docs/adapters_tables.py

bench: $(VENV)/.test $(VENV)/.peers ## Run the benchmarks and print their tables (BENCHMARKS='compile ...')
	@tests/debian-packages.sh benchmarks/debian-packages.txt
	@for name in $(BENCHMARKS); do echo "== benchmarks/$$name.py"; $(BIN)/python benchmarks/$$name.py || exit 1; done

bench-phoenix: $(VENV)/.test $(VENV)/.phoenix ## Take the same spans into Arize Phoenix, 650 MB of it, and into fig observe
	@$(BIN)/python benchmarks/ingest_phoenix.py

soak: $(VENV)/.test ## Break nodes, control, databases and proxies; count what is lost (SOAK='--seconds 60')
	@tests/debian-packages.sh
	@$(BIN)/python benchmarks/soak.py $(SOAK)
	@$(BIN)/python benchmarks/soak_adapters.py
	@$(BIN)/python -m tests.router.control.kill_soak --kills 300

lint-infra: $(VENV)/.test $(VENV)/.checkov ## Hold the bookshop's templates against checkov (an environment of its own)
	@tests/infra/templates.sh $(VENV)/lint-infra
	@$(VENV)/checkov/bin/checkov --config-file infra/checkov.yaml --directory $(VENV)/lint-infra/templates

clean: ## Remove the virtual environment and caches
	@rm -rf $(VENV) .fig .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "strangler-fig needs Python 3.11 or newer: make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) \
		|| { rm -rf $(VENV); echo "no virtual environment: sudo apt-get install --yes python3-venv" >&2; exit 1; }

$(VENV)/.demo: pyproject.toml constraints.txt | $(VENV)/bin/python
	@$(PIP) install --constraint constraints.txt --editable '.[router,local,adapters,observability,instrument]'
	@touch $@

$(VENV)/.test: pyproject.toml constraints.txt | $(VENV)/bin/python
	@$(PIP) install --no-compile --constraint constraints.txt \
		--editable '.[router,local,adapters,planner,observability,instrument,infra,test]'
	@touch $@ $(VENV)/.demo

$(VENV)/.pages: observability/pages/vendor.json observability/pages/vendor.py | $(VENV)/.demo
	@$(BIN)/python -m observability.pages.vendor && touch $@ || echo 'going on without them: everything else works' >&2

$(VENV)/.checkov: infra/checkov.txt | $(VENV)/bin/python
	@$(VENV)/bin/python -m venv $(VENV)/checkov
	@$(VENV)/checkov/bin/python -m pip --disable-pip-version-check --quiet install --requirement infra/checkov.txt
	@touch $@

$(VENV)/.peers: benchmarks/peers.txt | $(VENV)/bin/python
	@$(VENV)/bin/python -m venv $(VENV)/peers
	@$(VENV)/peers/bin/python -m pip --disable-pip-version-check --quiet install --requirement benchmarks/peers.txt
	@$(VENV)/peers/bin/python -m pip --disable-pip-version-check --quiet install pytricia==1.3.0 \
		|| echo 'pytricia has no wheel and could not be built (a C compiler, python3-dev): it is left out'
	@touch $@

$(VENV)/.phoenix: benchmarks/phoenix.txt | $(VENV)/bin/python
	@$(VENV)/bin/python -m venv $(VENV)/phoenix
	@$(VENV)/phoenix/bin/python -m pip --disable-pip-version-check --quiet install --requirement benchmarks/phoenix.txt
	@touch $@
