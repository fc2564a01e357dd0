// Signals, in the words of whichever PostgreSQL this is built for.

#pragma once

#include <csignal>

#include "backend/server.h"

namespace socketio {

// For background workers that have no query to cancel.
inline void ignore_cancel() {
#ifdef PG_SIG_IGN
    pqsignal(SIGINT, PG_SIG_IGN);  // from PostgreSQL 19
#else
    pqsignal(SIGINT, SIG_IGN);
#endif
}

}  // namespace socketio
