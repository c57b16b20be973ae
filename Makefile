# Each target does all its set-up on a machine that has python3 (3.11 or later, with venv and pip).
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: demo test check format bench soak clean

$(STAMP): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade pip
	PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $(STAMP)

demo: $(STAMP)  ## Fills an invented alliance and serves it on port 8000.
	$(BIN)/alliance demo

test: $(STAMP)  ## Everything CI runs.
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -n 2 -m "not soak"

check: $(STAMP)  ## The same without the slow tests.
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -n 2 -m "not slow and not soak"

format: $(STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(STAMP)  ## Prints ratios to a yardstick measured in the same run.
	$(BIN)/python -m benchmarks

soak: $(STAMP)  ## Long fault and load runs.
	$(BIN)/python -m pytest -m soak

clean:
	rm -rf $(VENV)
