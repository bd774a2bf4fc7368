# Everything sets itself up: a bare machine with Python 3.11 and make is enough.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV_VERSION := 0.13.8
STAMP := $(VENV)/.synced
DEV_STAMP := $(VENV)/.synced-dev
SYNC := VIRTUAL_ENV=$(abspath $(VENV)) $(BIN)/uv sync --frozen --inexact --all-extras
WORKER_MYPY := --strict --explicit-package-bases --ignore-missing-imports --config-file=

.PHONY: run test soak unit e2e check format generate bench voices clean

run: $(STAMP) voices
	@exec $(BIN)/visavis serve $(ARGS)

test: $(DEV_STAMP) voices
	@$(BIN)/python -m pytest $(ARGS)

# Leaks over fifty calls, vanished callers, whole upgrades: some minutes.
soak: $(DEV_STAMP) voices
	@$(BIN)/python -m pytest -m soak $(ARGS)

unit: $(DEV_STAMP)
	@$(BIN)/python -m pytest -m "unit or contract" $(ARGS)

e2e: $(DEV_STAMP) voices
	@$(BIN)/python -m pytest tests/e2e -m "e2e or soak" $(ARGS)

check: $(DEV_STAMP) voices
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	cd agent/tts/worker && MYPYPATH=. $(abspath $(BIN))/mypy $(WORKER_MYPY) *.py
	$(BIN)/python -m pytest $(ARGS)

format: $(DEV_STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# The page's wire types and the built page; needs Node, which running does not.
generate: $(DEV_STAMP)
	$(BIN)/python -m agent.web.generate
	cd agent/web && npm ci --no-audit --no-fund && npm run build

bench: $(STAMP) voices
	@$(BIN)/visavis bench call $(ARGS)

# Flite's voices are made from real speakers; they are a small Debian package.
voices:
	@if [ "$(NO_APT)" != 1 ] && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null \
	&& ! ldconfig -p | grep -q libflite_cmu_us_slt; then \
		echo "visavis: installing libflite1, voices made from real speakers (NO_APT=1 forbids)"; \
		{ apt-get -o Acquire::http::Timeout=15 update -qq && apt-get install -qq -y --no-install-recommends libflite1; } \
			>/dev/null 2>&1 || echo "visavis: libflite1 could not be installed; espeak-ng speaks instead"; \
	fi

$(BIN)/uv:
	@$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info[:2] < (3, 13) else \
		"visavis needs Python 3.11 or 3.12: make PYTHON=python3.11 run")'
	@echo "visavis: making $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV) || { echo "visavis: on Debian or Ubuntu: apt-get install python3-venv"; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check "uv==$(UV_VERSION)"

$(STAMP): pyproject.toml uv.lock | $(BIN)/uv
	@echo "visavis: installing the locked packages (about 1 GB, once)"
	@$(SYNC) --no-default-groups
	@touch $@

$(DEV_STAMP): pyproject.toml uv.lock | $(BIN)/uv
	@echo "visavis: installing the locked packages, with those of the tests"
	@$(SYNC) --group dev
	@touch $@ $(STAMP)

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache tests/output
