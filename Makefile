# Everything sets itself up: a bare machine with Python 3.11 and make is enough.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV_VERSION := 0.13.8
STAMP := $(VENV)/.synced
DEV_STAMP := $(VENV)/.synced-dev
SYNC := $(BIN)/uv sync --frozen --inexact --all-extras

.PHONY: run test check format e2e bench generate clean

run: $(STAMP)
	@exec $(BIN)/visavis serve $(ARGS)

test: $(DEV_STAMP)
	$(BIN)/python -m pytest $(ARGS)

check: $(DEV_STAMP)
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy
	cd agent/tts/worker && $(abspath $(BIN))/mypy --strict --ignore-missing-imports --config-file= *.py
	$(BIN)/python -m pytest $(ARGS)

format: $(DEV_STAMP)
	$(BIN)/ruff format . && $(BIN)/ruff check --fix .

$(BIN)/uv:
	@echo "visavis: making $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info[:2] < (3, 13) else "visavis needs Python 3.11 or 3.12: make PYTHON=python3.11 run")'
	@$(PYTHON) -m venv $(VENV) || { echo "visavis: on Debian or Ubuntu run: apt-get install python3-venv"; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check "uv==$(UV_VERSION)"

$(STAMP): pyproject.toml uv.lock | $(BIN)/uv
	@echo "visavis: installing the locked packages (about 1 GB once)"
	@VIRTUAL_ENV=$(abspath $(VENV)) $(SYNC) --no-default-groups
	@touch $@

$(DEV_STAMP): pyproject.toml uv.lock | $(BIN)/uv
	@echo "visavis: installing the locked packages for development"
	@VIRTUAL_ENV=$(abspath $(VENV)) $(SYNC) --group dev
	@touch $@ $(STAMP)

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache
