# make demo    a prompt becomes an upscaled video in a real ComfyUI, in rehearsal: no token, no cost
#              RUNCOMFY_API_TOKEN=... make demo MODE=live PROMPT="..." does it for real
# make test    everything that has to pass
# make lint    the quick part of it: ruff and mypy
# make format  rewrites the code as ruff wants it
# make clean   removes what the above set up; demo-output stays, since it may have been paid for

PYTHON ?= python3
MODE ?= rehearsal
PROMPT ?=
# Handed over in the environment, so that no character of a prompt means anything to make or to a shell.
export DEMO_PROMPT := $(value PROMPT)

BIN := .venv/bin
READY := .venv/.ready

.PHONY: demo test lint format clean

demo: $(READY)
	@$(BIN)/python -m tools.demo --mode=$(MODE) --prompt="$$DEMO_PROMPT"

test: lint
	$(BIN)/pytest

lint: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

format: $(READY)
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

$(READY): requirements-dev.txt tools/comfyui-requirements.txt tools/environment.py
	$(PYTHON) tools/environment.py

clean:
	rm -rf .venv .cache .mypy_cache .pytest_cache .ruff_cache .hypothesis
