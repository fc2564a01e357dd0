// The background worker that sends what transactions have queued: one for each database in which delivery = 'worker' is used,
// while it is used.

#pragma once

#include "backend/server.h"

namespace socketio {

// Ask the postmaster for the worker of `database`. False where it has no room for one (max_worker_processes).
bool start_worker(Oid database);

}  // namespace socketio
