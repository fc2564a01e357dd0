// How many emits went which way.

#pragma once

#include <cstdint>

namespace socketio {

struct PathCounts {
    std::uint64_t emits = 0;
    std::uint64_t bytes = 0;        // of payloads and attachments
    std::uint64_t attachments = 0;  // how many of the emits
};

struct DeliveryCounts {
    PathCounts notify;
    PathCounts worker;
};

}  // namespace socketio
