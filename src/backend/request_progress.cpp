// See request_progress.h.

#include "backend/request_progress.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "backend/request_worker.h"

extern "C" {
#include "storage/proc.h"
#include "storage/procarray.h"
#include "utils/backend_status.h"
#include "utils/wait_event.h"
#if PG_VERSION_NUM >= 170000
#include "utils/wait_event_types.h"
#endif
}

namespace socketio {

namespace {

// Waits of these classes end by themselves. They are what a worker does that takes in very many notifications.
bool is_short(std::uint32_t wait_event) {
    const std::uint32_t wait_class = wait_event & 0xFF000000;
    return wait_event == 0 || wait_class == PG_WAIT_LWLOCK || wait_class == PG_WAIT_IO;
}

const LocalPgBackendStatus* backend_at(int index) {
#if PG_VERSION_NUM >= 160000
    return pgstat_get_local_beentry_by_index(index);
#else
    return pgstat_fetch_stat_local_beentry(index);
#endif
}

bool is_request_worker(const PgBackendStatus& status) {
    if (status.st_procpid == 0 || status.st_backendType != B_BG_WORKER) {
        return false;
    }
    const char* type = GetBackgroundWorkerTypeByPid(status.st_procpid);
    return type != nullptr && std::strcmp(type, kRequestWorkerType) == 0;
}

}  // namespace

bool is_at_work(BackgroundWorkerHandle* worker) {
    pid_t pid;
    switch (GetBackgroundWorkerPid(worker, &pid)) {
        case BGWH_NOT_YET_STARTED:
            return true;
        case BGWH_STARTED: {
            const PGPROC* process = BackendPidGetProc(pid);
            return process == nullptr || is_short(process->wait_event_info);  // without one, it has just been started
        }
        default:
            return false;
    }
}

TimestampTz latest_request_worker_start() {
    pgstat_clear_backend_activity_snapshot();
    TimestampTz latest = 0;
    for (int i = 1; i <= pgstat_fetch_stat_numbackends(); ++i) {
        const LocalPgBackendStatus* backend = backend_at(i);
        if (backend != nullptr && is_request_worker(backend->backendStatus)) {
            latest = std::max(latest, backend->backendStatus.st_proc_start_timestamp);
        }
    }
    return latest;
}

}  // namespace socketio
