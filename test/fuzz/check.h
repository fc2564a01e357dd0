// How a fuzzer says that a property does not hold.

#pragma once

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace socketio {

// Stop with `property` and what broke it, for libFuzzer to keep the input.
inline void check(bool holds, const char* property, std::string_view evidence = {}) {
    if (!holds) {
        std::fprintf(stderr, "does not hold: %s\n%.*s\n", property, static_cast<int>(evidence.size()), evidence.data());
        std::abort();
    }
}

}  // namespace socketio
