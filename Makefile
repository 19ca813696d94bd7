# The commands for a fresh clone. Each target first installs what it needs; `make help` lists them.
PYTHON ?= python3
BIN := .venv/bin
UV := $(shell uv --version >/dev/null 2>&1 && echo uv || echo $(BIN)/uv)

# The stack on Google Cloud. Its tools have an environment of their own, because Pulumi and Google's client libraries
# need different releases of protobuf.
INFRA := infra_pulumi
INFRA_BIN := $(INFRA)/.venv/bin
PULUMI := pulumi --cwd $(INFRA)
# The image's tag is the commit, so the stack records what its machine runs. A new tag replaces the machine and keeps the disk.
# The image does not contain the stack files, which Pulumi writes to.
TAG ?= $(shell git describe --always --abbrev=12)$(shell git diff --quiet HEAD -- ':!$(INFRA)/Pulumi.*.yaml' || echo -dirty)
OUTPUT = $$($(PULUMI) stack output
TUNNEL = gcloud compute start-iap-tunnel --project=$(OUTPUT) CHICAGO_CRIME_GCP_PROJECT) --zone=$(OUTPUT) zone) $(OUTPUT) machine)

# Markers (see pyproject.toml) of the tests that only `make test-all` runs.
SLOW := browser or java or postgresql or google or programs or slow
PYTEST := $(BIN)/python -m pytest --numprocesses=2 --dist=loadgroup --no-loadscope-reorder

.PHONY: help setup setup-dev demo dev dashboard test test-all test-slow check-infra lint bench docs lock setup-infra up env tunnel down
.DEFAULT_GOAL := help

help: ## list the targets
	@sed -nE 's/^([a-z-]+):.*## (.*)/make \1	\2/p' Makefile | expand -t 18

setup: .venv/ready ## create the virtual environment .venv from requirements.lock

setup-dev: .venv/ready-dev ## the same plus tests, linters and Spark's Java engine, from requirements-dev.lock

demo: setup ## load four years of the synthetic sample into data/demo and answer three questions
	@$(BIN)/chicago-crime demo

dev: setup ## serve the Dagster UI on http://127.0.0.1:3000; Ctrl-C stops it
	@exec $(BIN)/chicago-crime dev

dashboard: setup ## serve the dashboard on http://127.0.0.1:8050; Ctrl-C stops it
	@exec $(BIN)/chicago-crime dashboard

test: lint ## run linters, type checks and the fast tests
	@$(PYTEST) -m "not ($(SLOW))"

test-all: check-infra test ## run all tests; they need Java, Chromium, PostgreSQL, docker-compose and cloud-init
	@$(MAKE) --no-print-directory test-slow

test-slow: setup-dev ## run the tests that `make test` skips
	@$(PYTEST) -m "$(SLOW)"

check-infra: setup-infra ## check types and run tests of the stack on Google Cloud
	@cd $(INFRA) && .venv/bin/mypy
	@$(INFRA_BIN)/python -m pytest --confcutdir=chicago_crime_tests/infra_pulumi chicago_crime_tests/infra_pulumi

lint: setup-dev ## check style and types: Python, Dockerfile, Compose file, shell, workflows
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/hadolint Dockerfile
	@$(BIN)/shellcheck .ci/run .ci/package
	@$(BIN)/check-jsonschema --quiet --builtin-schema vendor.compose-spec docker-compose.yaml
	@$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
	@$(BIN)/check-jsonschema --quiet --builtin-schema vendor.dependabot .github/dependabot.yml
	@$(BIN)/zizmor --quiet --offline --min-severity=medium .github

bench: setup-dev ## measure speed and memory on 22 full-size years; needs some minutes and 15 GB of disk
	@$(BIN)/python -m benchmarks.run

docs: setup-dev ## update the generated pages and build the documentation site in build/site
	@$(BIN)/python docs/generate.py
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict

# Locked releases change only if they must; `make lock UPGRADE=--upgrade` takes the newest.
lock: setup-dev ## update the locks after changing setup.py or infra_pulumi/requirements.txt
	@for lock in requirements.in:requirements.lock requirements-dev.in:requirements-dev.lock \
			$(INFRA)/requirements.txt:$(INFRA)/requirements.lock; do \
		$(BIN)/uv pip compile --quiet $(UPGRADE) --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
			--no-emit-package chicago-crime --no-annotate --no-header $${lock%:*} --output-file $${lock#*:} || exit; \
	done

# Packages that a lock does not list are removed. The development lock contains all packages of the other, with pyspark
# instead of pyspark-client, so it also serves the targets that need only `setup`.
define install
@echo "Installing $< into .venv ..."
@$(UV) pip sync --quiet --python=$(BIN)/python --require-hashes $<
@$(UV) pip install --quiet --python=$(BIN)/python --no-deps --no-build-isolation --editable .
endef

.venv/ready: requirements.lock setup.py | $(BIN)/python $(filter $(BIN)/uv,$(UV))
	$(install)
	@rm -f $@-dev
	@touch $@

.venv/ready-dev: requirements-dev.lock setup.py | $(BIN)/python $(filter $(BIN)/uv,$(UV))
	$(install)
	@touch .venv/ready $@

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed and $(PYTHON) is older: make PYTHON=/path/to/python3.11")'
	@$(PYTHON) -m venv --without-pip .venv

# Install the locked uv if there is none.
$(BIN)/uv: | $(BIN)/python
	@$(BIN)/python -m ensurepip >/dev/null
	@sed -n '/^uv==/,/[^\\]$$/p' requirements-dev.lock >.venv/uv.lock
	@$(BIN)/python -m pip --disable-pip-version-check --quiet install --require-hashes --requirement .venv/uv.lock

setup-infra: $(INFRA)/.venv/ready ## create the virtual environment of infra_pulumi, for the targets below

$(INFRA)/.venv/ready: $(INFRA)/requirements.lock | $(BIN)/python $(filter $(BIN)/uv,$(UV))
	@echo "Installing $< into $(INFRA)/.venv ..."
	@$(BIN)/python -m venv --without-pip $(INFRA)/.venv
	@$(UV) pip sync --quiet --python=$(INFRA_BIN)/python --require-hashes $<
	@touch $@

up: setup-infra ## build the image, provision the selected stack on Google Cloud, push the image
	@docker build --platform=linux/amd64 --tag=chicago-crime:$(TAG) .
	@$(PULUMI) up --config=chicago-crime:imageTag=$(TAG)
	@image=$(OUTPUT) image) && registry=$${image%%/*} && \
		gcloud auth configure-docker "$$registry" --quiet && \
		docker tag chicago-crime:$(TAG) "$$image" && docker push "$$image"

env: ## write the stack's settings to .env, for commands on this machine
	@$(PULUMI) stack output --json > .env.json && $(PYTHON) $(INFRA)/env_file.py < .env.json > .env.new && mv .env.new .env; \
		status=$$?; rm -f .env.json .env.new; exit $$status
	@echo "Written to .env. Now: set -a; . ./.env; set +a"

tunnel: ## forward the stack's Dagster to http://127.0.0.1:3000 and its dashboard to :8050; Ctrl-C stops it
	@$(TUNNEL) 3000 --local-host-port=127.0.0.1:3000 & dagster=$$!; \
		$(TUNNEL) 8050 --local-host-port=127.0.0.1:8050 & dashboard=$$!; \
		trap "kill $$dagster $$dashboard" INT TERM; wait

down: setup-infra ## destroy the selected stack, except protected resources
	@$(PULUMI) destroy
