# `make run` requires Python 3.11 or later and nothing else. `make test` runs all checks that need no AWS account.
# The Python of the virtual environments; for another one: `make run PYTHON=python3.12`.
PYTHON := python3
VENV := .venv
SAM_VENV := .venv-sam
# Prints one line instead of a traceback at Ctrl-C.
RUN := $(VENV)/bin/python -m ops.interrupt
# The requirement files pin all dependencies, so that pip resolves nothing.
PIP_FLAGS := --quiet --disable-pip-version-check --no-deps --require-hashes

.PHONY: help run local test lint unit browser linkifiers screenshot golden chaos bench mutate requirements audit clean interpreter build-EscalateFunction build-FeedFunction
help: ## List these targets
	@sed -nE 's/^([a-z]+):.*## (.*)/  make \1\t\2/p' Makefile | expand -t 24
	@echo "  PYTHON=python3.12     After any target: the Python of the virtual environments"

run: $(VENV)/ops ## Run example emails through the function on this machine, and check the results
	@$(RUN) ops.local.run

local: $(VENV)/ops ## Keep the local stack up and poll its queue (LOCAL=--no-poll: leave messages on it)
	@$(RUN) ops.local.serve $(LOCAL)

test: lint unit ## Run the linters, the type checker, the template checks and all tests

lint: $(VENV)/tests $(SAM_VENV)/ready ## Run the linters, the type checker and the template checks only
	$(VENV)/bin/ruff check --quiet
	$(VENV)/bin/ruff format --check --quiet
	$(VENV)/bin/mypy --no-error-summary
	$(VENV)/bin/cfn-lint template.yaml
	$(SAM_VENV)/bin/sam validate --lint --region us-east-1

# The tests of one file run in one process, because they share fixtures that are slow to set up.
unit: browser linkifiers $(SAM_VENV)/ready ## Run all tests (TESTS="...": options of pytest)
	@$(RUN) pytest -n auto --dist loadfile $(TESTS)

browser: $(VENV)/tests ## Install a browser for the tests of the report, if there is none
	@$(RUN) tests.report.browser

linkifiers: $(VENV)/tests ## Install linkifiers of Node.js for the test of defanged texts, if npm is there
	@$(RUN) tests.linkifiers.linkifiers

screenshot: browser ## Regenerate docs/report.png, the screenshot in the README
	@$(RUN) tests.report.screenshot docs/report.png

golden: $(VENV)/tests ## Regenerate tests/golden, for review
	@$(RUN) tests.golden.published

chaos: $(VENV)/tests ## Inject faults and crashes, and count lost and repeated alerts (CHAOS="...": options)
	@$(RUN) tests.faults.chaos $(CHAOS)

bench: $(VENV)/tests ## Measure the function and the baselines (BENCH="...": options)
	@$(RUN) tests.benchmarks $(BENCH)

mutate: $(VENV)-mutate/ready ## Mutate the code, and list the mutants that unit tests miss (MUTATE="...": options)
	@$(VENV)-mutate/bin/python tests/mutation/mutate.py $(MUTATE)

requirements: ## Pin the newest releases of all dependencies, with hashes
	$(PYTHON) ops/venv.py make $(VENV)-uv && $(VENV)-uv/bin/python -m pip install --quiet uv
	for of in tests tests/mutation ops functions tests/sam; do \
	  $(VENV)-uv/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-annotate \
	    --custom-compile-command 'make requirements' $${pins:+-c $$pins} $$of/requirements.in -o $$of/requirements.txt; \
	  case $$of in tests) pins=tests/requirements.txt;; functions) pins=;; esac; \
	done
	rm -rf $(VENV)-uv

audit: ## Check the pinned dependencies for known vulnerabilities
	$(PYTHON) ops/venv.py make $(VENV)-audit && $(VENV)-audit/bin/python -m pip install --quiet pip-audit
	for of in functions ops tests tests/sam; do \
	  $(VENV)-audit/bin/pip-audit --progress-spinner off --require-hashes --disable-pip -r $$of/requirements.txt || failed=1; \
	done; rm -rf $(VENV)-audit; exit $${failed:-0}

# An environment is updated when its pins change. The pins build on each other: function, local stack, tests.
# venv installs pip last. If pip is missing, the environment is incomplete, and is created again.
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
	@echo "Installing the test dependencies into $(VENV) (once) ..."
	@$(VENV)/bin/python -m pip install $(PIP_FLAGS) -r $< && touch $@ $(VENV)/ops

$(SAM_VENV)/ready: tests/sam/requirements.txt | $(SAM_VENV)/bin/pip
	@echo "Installing the SAM command line into $(SAM_VENV) (once) ..."
	@$(SAM_VENV)/bin/python -m pip install $(PIP_FLAGS) -r $< && touch $@

$(VENV)-mutate/ready: tests/mutation/requirements.txt | $(VENV)-mutate/bin/pip
	@echo "Installing the mutation tool into $(VENV)-mutate (once) ..."
	@$(VENV)-mutate/bin/python -m pip install $(PIP_FLAGS) -r $< && touch $@

clean: ## Remove all environments and build results
	rm -rf $(VENV) $(SAM_VENV) $(VENV)-mutate .aws-sam .local .mypy_cache .ruff_cache .pytest_cache .hypothesis tests/linkifiers/node_modules

# --- called by `sam build`, with ARTIFACTS_DIR ----------------------------------------------------------------------

# The package has functions/, schemas/ and the pinned wheels. Three wheels are compiled (rpds-py of jsonschema, cffi and
# ada-url). Their files for both architectures have different names, so one package has both, and the template's
# Architecture cannot disagree with the build. ada-url has one file name for both, so the recipe renames it to the name that
# Python looks for first. Its code needs glibc 2.17; Lambda's Amazon Linux 2023 has 2.34. pip gets the target platform, so
# that any Python can build the package. Only the benchmark sets another RUNTIME, on machines without Python 3.13.
RUNTIME := 3.13
ABI := cpython-$(subst .,,$(RUNTIME))
WHEELS := --quiet --disable-pip-version-check --no-compile --no-deps --only-binary :all: --require-hashes \
  --implementation cp --python-version $(RUNTIME) -r functions/requirements.txt
PLATFORM = --platform manylinux_2_28_$(1) --platform manylinux2014_$(1)
RENAME = mv "$(2)/ada_url/_ada_wrapper.abi3.so" "$(2)/ada_url/_ada_wrapper.$(ABI)-$(1)-linux-gnu.so"

build-EscalateFunction build-FeedFunction:
	@python3 -m pip install $(WHEELS) $(call PLATFORM,x86_64) --target "$(ARTIFACTS_DIR)"
	@$(call RENAME,x86_64,$(ARTIFACTS_DIR))
	@other=$$(mktemp -d) && \
	  python3 -m pip install $(WHEELS) $(call PLATFORM,aarch64) --target "$$other" && \
	  $(call RENAME,aarch64,$$other) && \
	  cp -r "$$other/." "$(ARTIFACTS_DIR)" && rm -rf "$$other"
# Scripts, and what ada-url and cffi need only for their own compilation: 3 MB. At run time cffi's compiled module is enough.
	@cd "$(ARTIFACTS_DIR)" && rm -rf bin docs cffi pycparser ada_url/ada.cpp ada_url/ada.h ada_url/ada_c.h ada_url/ada_build.py
	@python3 ops/build/strip_debug.py "$(ARTIFACTS_DIR)"
	@python3 ops/build/prune_botocore.py "$(ARTIFACTS_DIR)"
	@tar -c --exclude=__pycache__ --exclude='requirements.*' functions schemas | tar -x -C "$(ARTIFACTS_DIR)"
# The byte code is "unchecked": a package has time stamps of 1980, which make Python ignore byte code of the other kind.
# Only Python 3.13 can write it. Without it the package works, but starts more slowly. The warning goes to stdout,
# because sam hides the stderr of a recipe unless the recipe fails.
	@if python$(RUNTIME) -c "" 2>/dev/null; then \
	  python$(RUNTIME) -m compileall -q -j 0 --invalidation-mode unchecked-hash "$(ARTIFACTS_DIR)"; \
	else \
	  echo "WARNING: python$(RUNTIME) does not run here, so the package has no byte code. The function works, but each cold" \
	    "start is slower. To avoid this, install Python $(RUNTIME) and run sam build again."; \
	fi
