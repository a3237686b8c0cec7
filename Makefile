# make run      start the service: the page is at http://127.0.0.1:5001/
# make quick    unit tests, and those of the page that need no browser: half a minute
# make test     every test but those under load; sets up all it needs, also a browser
# make coverage every test, and how much of the code they run: in CI, in place of `make test`
# make long     what takes minutes: larger crowds, more messages, models searched for longer
# make setup    what the tests need, so that they can begin at once
# make test-oldest  the tests of the NATS side with what `pip install -r requirements.txt` brings
# make check    lint, types, documentation
# make fuzz     a million hostile inputs, in some minutes
# make bench    compare with nats-server's own WebSocket and a plain gateway; QUICK=1 for a minute
# make soak     40 minutes of faults and load; MINUTES=2 for short runs, ONLY=… for one, SEED=… for
#               the same faults again
# make cluster  a cluster in Docker, in which one container after another is killed
# make lock     compile requirements.lock again

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
OLDEST := .venv-oldest

# What is compiled is kept, or each process of the tests would compile all of it again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := run
.PHONY: run setup quick test test-python test-page coverage long test-oldest check fuzz bench soak cluster lock clean

run: $(VENV)/ready
	@exec $(BIN)/python main.py

$(VENV)/ready: requirements.lock
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; (3, 11) <= v <= (3, 14) or sys.exit( \
	  "Python 3.11 to 3.14 is needed, %s is %d.%d. Name another: make PYTHON=python3.12" % (sys.executable, *v))'
	@$(PYTHON) -c 'import ensurepip' 2> /dev/null || { echo $(NO_ENSUREPIP) >&2; exit 1; }
	@echo "Setting up, once: a folder $(VENV) ..."
	@$(PYTHON) -m venv --clear $(VENV)
	@echo "Installing $$(grep -c == requirements.lock) packages into it, which may take a minute ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check \
	  --no-deps --require-hashes -r requirements.lock
	@touch $@

NO_ENSUREPIP := "$(PYTHON) cannot make a virtual environment, its ensurepip is missing. On Debian and \
  Ubuntu: apt install python3-venv, or python3.12-venv and the like for another Python"

$(VENV)/ready-dev: $(VENV)/ready requirements-dev.txt
	@echo "Setting up the tools for tests ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

$(VENV)/ready-browser: $(VENV)/ready-dev tests/page/support/browser.py
	@$(BIN)/python -m tests.page.support.browser
	@touch $@

$(VENV)/ready-npm: $(VENV)/ready-dev tests/page/builds/package.json tests/page/support/npm.py
	@$(BIN)/python -m tests.page.support.npm
	@touch $@

$(VENV)/ready-promtool: $(VENV)/ready-dev tests/docs/promtool.py
	@$(BIN)/python -m tests.docs.promtool
	@touch $@

check: $(VENV)/ready-promtool
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest --quiet tests/docs

# Tests wait more than they compute, so there are more processes than processors; each takes one file
# after the other, in the order that `tests/conftest.py` has. Those that hold something to a time have
# the machine to themselves.
AT_ONCE := -n 6 --dist loadfile --no-loadscope-reorder
TESTS := tests/unit tests/service tests/page
# Counting which lines run doubles what the start of a process takes: those that start many go without.
UNCOUNTED := tests/service/life tests/service/proxies tests/service/replicas tests/page
COUNTED := tests/unit $(filter-out $(UNCOUNTED),$(patsubst %/,%,$(wildcard tests/service/[a-z]*/)))

setup: $(VENV)/ready-browser $(VENV)/ready-npm $(VENV)/ready-promtool $(OLDEST)/ready

quick: $(VENV)/ready-dev test-page
	$(BIN)/python -m pytest --quiet -n 2 tests/unit

test: test-page test-python

test-page:
	node --test --test-concurrency=2 tests/page/*/*.test.mjs

test-python: $(VENV)/ready-browser $(VENV)/ready-npm
	$(BIN)/python -m pytest $(AT_ONCE) -m "not timing and not load and not long" $(TESTS)
	$(BIN)/python -m pytest -m "timing and not load and not long" $(TESTS)

coverage: $(VENV)/ready-browser $(VENV)/ready-npm test-page
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest $(AT_ONCE) -m "not timing and not long" $(COUNTED)
	$(BIN)/coverage run -m pytest -m "timing and not long" $(COUNTED)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report
	$(BIN)/python -m pytest $(AT_ONCE) -m "not timing and not long" $(UNCOUNTED)
	$(BIN)/python -m pytest -m "timing and not long" $(UNCOUNTED)

long: $(VENV)/ready-browser
	$(BIN)/python -m pytest -m long $(TESTS)
	$(BIN)/python -m pytest --hypothesis-profile long tests/unit/tools/test_fuzz.py \
	  tests/unit/fanout/test_model.py tests/unit/fanout/test_rates_model.py

# The gateway overrides and calls what nats-py keeps to itself. Panini pins 2.6.0, requirements.lock
# has a version ten minor ones later. A list, as all of `make test` would take many minutes more.
NATS_TESTS := tests/unit/test_private_names.py tests/unit/nats_link tests/service/nats \
  tests/service/browsers/test_following.py tests/service/browsers/test_tutorial.py \
  tests/service/browsers/test_wire.py tests/service/history/test_joins.py \
  tests/service/history/test_forms.py

test-oldest: $(OLDEST)/ready
	@echo "With nats-py $$($(OLDEST)/bin/python -c 'import nats.aio.client as it; print(it.__version__)'):"
	$(OLDEST)/bin/python -m pytest $(AT_ONCE) -m "not timing and not load and not long" $(NATS_TESTS)
	$(OLDEST)/bin/python -m pytest -m "timing and not load and not long" $(NATS_TESTS)

# The tests need less than `make test`, and pip may not change what it chose for the service.
$(OLDEST)/ready: requirements.txt requirements-dev.txt
	@echo "Setting up the oldest versions, once: a folder $(OLDEST) ..."
	@$(PYTHON) -m venv --clear $(OLDEST)
	@$(OLDEST)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements.txt \
	  || { $(CAN_COMPILE) || echo $(NO_COMPILER) >&2; exit 1; }
	@$(OLDEST)/bin/python -m pip freeze --quiet > $(OLDEST)/chosen.txt
	@$(OLDEST)/bin/python -m pip install --quiet --disable-pip-version-check \
	  -c requirements-dev.txt -c $(OLDEST)/chosen.txt \
	  hypothesis psutil pytest pytest-asyncio pytest-xdist trustme websockets
	@touch $@

CAN_COMPILE = echo '\#include <Python.h>' | c++ -fsyntax-only -x c++ 2>/dev/null - \
  -I "$$($(PYTHON) -c 'import sysconfig; print(sysconfig.get_path("include"))')"
NO_COMPILER := "ujson 5.4.0, which Panini pins, comes as source alone, and no C++ compiler with \
  Python's headers is here: apt-get install g++ python3-dev"

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
	rm -rf $(VENV) $(OLDEST) .npm-tools .coverage* .mypy_cache .pytest_cache .ruff_cache .hypothesis
