# make demo    a prompt becomes an upscaled video in a real ComfyUI, in rehearsal: no token, no cost
#              RUNCOMFY_API_TOKEN=... make demo MODE=live PROMPT="..." does it for real
# make comfyui the same ComfyUI with its web UI, to open in a browser and try; PORT=8188, Ctrl-C ends it
# make test    everything that has to pass
# make faults  breaks every call in every way and kills the process everywhere; prints what was bought and lost
# make fuzz    damages video files in every way and reads them; MINUTES=10
# make lint    the quick part of it: ruff and mypy
# make soak    a real ComfyUI under random graphs, Stops, faults, restarts and a budget, its jobs panel open in a browser:
#              nothing lost, bought twice or leaked; MINUTES=10, SEED=1; for the last quarter of the time, three at one
#              PostgreSQL that is restarted and cut
# make bench   how fast and lean frames are read, how soon a job's end is seen, what 200 jobs at once take, how soon a
#              price is known, and what upscaling takes beside ComfyUI's own chain, into benchmarks/README.md; takes an
#              hour or more and up to 22 GB; QUICK=1 is a quick look. CLIP=file measures with that too
# make screenshots  photographs the real web UI for docs/, and films a run, while the browser tests run
# make package   the zip that the registry would publish: its list and its size
# make validate  the registry's own tool checks and packs it (340 MB in .cache, once)
# make manager   ComfyUI-Manager installs that zip into a fresh ComfyUI, updates it and removes it; UPDATE_FROM=folder
#              of an earlier version begins with that
# make versions  the tests without ComfyUI on every Python from 3.10 to 3.13 that is here, and with old libraries
# make coverage  which branches of nodes/ the tests leave out, those of real servers included
# make node-diff BASE=folder NODE_DIFF=folder   would saved workflows break?
# make format  rewrites the code as ruff wants it
# make clean   removes what the above set up; demo-output stays, since it may have been paid for

PYTHON ?= python3
MODE ?= rehearsal
PORT ?= 8188
PROMPT ?=
QUICK ?=
CLIP ?=
MINUTES ?= 10
SEED ?= 1
# Handed over in the environment, so that no character of a prompt means anything to make or to a shell.
export DEMO_PROMPT := $(value PROMPT)

BIN := .venv/bin
READY := .venv/.ready

.PHONY: demo comfyui test faults fuzz soak lint bench screenshots package validate manager versions coverage node-diff format clean

demo: $(READY)
	@$(BIN)/python -m tools.demo --mode=$(MODE) --prompt="$$DEMO_PROMPT"

comfyui: $(READY)
	@$(BIN)/python -m tools.try_comfyui --port=$(PORT)

test: lint
	$(BIN)/pytest --numprocesses=2 --dist=loadfile --no-loadscope-reorder

faults: $(READY)
	ALL_FAULTS=1 JOURNAL_ROWS=1000000 $(BIN)/pytest -q -rP tests/faults tests/jobs/test_query_plans.py

soak: $(READY)
	$(BIN)/python -m tools.soak --minutes=$(MINUTES) --seed=$(SEED)

fuzz: $(READY)
	$(BIN)/python -m tests.video.fuzz --minutes $(MINUTES)

lint: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

bench: $(READY)
	$(BIN)/python -m benchmarks.polling $(if $(QUICK),--quick)
	$(BIN)/python -m benchmarks.journal_queries $(if $(QUICK),--quick)
	$(BIN)/python -m benchmarks.many_jobs $(if $(QUICK),--quick)
	$(BIN)/python -m benchmarks.journal $(if $(QUICK),--quick)
	$(BIN)/python -m benchmarks.decode $(if $(QUICK),--quick) $(if $(CLIP),--clip "$(CLIP)")
	$(BIN)/python -m benchmarks.upscale $(if $(QUICK),--quick)
	$(BIN)/python -m benchmarks.picker $(if $(QUICK),--quick)

package: $(READY)
	@$(BIN)/python -m tools.package

validate: $(READY)
	@$(BIN)/python -m tools.validate

manager: $(READY)
	$(BIN)/pytest -q tests/install

versions: $(READY)
	$(BIN)/python -m nox

COVERAGE := COVERAGE_RCFILE=$(CURDIR)/pyproject.toml COVERAGE_FILE=$(CURDIR)/.cache/coverage/data $(BIN)/coverage
COVERED := runcomfy video jobs rehearsal terminal comfyui hostile

coverage: $(READY)
	rm -rf .cache/coverage && mkdir -p .cache/coverage
	$(COVERAGE) run -m pytest -q $(addprefix tests/,$(COVERED)) $(wildcard tests/test_*.py)
	$(COVERAGE) combine -q
	$(COVERAGE) report

node-diff: $(READY)
	@$(BIN)/python -m tools.node_diff $(BASE) $(NODE_DIFF)

screenshots: $(READY)
	SCREENSHOTS=docs $(BIN)/pytest -q tests/browser

format: $(READY)
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

$(READY): requirements-dev.txt tools/comfyui-requirements.txt tools/environment.py
	$(PYTHON) tools/environment.py

clean:
	rm -rf .venv .cache .mypy_cache .pytest_cache .ruff_cache .hypothesis
