// Namespaces, and the notification channel each has: `<prefix>#<namespace>`.

#pragma once

#include <string_view>

#include "backend/server.h"

namespace socketio {

inline constexpr int kMaxChannelName = NAMEDATALEN - 1;        // longest name that NOTIFY accepts
inline constexpr int kMaxChannelPrefix = kMaxChannelName - 2;  // leaves room for "#/"

struct Channel {
    char name[NAMEDATALEN];  // in the encoding of the database
};

// A namespace as Socket.IO knows it: '' is '/', and a missing leading '/' is added. The result is `nsp` itself or
// lives in CurrentMemoryContext.
std::string_view normalise_namespace(std::string_view nsp);

// Name in `channel` the one on which the servers of a normalised namespace listen, under the current channel_prefix.
// ERROR 42622 where the name would have more than 63 bytes.
void name_channel(Channel& channel, std::string_view nsp);

}  // namespace socketio
