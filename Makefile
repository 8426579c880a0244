# Two commands do everything on a fresh Debian or Ubuntu machine: make demo, make test.
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STATE := .cache/engine
export PYTHONDONTWRITEBYTECODE := 1

.PHONY: setup demo demo-stop test test-all hostile bench ontology docs check lock browser

setup: $(VENV)/.installed

# A minimal Debian has no venv module; root can get it, others are told what to do.
$(VENV)/.installed: requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("fairnode needs Python 3.11 or newer" if sys.version_info < (3, 11) else 0)'
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || sh docker/ensure-package.sh python3-venv
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "fairnode: installing what is locked (once)"
	@sh docker/install-locked.sh $(BIN) requirements-dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

browser:
	@command -v chromium >/dev/null || sh docker/ensure-package.sh chromium

demo: setup
	@mkdir -p $(STATE)
	@ENGINE_HEIRS=.demo/pids.json sh docker/with-engine.sh $(STATE) \
		$(BIN)/fairnode demo --folder .demo $(if $(KEEP),--keep)

demo-stop: setup
	@$(BIN)/fairnode demo --folder .demo --stop
	@sh docker/stop-engine.sh $(STATE) 0

check: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

test: setup browser check
	@mkdir -p $(STATE)
	@sh docker/with-engine.sh $(STATE) $(BIN)/pytest -n 2 --dist loadfile -m "not long" $(PYTEST)

test-all: setup browser check
	@mkdir -p $(STATE)
	@sh docker/with-engine.sh $(STATE) $(BIN)/pytest -n 2 --dist loadfile $(PYTEST)

hostile: setup
	@mkdir -p $(STATE)
	@sh docker/with-engine.sh $(STATE) $(BIN)/python -m tests.hostile

bench: setup
	@mkdir -p $(STATE)
	@sh docker/with-engine.sh $(STATE) $(BIN)/python -m benchmarks $(ONLY)

ontology: setup
	@$(BIN)/python -m ontology.generate
	@$(BIN)/python -m ontology.check

docs: setup
	@$(BIN)/python -m docs.build

lock: setup
	@sh docker/lock.sh $(BIN)
