// Ids that nobody else has: of requests, and of what is put together again from pieces.

#pragma once

#include <string_view>

namespace socketio {

struct RandomId {
    char digits[17];  // 16, as Socket.IO's own have, and a NUL byte

    std::string_view view() const { return {digits, sizeof digits - 1}; }
};

RandomId make_random_id();

}  // namespace socketio
