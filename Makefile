# make report   prints the report of the built-in kernels
# make test     checks everything: style, types, C, Python, parsers with fuzzers, ARM64 guests
# make docs     makes a site of the pages, in build/docs
# make dist     builds the source archive and the wheels into dist
# make test-packages installs those on bare Debians and in an ARM64 guest, which takes some 15 minutes
# make audit    asks for known vulnerabilities of what armprof needs
# make lint, make format, make clean
#
# All of them set up what they need first: Python packages in .venv, what is compiled in build, and the system
# packages that may be installed without a question (tools/system-packages says what could not be had).

PYTHON ?= python3
VENV := $(CURDIR)/.venv
export PATH := $(VENV)/bin:$(PATH)
# The jobs of make are its own: ninja, told of them, fails where it is handed none.
unexport MAKEFLAGS

SOURCES = pyproject.toml meson.build meson.options tools/describe $(shell find armprof csrc -type f -not -name '*.pyc')

report: $(VENV)/installed
	armprof report

# Then two parts at a time: the fuzzers, a line each now and then, take nearly as long as all others, which go on in turn. The tests
# in C take both cores by themselves, and some count what others would do to the CPU that they are on.
test: lint test-c
	ARMPROF_FUZZ_AT_ONCE=1 $(MAKE) --jobs=2 --keep-going --no-print-directory test-fuzz docs test-python test-guest

lint: $(VENV)/dev $(VENV)/installed
	ruff check
	ruff format --check
	mypy

format: $(VENV)/dev
	ruff check --fix
	ruff format

# What the program goes by is a part of the pages, so they are all read anew. A warning, as of a link to nowhere, is an error.
docs: $(VENV)/dev $(VENV)/installed
	rm -rf build/docs
	sphinx-build -W --keep-going -E -q -j auto -c docs -d build/docs-read . build/docs

test-c: $(VENV)/dev
	tools/test-c

# The installed package is tested, not the sources beside it: so pytest itself, which leaves this folder off sys.path.
test-python: $(VENV)/dev $(VENV)/installed
	pytest -n 2 --hypothesis-profile=alike --ignore=tests/guest --ignore=tests/packages

# Every parser for ARMPROF_FUZZ_SECONDS, 30 where it is not said; always alike, so that what is found is found by who broke it.
test-fuzz: $(VENV)/dev $(VENV)/installed
	ARMPROF_FUZZ_SEED=1 PYTHONHASHSEED=0 tools/fuzz

test-guest: test-guest-hardware test-guest-model

test-guest-hardware: $(VENV)/dev $(VENV)/installed
	pytest tests/guest --ignore=tests/guest/test_model.py

test-guest-model: $(VENV)/dev $(VENV)/installed
	pytest tests/guest/test_model.py

dist: $(VENV)/dev
	python -m pip install --quiet --group dist
	tools/dist

test-packages: dist
	pytest tests/packages

audit: $(VENV)/dev
	python -m pip install --quiet --group dist
	python -m pip_audit --strict .

clean:
	rm -rf build dist $(VENV)

# The stamps. A virtual environment that was interrupted half way is made anew.
$(VENV)/made:
	rm -rf $(VENV)
	tools/system-packages report
	$(PYTHON) -m venv $(VENV)
	python -m pip install --quiet --upgrade pip
	tools/system-packages arm64-compiler || python -m pip install --quiet ziglang || true
	touch $@

$(VENV)/installed: $(VENV)/made $(SOURCES)
	python -m pip install --quiet .
	touch $@

$(VENV)/dev: $(VENV)/made pyproject.toml
	tools/system-packages test
	python -m pip install --quiet --group dev
	python -m pip install --quiet --only-binary atheris --group fuzz || echo "atheris cannot be had: what Python reads is not fuzzed" >&2
	touch $@

.PHONY: report test lint format docs test-c test-python test-fuzz test-guest test-guest-hardware \
	test-guest-model dist test-packages audit clean
