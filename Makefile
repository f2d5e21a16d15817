# Two commands matter: `make demo` and `make test`. Both set up everything they need, once.

VENV ?= .venv
RUN  ?= runs/demo

BIN     := $(VENV)/bin
READY   := $(VENV)/.segdistill-ready
INSTALL  = $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-browser docs lint format coverage constraints clean

help:            ## this list
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22

setup: $(READY)  ## install into $(VENV), if anything changed

demo: $(READY)   ## synthetic images -> teacher -> baseline -> distilled student -> report.html
	$(BIN)/segdistill demo --out $(RUN)

test: $(READY)   ## the fast suite
	$(BIN)/python -m pytest --quiet --numprocesses auto --dist worksteal

test-browser: $(READY) ## the app in Chromium, which the system must have; installs gradio and playwright
	@$(INSTALL) --no-build-isolation --editable '.[browser]'
	$(BIN)/python -m pytest --quiet -m browser tests/app

docs: $(READY)   ## write the pages of the methods and the table of protocols anew, from the code
	$(BIN)/python docs/pages.py
	$(BIN)/python docs/protocols.py

lint: $(READY)   ## style, types, and who may import whom
	$(BIN)/ruff check --quiet
	$(BIN)/ruff format --check --quiet
	$(BIN)/mypy --no-error-summary
	$(BIN)/lint-imports --no-logo --no-cache

format: $(READY) ## let ruff mend what it can
	$(BIN)/ruff check --fix --quiet
	$(BIN)/ruff format --quiet

coverage: $(READY) ## the fast suite again, with the share of lines and branches it runs
	$(BIN)/python -m pytest --quiet --cov --cov-report=term

constraints: $(READY) ## write constraints.txt anew, from what is installed
	@{ grep '^#' constraints.txt; $(BIN)/python -m pip freeze --all --exclude-editable \
	  | grep -viE '^(pip|nvidia-[^=]*|cuda-[^=]*|triton)=='; } > constraints.new && mv constraints.new constraints.txt

clean:           ## remove caches and what the demo wrote; the environment stays
	rm -rf $(RUN) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .coverage .coverage.* dist build
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

# The first python on the PATH that is new enough and can make an environment.
$(BIN)/python:
	@for python in $(PYTHON) python3 python3.13 python3.12 python3.11; do \
	  if $$python -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    echo "creating $(VENV) with $$($$python --version)"; exec $$python -m venv $(VENV); \
	  fi; \
	done; echo "segdistill needs Python 3.11 or later: install it, or name it with make PYTHON=/path/to/python" >&2; exit 1

# The build backend comes first and isolation is off: pip then has no reason to ask a registry for what is there already.
$(READY): pyproject.toml constraints.txt | $(BIN)/python
	@echo "installing into $(VENV) (the first time takes a few minutes: PyTorch is large)"
	@$(INSTALL) hatchling editables
	@$(INSTALL) --no-build-isolation --editable '.[dev,lite,medical,deploy]'
	@touch $@
