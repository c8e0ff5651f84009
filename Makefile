# make demo    a prompt becomes an upscaled video in a real ComfyUI, in rehearsal: no token, no cost
#              RUNCOMFY_API_TOKEN=... make demo MODE=live PROMPT="..." does it for real
# make test    everything that has to pass
# make faults  breaks every call in every way and kills the process everywhere; prints what was bought and lost
# make lint    the quick part of it: ruff and mypy
# make bench   how fast and lean frames are read, and how soon a job's end is seen, into benchmarks/README.md;
#              takes some minutes and up to 22 GB; QUICK=1 is a quick look. CLIP=file measures with that too
# make format  rewrites the code as ruff wants it
# make clean   removes what the above set up; demo-output stays, since it may have been paid for

PYTHON ?= python3
MODE ?= rehearsal
PROMPT ?=
QUICK ?=
CLIP ?=
# Handed over in the environment, so that no character of a prompt means anything to make or to a shell.
export DEMO_PROMPT := $(value PROMPT)

BIN := .venv/bin
READY := .venv/.ready

.PHONY: demo test faults lint bench format clean

demo: $(READY)
	@$(BIN)/python -m tools.demo --mode=$(MODE) --prompt="$$DEMO_PROMPT"

test: lint
	$(BIN)/pytest

faults: $(READY)
	$(BIN)/pytest -q tests/faults

lint: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

bench: $(READY)
	$(BIN)/python -m benchmarks.polling $(if $(QUICK),--quick)
	$(BIN)/python -m benchmarks.decode $(if $(QUICK),--quick) $(if $(CLIP),--clip "$(CLIP)")

format: $(READY)
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

$(READY): requirements-dev.txt tools/comfyui-requirements.txt tools/environment.py
	$(PYTHON) tools/environment.py

clean:
	rm -rf .venv .cache .mypy_cache .pytest_cache .ruff_cache .hypothesis
