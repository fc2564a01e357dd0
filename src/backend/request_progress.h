// What the workers of requests are doing, for those who wait for them: on a busy machine a worker may be slow, and only who can
// tell that from one that is held up knows when to give up.

#pragma once

#include "backend/server.h"

extern "C" {
#include "datatype/timestamp.h"
#include "postmaster/bgworker.h"
}

namespace socketio {

// Whether the worker is still to be started, or is running rather than waiting: for a lock, or for somebody to answer.
bool is_at_work(BackgroundWorkerHandle* worker);

// When the youngest worker of all requests was started: once it is another, a place has become free meanwhile. 0 without any.
TimestampTz latest_request_worker_start();

}  // namespace socketio
