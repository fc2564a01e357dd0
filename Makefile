# make && sudo make install     build and install the extension
# make demo                     see it work, on a fresh Debian 12 (KEEP=1 leaves it running, make demo-stop ends it)
# make test                     every test; make bench: every figure of the README
EXTENSION = socketio_emitter
MODULE_big = socketio_emitter
DATA = sql/socketio_emitter--0.1.0.sql
SOURCES = $(wildcard src/*.cpp src/functions/*.cpp src/backend/*.cpp src/protocol/*.cpp)
OBJS = $(SOURCES:.cpp=.o)
PG_CPPFLAGS = -I$(CURDIR)/src -DMSGPACK_NO_BOOST
PG_CXXFLAGS = -std=c++17 -MMD -fvisibility=hidden -O3 -Wno-register
SHLIB_LINK = -lstdc++
EXTRA_CLEAN = $(OBJS:.o=.d)

# The JIT could inline bitcode of ours into queries, which would carry C++ exceptions where nothing unwinds them.
override with_llvm = no

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

-include $(OBJS:.o=.d)
