# What a person or CI runs. `make demo` and `make test` do all their own set-up, in .venv inside this checkout.
#
#   make demo     set up, encode a small ladder, judge it, end with the report's path
#   make test     set up, run the tests
#   make lint types bench
#   make setup TORCH=cuda   take PyTorch's CUDA build although nvidia-smi was not found (TORCH=cpu: the other way round)

PYTHON ?= python3
BIN := .venv/bin
TORCH ?= $(if $(shell command -v nvidia-smi 2>/dev/null),cuda,cpu)
CPU_INDEX := https://download.pytorch.org/whl/cpu
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet -c constraints.txt

.PHONY: setup demo test lint types bench clean
.DEFAULT_GOAL := help

help:
	@sed -n '1,/^$$/s/^# \{0,1\}//p' Makefile

setup: .venv/ready

# The stamp is newer than the files that say what to install: nothing is done twice.
.venv/ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "yoto-video needs Python 3.11 or newer; choose one with: make PYTHON=/path/to/python3.12" >&2; exit 1; }
	@echo "setting up .venv (PyTorch for $(TORCH)); the first time takes a few minutes" >&2
	@$(PYTHON) -m venv .venv
ifeq ($(TORCH),cpu)
# PyTorch's CPU builds first, by themselves: an index that cannot be reached costs seconds and is passed over.
	@$(PIP) --quiet --no-deps --retries 1 --timeout 15 --extra-index-url $(CPU_INDEX) torch torchvision
endif
	@$(PIP) --editable '.[dev,train]'
	@touch $@

demo: setup
	@$(BIN)/yoto-video demo

# Files of tests side by side: most tests have one thread, and hundreds of MB.
test: setup
	@$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile

lint: setup
	@$(BIN)/ruff check .

# mypy wants a folder named like the package; ours is the checkout itself, so it gets a link with that name.
types: setup
	@mkdir -p .types && ln -sfn .. .types/yoto_video
	@$(BIN)/mypy --strict -p yoto_video

bench: setup
	@set -e; for bench in benchmarks/bench_*.py; do echo "== $$bench"; $(BIN)/python $$bench; done

clean:
	rm -rf .venv .types build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
