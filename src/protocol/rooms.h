// Rooms as the protocol sees them: a set, in the order they were named.

#pragma once

#include <cstddef>
#include <string_view>

namespace socketio {

// A view of room names that live elsewhere.
struct Rooms {
    const std::string_view* names = nullptr;
    std::size_t count = 0;

    const std::string_view* begin() const { return names; }
    const std::string_view* end() const { return names + count; }
    bool empty() const { return count == 0; }
};

// Keep the first of each name in names[0..count), in order, and return how many are left. Linear in `count`.
// Throws std::bad_alloc.
std::size_t drop_duplicate_rooms(std::string_view* names, std::size_t count);

}  // namespace socketio
