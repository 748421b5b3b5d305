# The commands of CityVitals. `make` alone lists them.
# Written for GNU make 3.81 and later, so that the one macOS ships is enough.

VENV   := .venv
BIN    := $(VENV)/bin
PYTHON ?=
ARGS   ?=

# Where it is set, each of the thousand processes of the tests compiles every module again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup dev servers demo test lint style lowest lock coverage mutation format generated grafana-look bench bench-peers bench-firmware chaos engine scale-test site release clean

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo "  ARGS='...' is handed on, as in: make demo ARGS='--seconds 60'"

setup: $(VENV)/.installed-demo ## make .venv with cityvitals and all that one machine needs to run a city
	@:

dev: $(VENV)/.installed-dev typings/.installed ## the same, with all that the tests and checks need
	@:

servers: ## install the real servers the tests talk to (Debian and Ubuntu)
	@tools/get-servers

demo: $(VENV)/.installed-demo ## a simulated city, live on http://localhost:8000
	@$(BIN)/cityvitals demo $(ARGS)

WORKERS ?= 5# on two cores: many tests wait for processes, the chaos runs for minutes
BESIDE := build/beside
test: dev servers style ## every check and every test
	@# Types and coverage run beside the tests, each on one processor, and are printed after them.
	@mkdir -p $(BESIDE); \
	nice $(BIN)/mypy > $(BESIDE)/types 2>&1 & types=$$!; \
	nice $(BIN)/python -m tools.core_coverage > $(BESIDE)/coverage 2>&1 & coverage=$$!; \
	$(BIN)/python -m tests.run -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS); tests=$$?; \
	wait $$coverage; covered=$$?; cat $(BESIDE)/coverage; \
	wait $$types; typed=$$?; echo "mypy:"; cat $(BESIDE)/types; \
	exit $$(( tests ? tests : covered ? covered : typed ))

lint: style ## style, formatting, spelling, wording and types
	$(BIN)/mypy

style: dev ## the same without types: seconds
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell
	$(BIN)/python -m tools.check_words
	$(BIN)/python -m tools.check_licences

format: dev ## put the code into the house format
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

lowest: dev servers ## the fast part of the tests with the lowest version of each library
	@tools/test-lowest $(ARGS)

lock: dev ## write the lock files again: make lock ARGS=--upgrade takes the newest versions
	@tools/lock $(ARGS)

generated: dev ## write again all pages, tables and dashboards that are made from the code
	@$(BIN)/python -m tools.generated

grafana-look: dev ## pictures of every dashboard of a running Grafana: make grafana-look URL=http://localhost:3000
	@test -n "$(URL)" || { echo "Say which Grafana: make grafana-look URL=http://localhost:3000"; exit 2; }
	$(BIN)/python -m tools.grafana_look $(URL) $(ARGS)

coverage: dev ## branch coverage of the core modules by their own tests: make coverage ARGS=--write for docs/coverage.md
	@nice $(BIN)/python -m tools.core_coverage $(ARGS)

mutation: dev ## mutation testing of the core modules (hours): make mutation ARGS='--each 20'
	$(BIN)/python -m tests.mutation $(ARGS)

bench: dev servers ## measure speed, latency and memory; writes build/bench.json
	$(BIN)/python -m tests.bench $(ARGS)

bench-peers: dev servers ## gateway and ingest beside Telegraf: make bench-peers ARGS='--telegraf /usr/bin/telegraf'
	$(BIN)/python -m tests.bench.peers $(ARGS)

bench-firmware: dev servers ## publish rate, heap, bundle size and flash wear of the firmware
	$(BIN)/python tools/bench_firmware.py $(ARGS)

SEED    ?= 1
MINUTES ?= 5
chaos: dev servers ## break everything in turn and count the readings: make chaos SEED=7 MINUTES=5
	$(BIN)/python -m tests.chaos --seed $(SEED) --minutes $(MINUTES) $(ARGS)

engine: ## get Flink and Kafka, some 930 MB into .cache/engine: make scale-test runs on them
	@tools/get-engine

scale-test: dev engine ## the job on a real Flink while its workers are killed: make scale-test ARGS='--minutes 2 --cities 6'
	$(BIN)/python -m tests.scale.proof $(ARGS)

site: dev ## the documentation as a folder that needs no server: build/site/index.html
	$(BIN)/python -m tools.site

release: dev ## all that is published with a version, in build/release: make release ARGS=--snapshot
	$(BIN)/python -m tools.release $(ARGS)

clean: ## remove what was built, downloaded and cached
	rm -rf $(VENV) build typings .cache .mypy_cache .ruff_cache .hypothesis *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamps make a second call instant; a changed pyproject.toml or lock file installs again. The lock file names every
# version with its hashes; the second line installs CityVitals itself and what the lock does not cover, which is nothing
# (tests/test_dependencies.py).
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
$(VENV)/.installed-demo: pyproject.toml deploy/requirements.lock
	@PYTHON='$(PYTHON)' tools/make-venv $(VENV)
	@echo "Installing CityVitals into $(VENV) with gateway, ingest, API and an embedded broker; half a minute to two."
	@$(PIP) --requirement deploy/requirements.lock
	@$(PIP) --editable '.[demo]'
	@touch $@

$(VENV)/.installed-dev: pyproject.toml requirements-dev.lock
	@PYTHON='$(PYTHON)' tools/make-venv $(VENV)
	@echo "Installing CityVitals and the tools for tests and checks into $(VENV); the first time takes a minute."
	@tools/install-dev $(VENV)
	@touch $(VENV)/.installed-demo $@

# What the board's own modules look like, for the type check of the firmware. Outside of the virtual environment,
# because these stubs would hide those of CPython's library.
STUBS := micropython-esp32-stubs>=1.25,<2
typings/.installed: Makefile | $(VENV)/.installed-dev
	@rm -rf typings
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --target typings '$(STUBS)'
	@touch $@
