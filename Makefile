# What people do with a fresh clone. Each target sets up what it needs; `make help` lists them.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

# The stack on Google Cloud. Its tools, and only they, are in an environment of their own: Pulumi and Google's client
# libraries need different releases of protobuf.
INFRA := infra_pulumi
INFRA_BIN := $(INFRA)/.venv/bin
PULUMI := pulumi --cwd $(INFRA)
# The image's tag: the commit, so that a machine runs what its stack says. A new tag makes a new machine on the old disk.
TAG ?= $(shell git describe --always --dirty --abbrev=12)
OUTPUT = $$($(PULUMI) stack output
TUNNEL = gcloud compute start-iap-tunnel --project=$(OUTPUT) CHICAGO_CRIME_GCP_PROJECT) --zone=$(OUTPUT) zone) $(OUTPUT) machine)

.PHONY: help setup demo test lint dev dashboard bench lock setup-infra up env tunnel down
.DEFAULT_GOAL := help

help: ## list the targets
	@sed -nE 's/^([a-z-]+):.*## (.*)/make \1	\2/p' Makefile | expand -t 18

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

# Files in their order: else those with few tests, which are the longest, would come last, where one process waits.
test: setup lint ## lint, types and all tests; those of infra_pulumi after `make setup-infra`
	@$(BIN)/python -m pytest --numprocesses=2 --dist=loadfile --no-loadscope-reorder
	@if [ -e $(INFRA)/.venv/ready ]; then \
		(cd $(INFRA) && .venv/bin/mypy) && \
			$(INFRA_BIN)/python -m pytest --confcutdir=chicago_crime_tests/infra_pulumi chicago_crime_tests/infra_pulumi; \
	fi

lint: setup ## linters and types: Python, Dockerfile, Compose file, shell, workflows
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/hadolint Dockerfile
	@$(BIN)/shellcheck .ci/run
	@$(BIN)/check-jsonschema --quiet --builtin-schema vendor.compose-spec docker-compose.yaml
	@$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml

dev: setup ## the Dagster UI on http://127.0.0.1:3000; Ctrl-C stops it
	@exec $(BIN)/chicago-crime dev

dashboard: setup ## the dashboard on http://127.0.0.1:8050; Ctrl-C stops it
	@exec $(BIN)/chicago-crime dashboard

bench: setup ## measure speed and memory on 22 full-size years; takes some minutes and 10 GB of disk
	@$(BIN)/python -m benchmarks.run

setup-infra: $(INFRA)/.venv/ready ## make the virtual environment of infra_pulumi, for the targets below

$(INFRA)/.venv/ready: $(INFRA)/requirements.lock
	@echo "Setting up $(INFRA)/.venv from its requirements.lock: a minute ..."
	@$(PYTHON) -m venv $(INFRA)/.venv
	@$(INFRA_BIN)/python -m pip --disable-pip-version-check --quiet install --no-deps --require-hashes --requirement $<
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

tunnel: ## Dagster on http://127.0.0.1:3000 and the dashboard on :8050 of the stack's machine; Ctrl-C stops it
	@$(TUNNEL) 3000 --local-host-port=127.0.0.1:3000 & dagster=$$!; \
		$(TUNNEL) 8050 --local-host-port=127.0.0.1:8050 & dashboard=$$!; \
		trap "kill $$dagster $$dashboard" INT TERM; wait

down: setup-infra ## destroy all of the selected stack that is not protected
	@$(PULUMI) destroy

lock: setup ## write all locks anew from the .in files and infra_pulumi's requirements, for Python 3.11 and newer
	@$(PYTHON) -m venv build/uv && build/uv/bin/pip --disable-pip-version-check --quiet install uv
	@for files in requirements.in:requirements.lock requirements-server.in:requirements-server.lock \
			$(INFRA)/requirements.txt:$(INFRA)/requirements.lock; do \
		build/uv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
			--no-emit-package chicago-crime --no-annotate --no-header $${files%:*} --output-file $${files#*:} || exit; \
	done
