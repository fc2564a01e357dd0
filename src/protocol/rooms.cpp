#include "protocol/rooms.h"

#include <algorithm>
#include <unordered_set>

namespace socketio {

namespace {

// Below this, comparing every pair beats hashing; most emits name a room or two.
constexpr std::size_t kFewRooms = 16;

}  // namespace

std::size_t drop_duplicate_rooms(std::string_view* names, std::size_t count) {
    std::size_t kept = 0;
    if (count <= kFewRooms) {
        for (std::size_t i = 0; i < count; ++i) {
            if (std::find(names, names + kept, names[i]) == names + kept) {
                names[kept++] = names[i];
            }
        }
        return kept;
    }
    std::unordered_set<std::string_view> seen(count);
    for (std::size_t i = 0; i < count; ++i) {
        if (seen.insert(names[i]).second) {
            names[kept++] = names[i];
        }
    }
    return kept;
}

}  // namespace socketio
