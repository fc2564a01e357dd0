// A handler (value_handler.h) that counts what begins and ends, and how deep it goes, and does nothing else.

#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>

namespace socketio {

struct CountingHandler {
    std::int64_t begun = 0;
    std::int64_t ended = 0;
    std::int64_t deepest = 0;

    void null() {}
    void boolean(bool) {}
    void integer(std::int64_t) {}
    void large_integer(std::uint64_t) {}
    void real(double) {}
    void string(std::string_view) {}
    void binary(std::string_view) {}
    void key(std::string_view) {}
    void begin_array() { begin(); }
    void begin_object() { begin(); }
    void end_array() { ++ended; }
    void end_object() { ++ended; }

    std::int64_t depth() const { return begun - ended; }

  private:
    void begin() {
        ++begun;
        deepest = std::max(deepest, depth());
    }
};

}  // namespace socketio
