// Event names that Socket.IO keeps for itself.

#pragma once

#include <algorithm>
#include <array>
#include <string_view>

namespace socketio {

// Whether a client or server would take `event` for one of its own; the official emitter refuses the same six
// (RESERVED_EVENTS of @socket.io/postgres-emitter). They are reserved towards clients only, not in server-side emits.
inline bool is_reserved_event(std::string_view event) {
    constexpr std::array<std::string_view, 6> kReserved = {"connect",       "connect_error", "disconnect",
                                                           "disconnecting", "newListener",   "removeListener"};
    return std::find(kReserved.begin(), kReserved.end(), event) != kReserved.end();
}

}  // namespace socketio
