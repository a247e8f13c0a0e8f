# Weir's commands. Everything is set up on the way, inside this folder; only Python, pip and make
# are needed. `make help` lists the targets.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
JOBS ?= 2
# One place for both locks: the default one never holds the large `validate` extra.
LOCK := constraints.txt
LOCK_VALIDATE := constraints-validate.txt
DEPENDENCIES := $(VENV)/.dependencies
INSTALLED := $(VENV)/.installed
PIP_INSTALL := install -qq --no-user --disable-pip-version-check
DEMO_PAGE := build/h20.html

# Settings of the caller that would make pip or Python work outside the environment.
unexport PYTHONPATH PYTHONHOME PIP_TARGET PIP_PREFIX PIP_ROOT PIP_REQUIRE_VIRTUALENV
unexport WEIR_DATA
# Byte code is kept, beside the source, so that commands start quickly.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo install test check bench lock validate-env chromium clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

demo: $(INSTALLED) ## The main answer: NVIDIA H20 for China, with DeepSeek-R1, and its page
	@mkdir -p $(dir $(DEMO_PAGE))
	@$(BIN)/weir assess H20 --to CN --on 2025-07-15 --model DeepSeek-R1 --html $(DEMO_PAGE)
	@echo
	@echo "The same answer with its pictures: $(DEMO_PAGE)"

install: $(INSTALLED) ## Set up .venv with Weir and all that its checks need

test: check chromium ## All checks, then all tests
	@$(BIN)/pytest -n $(JOBS) -q

check: $(INSTALLED) ## Format, lint, types, import contracts, data (no tests)
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy --no-error-summary
	@$(call quiet,lint-imports --no-logo)
	@$(call quiet,weir data check)

# Prints what a command prints only where it fails.
define quiet
$(BIN)/$(1) > $(VENV)/.output 2>&1 || { cat $(VENV)/.output; exit 1; }
endef

bench: $(INSTALLED) ## Timings (bench/), each against its target
	@set -e; for file in bench/bench_*.py; do echo "== $$file"; $(BIN)/python "$$file"; done

# uv only writes the files; nothing else uses it. Addresses stay out of them.
lock: $(INSTALLED) ## Rewrite both locks with the newest allowed versions
	@$(BIN)/python -m pip $(PIP_INSTALL) uv
	@$(call compile,$(LOCK),--extra report --extra documents --extra tables --extra dev)
	@$(call compile,$(LOCK_VALIDATE),--extra validate --constraints $(LOCK))

define compile
$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 \
	--fork-strategy fewest --generate-hashes \
	--no-header --no-annotate $(2) --output-file $(1) pyproject.toml
endef

validate-env: $(INSTALLED) ## Add the measured kernel tables (several hundred MB)
	@$(BIN)/python -m pip $(PIP_INSTALL) --require-hashes --no-deps -r $(LOCK_VALIDATE)

$(BIN)/python:
	@command -v $(PYTHON) > /dev/null || { \
	  echo "Weir needs Python 3.11 or newer, and there is no $(PYTHON) here."; \
	  echo "Install it, or name one you have: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "Weir needs Python 3.11 or newer, but $(PYTHON) is $$($(PYTHON) --version 2>&1)."; \
	  echo "Install a newer one, or name one you have: make PYTHON=python3.12"; exit 1; }
	@echo "Setting up $(VENV) (once)"
	@$(PYTHON) -m venv --clear $(VENV) > /dev/null 2>&1 || { \
	  $(PYTHON) -m venv --clear --without-pip $(VENV) && \
	  $(PYTHON) -m pip --python $(VENV) $(PIP_INSTALL) --no-deps pip; } || { \
	  rm -rf $(VENV); \
	  echo "$(PYTHON) cannot make a virtual environment: install its venv module or pip"; \
	  echo "(on Debian and Ubuntu: apt-get install python3-venv)"; exit 1; }

$(DEPENDENCIES): $(LOCK) | $(BIN)/python
	@echo "Installing what Weir and its checks need (about a minute, once)"
	@$(BIN)/python -m pip $(PIP_INSTALL) --require-hashes --no-deps -r $(LOCK)
	@touch $@

$(INSTALLED): pyproject.toml $(DEPENDENCIES)
	@$(BIN)/python -m pip $(PIP_INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

# The test of the page needs a browser; where there is none and none can be installed it is
# skipped and says so.
chromium:
	@command -v chromium > /dev/null || [ "$$(id -u)" != 0 ] || ! command -v apt-get > /dev/null || { \
	  echo "Installing chromium for the test of the page (once)"; \
	  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
	    apt-get install -qq -y --no-install-recommends chromium; } > $(VENV)/.chromium.log 2>&1 \
	  < /dev/null || echo "chromium could not be installed: see $(VENV)/.chromium.log"; }

clean: ## Remove the environment and everything built
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .cache \
	  .import_linter_cache src/weir/data/.cache
	find src tests bench docs -name __pycache__ -type d -prune -exec rm -rf {} +
