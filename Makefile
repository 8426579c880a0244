# Two commands do everything on a fresh Debian or Ubuntu machine: make demo, make test.
SHELL := /bin/sh
# The first of these that is new enough; PYTHON= names another.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$p" && break; done)
VENV := .venv
BIN := $(VENV)/bin
STATE := .cache/engine
# Two workers take one file after the other, in the order of tests/conftest.py.
SHARED := -n 2 --dist loadfile --no-loadscope-reorder
BROWSERLESS = $(if $(shell command -v chromium),, and not needs_browser)
# Without kept bytecode every command and every job compiles all that it loads, which takes four times as long.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: setup demo demo-stop test test-all hostile bench ontology docs check lock browser

setup: $(VENV)/.installed

# A minimal Debian has no venv module; root can get it, others are told what to do.
$(VENV)/.installed: requirements-dev.txt pyproject.toml
	@test -n "$(PYTHON)" && $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "fairnode needs Python 3.11 or newer; name one with PYTHON=" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || sh docker/ensure-package.sh $(notdir $(PYTHON))-venv
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	@echo "fairnode: installing what is locked (once)"
	@sh docker/install-locked.sh $(BIN) requirements-dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

browser:
	@command -v chromium >/dev/null || sh docker/ensure-package.sh chromium || \
		echo "fairnode: without Chromium the tests of the pages are left out" >&2

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
	@sh docker/with-engine.sh $(STATE) $(BIN)/pytest $(SHARED) -m "not long$(BROWSERLESS)" $(PYTEST)

test-all: setup browser check
	@mkdir -p $(STATE)
	@sh docker/with-engine.sh $(STATE) $(BIN)/pytest $(SHARED) -m "(long or not long)$(BROWSERLESS)" $(PYTEST)

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
