# `make run` needs Python 3.11 or later and nothing else; `make test` checks everything that does not need AWS.
# The Python that the environments are made with: `make run PYTHON=python3.12`.
PYTHON := python3
VENV := .venv
SAM_VENV := .venv-sam
# Python that ends with one line at Ctrl-C.
RUN := $(VENV)/bin/python -m ops.interrupt
# The files pin everything that is needed, so that pip has nothing to resolve.
PIP_FLAGS := --quiet --disable-pip-version-check --no-deps --require-hashes

.PHONY: help run local test lint unit browser golden chaos bench mutate requirements audit clean interpreter build-EscalateFunction
help: ## List these targets
	@sed -nE 's/^([a-z]+):.*## (.*)/  make \1\t\2/p' Makefile | expand -t 24
	@echo "  PYTHON=python3.12     After any of them: the Python to make the environments with"

run: $(VENV)/ops ## Run the whole path on this machine, and check it
	@$(RUN) ops.local.run

local: $(VENV)/ops ## Keep the local stack up and poll its queue (LOCAL=--no-poll: do not poll)
	@$(RUN) ops.local.serve $(LOCAL)

test: lint unit ## Lint, types, template, and all tests

lint: $(VENV)/tests $(SAM_VENV)/ready ## Lint, types and template only
	$(VENV)/bin/ruff check --quiet
	$(VENV)/bin/ruff format --check --quiet
	$(VENV)/bin/mypy --no-error-summary
	$(VENV)/bin/cfn-lint template.yaml
	$(SAM_VENV)/bin/sam validate --lint --region us-east-1

# A file of tests stays together: its tests share what is costly to set up.
unit: browser $(SAM_VENV)/ready ## All tests; TESTS="..." are options of pytest
	@$(RUN) pytest -n auto --dist loadfile $(TESTS)

browser: $(VENV)/tests ## Install a browser for the tests of the report, where there is none
	@$(RUN) tests.report.browser

golden: $(VENV)/tests ## Write tests/golden anew, for review
	@$(RUN) tests.golden.published

chaos: $(VENV)/tests ## Kill the function, break all around it, and count
	@$(RUN) tests.faults.chaos $(CHAOS)

bench: $(VENV)/tests ## Measure it beside what a user would write
	@$(RUN) tests.benchmarks $(BENCH)

mutate: $(VENV)-mutate/ready ## Change the code in places, and list what no unit test notices
	@$(VENV)-mutate/bin/python tests/mutation/mutate.py $(MUTATE)

requirements: ## Pin the newest releases, with hashes
	$(PYTHON) ops/venv.py make $(VENV)-uv && $(VENV)-uv/bin/python -m pip install --quiet uv
	for of in tests tests/mutation ops functions tests/local; do \
	  $(VENV)-uv/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-annotate \
	    --custom-compile-command 'make requirements' $${pins:+-c $$pins} $$of/requirements.in -o $$of/requirements.txt; \
	  case $$of in tests) pins=tests/requirements.txt;; functions) pins=;; esac; \
	done
	rm -rf $(VENV)-uv

audit: ## Look the pins up among known vulnerabilities
	$(PYTHON) ops/venv.py make $(VENV)-audit && $(VENV)-audit/bin/python -m pip install --quiet pip-audit
	for of in functions ops tests tests/local; do \
	  $(VENV)-audit/bin/pip-audit --progress-spinner off --require-hashes --disable-pip -r $$of/requirements.txt || failed=1; \
	done; rm -rf $(VENV)-audit; exit $${failed:-0}

# An environment is remade when its pins change. Three stand on top of each other: function, local stack, tests.
# pip comes last, so where it is missing the environment was left half made, and is made again.
$(VENV)/bin/pip $(SAM_VENV)/bin/pip $(VENV)-mutate/bin/pip: | interpreter
	@$(PYTHON) ops/venv.py make $(@:/bin/pip=)

interpreter:
ifeq ($(origin PYTHON), command line)
	@$(PYTHON) ops/venv.py check $(VENV) $(SAM_VENV)
endif

$(VENV)/ops: ops/requirements.txt | $(VENV)/bin/pip
	@echo "Installing the local stack into $(VENV) (once, about half a minute) ..."
	@$(VENV)/bin/python -m pip install $(PIP_FLAGS) -r $< && touch $@

$(VENV)/tests: tests/requirements.txt | $(VENV)/bin/pip
	@echo "Installing what the tests need into $(VENV) (once) ..."
	@$(VENV)/bin/python -m pip install $(PIP_FLAGS) -r $< && touch $@ $(VENV)/ops

$(SAM_VENV)/ready: tests/local/requirements.txt | $(SAM_VENV)/bin/pip
	@echo "Installing the SAM command line into $(SAM_VENV) (once) ..."
	@$(SAM_VENV)/bin/python -m pip install $(PIP_FLAGS) -r $< && touch $@

$(VENV)-mutate/ready: tests/mutation/requirements.txt | $(VENV)-mutate/bin/pip
	@echo "Installing the mutation tool into $(VENV)-mutate (once) ..."
	@$(VENV)-mutate/bin/python -m pip install $(PIP_FLAGS) -r $< && touch $@

clean: ## Remove everything that was installed or built
	rm -rf $(VENV) $(SAM_VENV) $(VENV)-mutate .aws-sam .local .mypy_cache .ruff_cache .pytest_cache .hypothesis

# --- called by `sam build`, with ARTIFACTS_DIR ----------------------------------------------------------------------

# Ships functions/, schemas/ and the pinned wheels. One of them is compiled (rpds-py, of jsonschema): both architectures'
# are laid over each other, under file names of their own, so that one package runs on either and the template's
# Architecture cannot disagree with the build. pip gets the target named, so that any Python can build it. The benchmark
# alone names another RUNTIME, where 3.13 is not there to measure with.
RUNTIME := 3.13
WHEELS := --quiet --disable-pip-version-check --no-compile --no-deps --only-binary :all: --require-hashes \
  --implementation cp --python-version $(RUNTIME) -r functions/requirements.txt

build-EscalateFunction:
	@python3 -m pip install $(WHEELS) --platform manylinux2014_x86_64 --target "$(ARTIFACTS_DIR)"
	@other=$$(mktemp -d) && \
	  python3 -m pip install $(WHEELS) --platform manylinux2014_aarch64 --target "$$other" && \
	  cp -r "$$other/." "$(ARTIFACTS_DIR)" && rm -rf "$$other"
	@rm -rf "$(ARTIFACTS_DIR)/bin"
	@python3 ops/ballast.py "$(ARTIFACTS_DIR)"
	@tar -c --exclude=__pycache__ --exclude='requirements.*' functions schemas | tar -x -C "$(ARTIFACTS_DIR)"
# Byte code that is never checked against its source: a package carries the time stamps of 1980, with which Python
# trusts no other. Only 3.13 itself can write it; without it the package works, and starts more slowly. The warning goes
# to stdout: sam shows what a recipe writes there, and hides stderr unless the recipe fails.
	@if python$(RUNTIME) -c "" 2>/dev/null; then \
	  python$(RUNTIME) -m compileall -q -j 0 --invalidation-mode unchecked-hash "$(ARTIFACTS_DIR)"; \
	else \
	  echo "WARNING: python$(RUNTIME) does not run here, so the package has no byte code. The function works, but each cold" \
	    "start is slower. To avoid this, install Python $(RUNTIME) and run sam build again."; \
	fi
