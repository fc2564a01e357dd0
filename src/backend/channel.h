// Namespaces, and the names of the notification channels on which servers listen.

#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

#include "backend/server.h"

namespace socketio {

inline constexpr int kMaxChannelName = NAMEDATALEN - 1;        // longest name that NOTIFY accepts
inline constexpr int kMaxChannelPrefix = kMaxChannelName - 2;  // leaves room for "#/"

struct Channel {
    char name[NAMEDATALEN];  // in the encoding of the database

    // Put the name together of parts. False, and there is none, if it would have more than 63 bytes.
    template <class... Parts>
    bool set(const Parts&... parts) {
        if ((parts.size() + ...) > kMaxChannelName) {
            return false;
        }
        char* end = name;
        ((end = std::copy(parts.begin(), parts.end(), end)), ...);
        *end = '\0';
        return true;
    }
};

// ERROR 42622 for a channel whose name, put together so, has more than 63 bytes.
[[noreturn]] void report_channel_too_long(std::string_view prefix, std::string_view separator, std::string_view nsp);

// A namespace as Socket.IO knows it: '' is '/', and a missing leading '/' is added. The result is `nsp` itself or
// lives in CurrentMemoryContext.
std::string_view normalise_namespace(std::string_view nsp);

}  // namespace socketio
