# Two commands do all the set-up on a machine with Python (3.11 or newer), git and make:
#   make demo   makes the environment and plays the example project
#   make test   makes it and passes the tests

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: demo agents tools test test-all lint types layers check bench clean

$(STAMP): pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "wsbuild needs Python 3.11 or newer")'
	$(PYTHON) -m venv --upgrade-deps $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

demo: $(STAMP)
	$(BIN)/python examples/demo.py

# A real aider for the tests, in an environment of its own (~/.cache/wsbuild-tests). `make test` would
# install it too, but skip what needs it where that fails.
agents: $(STAMP)
	$(BIN)/python tests/agents/aider_env.py

# Linters, scanners, the engines of editors and GitHub's description of its API for the tests: what does not
# live in the environment (in the same place).
tools: $(STAMP)
	$(BIN)/python tests/toolbox/install.py

# As many tests at a time as there are processors.
test: $(STAMP)
	$(BIN)/python -m pytest -q -n auto --dist worksteal

# The long fault and property runs in their full form.
test-all: $(STAMP)
	WSBUILD_TEST_FULL=1 $(BIN)/python -m pytest -q -n auto --dist worksteal

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)
	$(BIN)/mypy

layers: $(STAMP)
	$(BIN)/lint-imports

check: lint types layers test

bench: $(STAMP)
	$(BIN)/python bench/run.py --table docs/performance.md

clean:
	rm -rf $(VENV) dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
