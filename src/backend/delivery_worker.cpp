// See delivery_worker.h.
//
// It is an ordinary session without a client. In a transaction of its own it hands a batch of records to NOTIFY, and gives their
// room in the queue back in the moment that transaction commits, so that each is sent exactly once, whatever happens to the
// worker. Nobody waits for its commits to reach the disk: what they write is of no use after a crash.
//
// It ends when it has had nothing to do for a second, so that it is not in the way of DROP DATABASE and the like, which wait five for
// other sessions. Told to terminate it sends what there is first; the next commit that needs a worker asks for another. One that
// fails is started again by the postmaster.

#include "backend/delivery_worker.h"

#include <cstring>

#include "backend/delivery_queue.h"
#include "backend/wait_event.h"

extern "C" {
#include "access/xact.h"
#include "commands/async.h"
#include "commands/dbcommands.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/proc.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
}

namespace socketio {

namespace {

constexpr char kWorkerType[] = "socketio_emitter delivery";
constexpr std::size_t kBatchBytes = 512 * 1024;
constexpr long kPatience = 1000;    // milliseconds without work after which the worker ends
constexpr long kAfterError = 1000;  // milliseconds before a batch that failed is tried again
constexpr long kRest = 300;  // microseconds after a batch in which the next one gathers: a transaction for each commit
                             // would take the processor from those that commit (make bench)
constexpr int kRestartSeconds = 1;
constexpr int kDone = 0;  // exit codes: whether the postmaster is to start the worker again
constexpr int kStartAgain = 1;

std::size_t batch_size = 0;  // of the batch that the current transaction sends

void on_transaction(XactEvent event, void*) {
    if (event == XACT_EVENT_COMMIT && batch_size > 0) {
        advance_queue(batch_size);
        batch_size = 0;
    }
}

void on_exit(int, Datum) { detach_worker(); }

void set_up(Oid database) {
    pqsignal(SIGHUP, SignalHandlerForConfigReload);
    pqsignal(SIGTERM, SignalHandlerForShutdownRequest);
    BackgroundWorkerUnblockSignals();
    before_shmem_exit(on_exit, Datum(0));
    SetConfigOption("synchronous_commit", "off", PGC_SUSET, PGC_S_OVERRIDE);
    BackgroundWorkerInitializeConnectionByOid(database, InvalidOid, BGWORKER_BYPASS_ALLOWCONN);
    note_worker_connected();
    RegisterXactCallback(on_transaction, nullptr);
}

void notify_all(const char* records, std::size_t size) {
    for (std::size_t offset = 0; offset < size;) {
        const auto* record = reinterpret_cast<const DeliveryRecord*>(records + offset);
        Async_Notify(record->channel(), record->payload());
        offset += record->size;
    }
}

void send_batch(const char* records, std::size_t size) {
    SetCurrentStatementStartTimestamp();
    StartTransactionCommand();
    pgstat_report_activity(STATE_RUNNING, "sending notifications");
    notify_all(records, size);
    batch_size = size;
    CommitTransactionCommand();
    pgstat_report_activity(STATE_IDLE, nullptr);
}

// What went wrong is logged and shown in socketio_stats. The records stay where they are.
void recover(MemoryContext context) {
    MemoryContextSwitchTo(context);
    HOLD_INTERRUPTS();
    ErrorData* error = CopyErrorData();
    EmitErrorReport();
    FlushErrorState();
    batch_size = 0;
    AbortCurrentTransaction();
    note_worker_error(error->detail == nullptr ? error->message : psprintf("%s: %s", error->message, error->detail));
    FreeErrorData(error);
    pgstat_report_activity(STATE_IDLE, nullptr);
    RESUME_INTERRUPTS();
}

bool try_to_send(const char* records, std::size_t size) {
    const MemoryContext context = CurrentMemoryContext;
    volatile bool is_sent = true;
    PG_TRY();
    { send_batch(records, size); }
    PG_CATCH();
    {
        recover(context);
        is_sent = false;
    }
    PG_END_TRY();
    MemoryContextSwitchTo(context);
    return is_sent;
}

// Whether nothing happened for so long.
bool wait(int events, long milliseconds) {
    pgstat_report_stat(false);
    const int event =
        WaitLatch(MyLatch, events | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, milliseconds, wait_event("SocketioDeliveryIdle"));
    ResetLatch(MyLatch);
    return (event & WL_TIMEOUT) != 0;
}

void follow_interrupts() {
    CHECK_FOR_INTERRUPTS();
    if (ConfigReloadPending) {
        ConfigReloadPending = false;
        ProcessConfigFile(PGC_SIGHUP);
    }
}

// Send all there is. False where it could not be sent now.
bool drain(char* records, bool& had_work) {
    while (const std::size_t size = read_queue(records, kBatchBytes)) {
        had_work = true;
        follow_interrupts();
        if (!try_to_send(records, size)) {
            return false;
        }
    }
    return true;
}

// Until there is nothing to do. The result is the exit code.
//
// Told to leave, it leaves behind what cannot be sent: the next worker, if there will be one, finds it in the queue.
int serve(char* records) {
    for (bool is_idle = false;;) {
        follow_interrupts();
        bool had_work = false;
        const bool is_sent = drain(records, had_work);
        if (ShutdownRequestPending && !is_sent) {
            return kStartAgain;
        }
        if ((ShutdownRequestPending || (is_idle && !had_work)) && detach_idle_worker()) {
            return kDone;
        }
        is_idle = false;
        if (!is_sent) {
            wait(0, kAfterError);  // whatever is queued meanwhile
        } else if (had_work) {
            pg_usleep(kRest);
        } else {
            is_idle = wait(WL_LATCH_SET, kPatience);
        }
    }
}

void run_worker(Oid database) {
    if (!attach_worker(database)) {
        proc_exit(0);
    }
    set_up(database);
    char* records = static_cast<char*>(MemoryContextAlloc(TopMemoryContext, kBatchBytes));
    const MemoryContext context =
        AllocSetContextCreate(TopMemoryContext, "socketio_emitter delivery", ALLOCSET_DEFAULT_SIZES);
    MemoryContextSwitchTo(context);
    proc_exit(serve(records));
}

}  // namespace

bool start_worker(Oid database) {
    BackgroundWorker worker = {};
    worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
    worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
    worker.bgw_restart_time = kRestartSeconds;
    worker.bgw_main_arg = ObjectIdGetDatum(database);
    strlcpy(worker.bgw_library_name, "socketio_emitter", sizeof worker.bgw_library_name);
    strlcpy(worker.bgw_function_name, "socketio_delivery_worker", sizeof worker.bgw_function_name);
    strlcpy(worker.bgw_type, kWorkerType, sizeof worker.bgw_type);
    snprintf(worker.bgw_name, sizeof worker.bgw_name, "%s for database %u", kWorkerType, database);
    return RegisterDynamicBackgroundWorker(&worker, nullptr);
}

}  // namespace socketio

extern "C" {

__attribute__((visibility("default"))) void socketio_delivery_worker(Datum database) {
    socketio::run_worker(DatumGetObjectId(database));
}
}
