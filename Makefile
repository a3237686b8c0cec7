# make run      start the service: the page is at http://127.0.0.1:5001/
# make quick    unit tests, and those of the page that need no browser: half a minute
# make test     every test but those under load; sets up all it needs, also a browser
# make coverage every test, and how much of the code they run: in CI, in place of `make test`
# make check    lint, types, documentation
# make fuzz     a million hostile inputs, in some minutes
# make bench    compare with nats-server's own WebSocket and a plain gateway; QUICK=1 for a minute
# make soak     40 minutes of faults and load; MINUTES=2 for short runs, ONLY=… for one, SEED=… for
#               the same faults again
# make cluster  a cluster in Docker, in which one container after another is killed
# make lock     compile requirements.lock anew

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.DEFAULT_GOAL := run
.PHONY: run quick test test-python test-page coverage check fuzz bench soak cluster lock clean

run: $(VENV)/ready
	@exec $(BIN)/python main.py

$(VENV)/ready: requirements.lock
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; (3, 11) <= v <= (3, 14) or sys.exit( \
	  "Python 3.11 to 3.14 is needed, %s is %d.%d. Name another: make PYTHON=python3.12" % (sys.executable, *v))'
	@echo "Setting up, once: a folder $(VENV) ..."
	@$(PYTHON) -m venv --clear $(VENV)
	@echo "Installing $$(grep -c == requirements.lock) packages into it, which may take a minute ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check \
	  --no-deps --require-hashes -r requirements.lock
	@touch $@

$(VENV)/ready-dev: $(VENV)/ready requirements-dev.txt
	@echo "Setting up the tools for tests ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

$(VENV)/ready-browser: $(VENV)/ready-dev tests/page/support/browser.py
	@$(BIN)/python -m tests.page.support.browser
	@touch $@

$(VENV)/ready-promtool: $(VENV)/ready-dev tests/docs/promtool.py
	@$(BIN)/python -m tests.docs.promtool
	@touch $@

check: $(VENV)/ready-promtool
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest --quiet tests/docs

# Tests wait more than they compute, so there are more processes than processors. Those that hold
# the service to a time, and those under load, have the machine to themselves.
AT_ONCE := -n 4 --dist worksteal -m "not timing and not load"
TESTS := tests/unit tests/service tests/page

quick: $(VENV)/ready-dev test-page
	$(BIN)/python -m pytest --quiet -n 2 tests/unit

test: test-page test-python

test-page:
	node --test --test-concurrency=2 tests/page/*/*.test.mjs

test-python: $(VENV)/ready-browser
	$(BIN)/python -m pytest $(AT_ONCE) $(TESTS)
	$(BIN)/python -m pytest -m "timing and not load" $(TESTS)

coverage: $(VENV)/ready-browser test-page
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest $(AT_ONCE) $(TESTS)
	$(BIN)/coverage run -m pytest -m "timing or load" $(TESTS)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

fuzz: $(VENV)/ready-dev
	@$(BIN)/python -m tests.fuzz

bench: $(VENV)/ready-dev
	@$(BIN)/python -m bench $(if $(QUICK),--quick)

soak: $(VENV)/ready-dev
	@$(BIN)/python -m tests.soak $(if $(MINUTES),--minutes $(MINUTES)) $(if $(SEED),--seed $(SEED)) \
	  $(if $(ONLY),--only $(ONLY))

cluster: $(VENV)/ready-dev
	@$(BIN)/python -m tests.cluster

lock: $(VENV)/ready-dev
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --override overrides.txt --custom-compile-command "make lock" \
	  --output-file requirements.lock requirements.txt

clean:
	rm -rf $(VENV) .coverage* .mypy_cache .pytest_cache .ruff_cache .hypothesis
