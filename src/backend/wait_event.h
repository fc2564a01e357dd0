// What pg_stat_activity says we wait for.

#pragma once

#include <cstdint>

#include "backend/server.h"

extern "C" {
#if PG_VERSION_NUM >= 170000
#include "utils/wait_event.h"
#else
#include "pgstat.h"
#endif
}

namespace socketio {

// A wait event named `name`; before PostgreSQL 17, that of all extensions.
inline std::uint32_t wait_event(const char* name) {
#if PG_VERSION_NUM >= 170000
    return WaitEventExtensionNew(name);
#else
    static_cast<void>(name);
    return PG_WAIT_EXTENSION;
#endif
}

}  // namespace socketio
