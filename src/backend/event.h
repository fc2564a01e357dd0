// The names of events that clients receive.

#pragma once

#include <string_view>

#include "backend/server.h"
#include "protocol/event_name.h"

namespace socketio {

[[noreturn]] void report_reserved_event(std::string_view event);

// ERROR 22023 for a name Socket.IO keeps for itself. `event` is UTF-8; those names are ASCII.
inline void require_client_event(std::string_view event) {
    if (is_reserved_event(event)) {
        report_reserved_event(event);
    }
}

}  // namespace socketio
