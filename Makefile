# pg_goals: build, install, try, test.
#
#   make            the library and the install script, in build/
#   make install    copy them to where PG_CONFIG says (uses sudo where it must)
#   make demo       see it work on a private server; HILLSTROM=file.csv[.gz] replays a real campaign
#   make check      after every change: lint, the model's tests, regress, some of isolation, on a quick build and servers that are
#                   kept (2 minutes on 2 cores, 5 the first time); T="regress/worth" runs one; make check-stop removes the servers
#   make test       every test, on private servers (half an hour on 2 cores); T="regress checks/dump*" runs some
#   make test-all   regress, isolation, the oracle in short form and the benchmark's statements on PostgreSQL 14 to 18, fetched where missing;
#                   VERSIONS="14 18" for some, T="regress checks/dump*" for other tests
#   make deb        the Debian package of the PostgreSQL of PG_CONFIG, in build/deb
#   make dist       the distribution for PGXN, of the last commit
#   make torture    the hard tests with changing seeds for SECONDS=3600; SEED=n for the same ones again
#   make valgrind   the regress suite and a long session under memcheck
#   make installcheck, make bench, make clean
#   make mutation   plant faults and see that the tests catch them; make mutants, make coverage: the same question of src/model
#
# Another PostgreSQL: PG_CONFIG=/path/to/pg_config. cargo-pgrx is not needed for any of this.

PG_CONFIG   ?= pg_config
CARGO       ?= $(or $(shell command -v cargo),$(wildcard $(HOME)/.cargo/bin/cargo),cargo)
CARGO_FLAGS ?=
DESTDIR     ?=
T           ?=
VERSIONS    ?=

VERSION := $(shell sed -n 's/^version *= *"\(.*\)"/\1/p' Cargo.toml | head -n 1)
TARGET  := $(abspath $(or $(CARGO_TARGET_DIR),target))
SCRIPTS := $(sort $(wildcard sql/[0-9][0-9]_*.sql))

# The upgrade from the version released last, until it is frozen as sql/pg_goals--A--B.sql: what is written by hand in
# sql/upgrade_from_A.sql, and behind it the files from 20 on, which only say what can be said again. Tables are locked by
# sql/upgrade_from_A_last.sql, for as short as possible: only what makes views, and the rights, come after it.
BY_HAND  := $(filter-out %_last.sql,$(wildcard sql/upgrade_from_*.sql))
UPGRADES := $(patsubst sql/upgrade_from_%.sql,build/pg_goals--%--$(VERSION).sql,$(BY_HAND))
REPLACED := $(filter-out sql/0% sql/1%,$(SCRIPTS))
LAST     := $(shell grep -l '^CREATE VIEW' $(REPLACED)) $(filter sql/9%,$(REPLACED))

# Only looked at by the recipes: on a fresh machine pg_config appears while make runs.
PG_CONFIG_PATH = $(shell command -v $(PG_CONFIG))
PG_MAJOR       = $(shell $(PG_CONFIG) --version 2>/dev/null | sed 's/^[^0-9]*\([0-9]*\).*/\1/')
# QUICK=1: built in a fraction of the time and half as fast, for tests; Cargo.toml says how
PROFILE        = $(if $(QUICK),quick,release)
LIBRARY        = build/$(if $(QUICK),quick/)pg$(PG_MAJOR)/pg_goals.so
DIST           = build/pg_goals-$(VERSION).zip

# Without a config.toml to look at, pgrx's build script believes its input has changed and runs again every time.
PGRX_ENV = PGRX_PG_CONFIG_PATH=$(PG_CONFIG_PATH) PGRX_HOME=$(TARGET)/pgrx-home CARGO_TARGET_DIR=$(TARGET)
PGRX_HOME_MADE = mkdir -p $(TARGET)/pgrx-home; test -e $(TARGET)/pgrx-home/config.toml || : > $(TARGET)/pgrx-home/config.toml
FEATURES = --no-default-features --features pg$(PG_MAJOR)

export PG_CONFIG

.PHONY: all library scripts setup install demo check check-stop test test-all unit unit-library clippy rooms installcheck bench deb dist clean torture valgrind mutation mutants coverage
.DELETE_ON_ERROR:

all: library scripts

# cargo knows best what is out of date. Where it is absent (sudo make install), what was built before is used.
library:
	@test -n "$(PG_MAJOR)" || { echo "make: $(PG_CONFIG) does not work; 'make setup' installs what is needed" >&2; exit 1; }
	@case "$(PG_MAJOR)" in 14|15|16|17|18) ;; *) echo "make: PostgreSQL $(PG_MAJOR) is not supported (14 to 18 are)" >&2; exit 1;; esac
	@if command -v "$(CARGO)" >/dev/null || test ! -f $(LIBRARY); then \
	    set -e; mkdir -p $(dir $(LIBRARY)); $(PGRX_HOME_MADE); \
	    echo "building the library for PostgreSQL $(PG_MAJOR) (two to four minutes the first time)"; \
	    $(PGRX_ENV) "$(CARGO)" build --profile $(PROFILE) $(FEATURES) $(CARGO_FLAGS); \
	    cmp -s $(TARGET)/$(PROFILE)/libpg_goals.so $(LIBRARY) || cp $(TARGET)/$(PROFILE)/libpg_goals.so $(LIBRARY); \
	else \
	    echo "no cargo here: using $(LIBRARY) as it was built before"; \
	fi

# Cheap, so always made: a file that was taken away would not be noticed otherwise. Moved into place, because a test may be
# reading it.
scripts:
	@mkdir -p build; rm -f $(filter-out build/pg_goals--$(VERSION).sql $(UPGRADES),$(wildcard build/pg_goals--*.sql))
	@{ printf '%s\n' '\echo Use "CREATE EXTENSION pg_goals" to load this file. \quit'; awk 1 $(SCRIPTS); } > build/script.$$$$ \
	&& mv build/script.$$$$ build/pg_goals--$(VERSION).sql
	@for script in $(UPGRADES); do \
	    from=$${script#build/pg_goals--}; from=$${from%--$(VERSION).sql}; \
	    { printf '%s\n' "\\echo Use \"ALTER EXTENSION pg_goals UPDATE TO '$(VERSION)'\" to load this file. \\quit"; \
	      awk 1 sql/upgrade_from_$$from.sql $(filter-out $(LAST),$(REPLACED)) sql/upgrade_from_$${from}_last.sql $(LAST) | sed -E 's/^CREATE (FUNCTION|VIEW) /CREATE OR REPLACE \1 /'; } \
	    > build/script.$$$$ && mv build/script.$$$$ $$script || exit 1; \
	done
	@sed 's/@CARGO_VERSION@/$(VERSION)/' pg_goals.control > build/control.$$$$ && mv build/control.$$$$ build/pg_goals.control

setup:
	@pgrx-config/setup

install: all
	@pgrx-config/install "$(PG_CONFIG)"

demo: setup
	@$(MAKE) --no-print-directory all
	@tests/demo

# What to run after every change; T="regress/worth" for one test
check:
	@pgrx-config/setup tests
	@pgrx-config/setup lint
	@tests/run --quick $(T)

# The servers that `make check` keeps for the next call
check-stop:
	@for server in build/server/*; do if [ -e "$$server/s" ]; then pgrx-config/server remove "$$server/s"; rm -rf "$$(readlink -f "$$server")"; fi; done
	@rm -rf build/server

# Where a linter cannot be had, its test is skipped, and says so.
test:
	@pgrx-config/setup tests
	@pgrx-config/setup lint || true
	@tests/run --build $(T)

test-all: setup
	@T="$(T)" tests/all-versions $(VERSIONS)

# The tests in src/model, a crate that knows no server; T="decimal" for those with that word in their names
unit:
	@CARGO_TARGET_DIR=$(TARGET) "$(CARGO)" test --profile quick --lib -p pg_goals_model $(CARGO_FLAGS) -- $(T)

# The tests outside of it. No server takes part in them either, but its headers do.
unit-library:
	@$(PGRX_HOME_MADE)
	@$(PGRX_ENV) "$(CARGO)" test --profile quick --lib -p pg_goals $(FEATURES) $(CARGO_FLAGS) -- $(T)

# The order of the modules: what imports what, and that nothing imports upward
rooms:
	@tests/lint/rooms

clippy:
	@$(PGRX_HOME_MADE)
	@$(PGRX_ENV) "$(CARGO)" clippy --quiet --workspace --all-targets --profile quick $(FEATURES) $(CARGO_FLAGS) -- -D warnings

installcheck: scripts
	@tests/run --installed $(or $(T),regress isolation)

bench: setup
	@$(MAKE) --no-print-directory all
	@if test -x tests/bench/run; then tests/bench/run; else echo "make: there is no tests/bench/run" >&2; exit 1; fi

deb: all
	@case "$$($(PG_CONFIG) --pkglibdir) $$($(PG_CONFIG) --sharedir)" in \
	"/usr/lib/postgresql/$(PG_MAJOR)/lib /usr/share/postgresql/$(PG_MAJOR)") ;; \
	*) echo "make: the PostgreSQL of $(PG_CONFIG) does not lie where Debian puts it" >&2; exit 1;; esac
	@pgrx-config/packaging/deb $(PG_MAJOR)

dist:
	@mkdir -p $(dir $(DIST))
	@git archive --format=zip --prefix=pg_goals-$(VERSION)/ --output=$(DIST) HEAD
	@echo $(DIST)

torture: setup
	@$(MAKE) --no-print-directory all
	@env -u SECONDS tests/torture $(or $(SECONDS),3600) $(SEED)

# Line numbers for our own frames only, so that nothing else is built again.
valgrind: setup
	@$(MAKE) --no-print-directory all CARGO_FLAGS='$(CARGO_FLAGS) --config profile.release.package.pg_goals.debug=1'
	@tests/fuzz/valgrind $(T)

# Mutation tests: faults planted in a copy of everything, each of which a test must catch; B="faults" plants some
mutation: setup
	@tests/mutation/run $(B)

# M="modules of src/model" for some; hours for all
mutants:
	@tests/mutation/mutants $(M)

coverage:
	@tests/mutation/coverage

clean: check-stop
	rm -rf build $(TARGET)
