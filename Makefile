# Everything a developer runs. `make` alone lists it.
# Set-up is part of every target and costs nothing when nothing changed.
SHELL := /bin/sh
.DEFAULT_GOAL := help
UV := .tools/bin/uv
RUN := .venv/bin
AIRFLOW := .airflow/bin
PYTEST := $(RUN)/pytest -q
COMPILE := $(UV) pip compile --quiet --universal --generate-hashes --no-emit-index-url --python-version 3.11 --upgrade

.PHONY: help setup setup-airflow setup-peers demo demo-airflow test test-fast check drills bench lock clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 16

# --- set-up -------------------------------------------------------------------------------------

.tools/bin/uv: requirements/tools.txt
	@scripts/need.sh venv
	@rm -rf .tools && python3 -m venv .tools
	@.tools/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/tools.txt
	@touch $@

.venv/.installed: .tools/bin/uv requirements/dev.txt pyproject.toml
	@test -x $(RUN)/python || $(UV) venv --quiet --python python3 .venv
	@VIRTUAL_ENV=.venv $(UV) pip sync --quiet --require-hashes --compile-bytecode requirements/dev.txt
	@VIRTUAL_ENV=.venv $(UV) pip install --quiet --no-deps --editable .
	@touch $@

.airflow/.installed: .tools/bin/uv requirements/airflow.txt airflow-provider/pyproject.toml
	@test -x $(AIRFLOW)/python || $(UV) venv --quiet --python python3 .airflow
	@VIRTUAL_ENV=.airflow $(UV) pip sync --quiet --require-hashes --compile-bytecode requirements/airflow.txt
	@VIRTUAL_ENV=.airflow $(UV) pip install --quiet --no-deps --editable airflow-provider
	@touch $@

tests/peers/node_modules/.installed: tests/peers/package-lock.json .venv/.installed
	@scripts/node.sh ci --prefix tests/peers
	@touch $@

setup: .venv/.installed  ## install the product and its tools into this folder
setup-airflow: .airflow/.installed  ## install Apache Airflow and the provider beside it
setup-peers: setup setup-airflow tests/peers/node_modules/.installed  ## install what the tests talk to

# --- what people run ----------------------------------------------------------------------------

demo: setup  ## the whole story in one screen; KEEP=1 leaves the gateway up
	@$(RUN)/interlock demo $(if $(KEEP),--keep)

demo-airflow: setup setup-airflow  ## the same, the event sent by a real Airflow run
	@$(RUN)/python examples/airflow-looker/run.py

example-%: setup setup-airflow  ## run examples/<folder> end to end
	@$(RUN)/python examples/$*/run.py

test: setup-peers  ## every test
	@$(PYTEST) -n 2 --dist loadgroup
	@$(AIRFLOW)/pytest -q airflow-provider/tests

test-fast: setup  ## the inner loop: no real peers, no drills
	@$(PYTEST) -n 2 -m "not peer and not drill and not slow"

check: setup setup-airflow  ## format, lint, types, import contracts, docs: under a minute
	@$(RUN)/ruff format --check --quiet .
	@$(RUN)/ruff check --quiet .
	@$(RUN)/mypy
	@cd airflow-provider && ../$(RUN)/mypy --python-executable ../$(AIRFLOW)/python
	@$(RUN)/lint-imports --no-logo > .import-report || { cat .import-report; exit 1; }
	@$(RUN)/interrogate --quiet src airflow-provider/src
	@$(PYTEST) tests/house

drills: setup-peers  ## break things on purpose, one line each
	@$(PYTEST) -s -m drill tests/drills

bench: setup  ## measure, beside a peer in the same run
	@$(RUN)/python -m bench

lock: .tools/bin/uv  ## rewrite requirements/*.txt
	$(COMPILE) requirements/tools.in -o requirements/tools.txt
	$(COMPILE) pyproject.toml -o requirements/run.txt
	$(COMPILE) pyproject.toml --group dev -o requirements/dev.txt
	$(COMPILE) requirements/airflow.in -o requirements/airflow.txt

clean:  ## remove everything the set-up made
	rm -rf .venv .tools .airflow .node tests/peers/node_modules
