# make && sudo make install   build and install the extension
# make demo                   see it work on a Debian 12 that has nothing else (KEEP=1 leaves it running)
# make test                   every test          make bench   every figure of the README
# make lint                   style               make format  fix it
# make test-busy              the tests again and again beside other work, until one fails
# make fuzz, sanitize, soak   long runs: fuzzers; the tests again with valgrind and UBSan; 20 million emits through the worker
EXTENSION = socketio_emitter
MODULE_big = $(EXTENSION)
DATA = $(wildcard sql/$(EXTENSION)--*.sql)
OBJS = $(patsubst %.cpp,%.o,$(wildcard src/*.cpp src/*/*.cpp))
REGRESS = $(shell sed -n 's/^test: //p' test/regress/schedule)
REGRESS_OPTS = --bindir=test/regress/bin

EXTVERSION = $(shell sed -n "s/^default_version = '\(.*\)'/\1/p" $(EXTENSION).control)
PG_CPPFLAGS = -I$(CURDIR)/src -DMSGPACK_NO_BOOST -DSOCKETIO_EMITTER_VERSION='"$(EXTVERSION)"'
PG_CXXFLAGS = -std=c++17 -O3 -fvisibility=hidden -Wno-register -MMD -MP $(SANITIZE)
SHLIB_LINK = -lstdc++ $(SANITIZE)
EXTRA_CLEAN = $(OBJS:.o=.d) build
# The JIT could inline our bitcode into a query, and C++ exceptions would find no way out of there.
override with_llvm = no

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs 2>/dev/null)
ifneq ($(wildcard $(PGXS)),)
include $(PGXS)
-include $(OBJS:.o=.d)
else
all install installcheck uninstall clean:
	@echo "PostgreSQL's build files are missing: scripts/install-dependencies build" >&2; exit 1
endif

# The targets below work on a machine without PostgreSQL: make starts anew once it is there.
.PHONY: build-and-install demo demo-stop test test-busy bench soak fuzz sanitize lint format

build-and-install:
	scripts/install-dependencies build
	scripts/install-extension

demo: build-and-install
	scripts/install-dependencies node
	examples/demo/run

demo-stop:
	examples/demo/stop

test: build-and-install
	scripts/install-dependencies node test
	scripts/run-tests

test-busy: build-and-install
	scripts/install-dependencies node test
	scripts/run-busy $(SUITES)

bench: build-and-install
	scripts/install-dependencies node
	test/bench/run

soak: build-and-install
	scripts/install-dependencies node
	test/bench/run soak

fuzz:
	scripts/install-dependencies fuzz
	test/fuzz/run $(SECONDS_EACH)

sanitize:
	scripts/install-dependencies build node test sanitize
	scripts/run-sanitized

lint:
	scripts/install-dependencies lint
	scripts/lint

format:
	clang-format -i $$(git ls-files '*.cpp' '*.h')
