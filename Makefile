# What people do with a fresh clone. Each target sets up what it needs; `make help` lists them.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: help setup demo test lint dev dashboard bench lock
.DEFAULT_GOAL := help

help: ## list the targets
	@sed -nE 's/^([a-z]+):.*## (.*)/make \1	\2/p' Makefile | expand -t 14

setup: .venv/ready ## make the virtual environment .venv from requirements.lock

.venv/ready: requirements.lock setup.py
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed and $(PYTHON) is older: make PYTHON=/path/to/python3.11")'
	@echo "Setting up .venv from requirements.lock: a minute or two ..."
	@$(PYTHON) -m venv .venv
	@$(PIP) install --no-deps --require-hashes --requirement requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

demo: setup ## four years of the synthetic sample through the whole graph, and three answers
	@$(BIN)/chicago-crime demo

test: setup lint ## lint, types and all tests
	@$(BIN)/python -m pytest

lint: setup ## ruff and mypy
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

dev: setup ## the Dagster UI on http://127.0.0.1:3000; Ctrl-C stops it
	@exec $(BIN)/chicago-crime dev

dashboard: setup ## the dashboard on http://127.0.0.1:8050; Ctrl-C stops it
	@exec $(BIN)/chicago-crime dashboard

bench: setup ## measure speed and memory on 22 full-size years; takes some minutes and 10 GB of disk
	@$(BIN)/python -m benchmarks.run

lock: setup ## write both locks anew from the .in files, for Python 3.11 and newer
	@$(PYTHON) -m venv build/uv && build/uv/bin/pip --disable-pip-version-check --quiet install uv
	@for name in requirements requirements-server; do \
		build/uv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
			--no-emit-package chicago-crime --no-annotate --no-header $$name.in --output-file $$name.lock || exit; \
	done
