# Everything a developer or an installer does, in six words: run test check fix bench crash.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: run test check fix bench crash setup help
.DEFAULT_GOAL := help

help:
	@echo "make run    set up and serve the demo at http://127.0.0.1:8080"
	@echo "make test   set up and run the tests on SQLite and PostgreSQL"
	@echo "make check  style, types, walls, migrations, requirement marks"
	@echo "make fix    format and mend what can be mended"
	@echo "make bench  print the figures of the README as ratios"
	@echo "make crash  the long kill -9 runs"

setup: $(STAMP)

$(STAMP): pyproject.toml requirements.lock
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 is needed: set PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -m venv $(VENV) 2>/dev/null || { echo "This Python has no venv. On Debian: apt-get install python3-venv"; exit 1; }
	@echo "Installing Tocsin and its tools (once) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $(STAMP)

run: setup
	$(BIN)/tocsin demo

test: setup
	$(BIN)/python -m tests.run

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(BIN)/basedpyright
	@mkdir -p var/data
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python -m tests.requirements --check
	$(BIN)/python -m tests.sizes

fix: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/python -m tests.requirements --write

bench: setup
	$(BIN)/python -m bench

crash: setup
	$(BIN)/python -m tests.crash.run --kills 20
