// See notify_queue.h.

#include "backend/notify_queue.h"

#include "backend/server.h"

extern "C" {
#include "access/xact.h"
#include "utils/fmgroids.h"
}

namespace socketio {

namespace {

bool was_full = false;  // for the transaction that is being aborted

// Called while the error is reported, with the queue locked. What can run out between our last call and the end of a
// commit is the queue alone.
void add_remedy(void*) {
    if (geterrcode() == ERRCODE_PROGRAM_LIMIT_EXCEEDED) {
        was_full = true;
        errhint(
            "A session that listens has been in a transaction for too long: look for it in pg_stat_activity by its "
            "xact_start and end it, or set idle_in_transaction_session_timeout. Then try again.");
    }
}

// From our last call before a commit to the first behind it, errors pass add_remedy(). What stands in between is the
// server's, and whoever catches an error from there puts the stack back.
ErrorContextCallback remedy = {nullptr, add_remedy, nullptr};

void on_transaction(XactEvent event, void*) {
    switch (event) {
        case XACT_EVENT_PRE_COMMIT:
            remedy.previous = error_context_stack;
            error_context_stack = &remedy;
            break;
        case XACT_EVENT_COMMIT:
            error_context_stack = remedy.previous;
            break;
        case XACT_EVENT_ABORT:
            if (was_full) {
                was_full = false;
                move_notify_tail();
            }
            break;
        default:
            break;
    }
}

}  // namespace

void watch_notify_queue() { RegisterXactCallback(on_transaction, nullptr); }

void move_notify_tail() { OidFunctionCall0(F_PG_NOTIFICATION_QUEUE_USAGE); }

}  // namespace socketio
