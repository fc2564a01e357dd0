// See delivery_worker.h.
//
// It is an ordinary session without a client. In a transaction of its own it hands a batch of records to NOTIFY, and gives their
// room in the queue back in the moment that transaction commits, so that each is sent exactly once, whatever happens to the
// worker. Nobody waits for its commits to reach the disk: what they write is of no use after a crash.
//
// It ends when it has had nothing to do for two seconds, so that it is not in the way of DROP DATABASE and the like, which wait
// five for other sessions. Told to terminate it sends what there is first; the next commit that needs a worker asks for
// another. One that fails is started again by the postmaster.

#include "backend/delivery_worker.h"

#include <algorithm>
#include <cstring>

#include "backend/attachment_dates.h"
#include "backend/delivery_queue.h"
#include "backend/delivery_record.h"
#include "backend/notify_queue.h"
#include "backend/signals.h"
#include "backend/wait_event.h"

extern "C" {
#include "access/xact.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/syscache.h"
}

namespace socketio {

namespace {

constexpr char kWorkerType[] = "socketio_emitter delivery";
constexpr std::size_t kBatchBytes = 512 * 1024;
constexpr long kPatience = 2000;    // milliseconds without work after which the worker ends
constexpr long kAfterError = 1000;  // milliseconds before a batch that failed is tried again
// Microseconds after a batch, in which the next one gathers. A transaction for each commit would take the processor from those that
// commit, and have the WAL writer flush when they are about to (make bench).
constexpr long kRest = 1000;
constexpr long kShortRest = 300;  // after a single record: somebody may be waiting for one answer after another
constexpr int kRestartSeconds = 1;
constexpr int kTries = 5;  // to connect, of which the last looks whether there is something to connect to
constexpr int kDone = 0;   // exit codes: whether the postmaster is to start the worker again
constexpr int kStartAgain = 1;

std::size_t batch_size = 0;  // of the batch that the current transaction sends

void on_transaction(XactEvent event, void*) {
    if (event == XACT_EVENT_COMMIT && batch_size > 0) {
        advance_queue(batch_size);
        batch_size = 0;
    }
}

void on_exit(int, Datum) { detach_worker(); }

void override_setting(const char* name, const char* value) { SetConfigOption(name, value, PGC_SUSET, PGC_S_OVERRIDE); }

void set_up() {
    pqsignal(SIGHUP, SignalHandlerForConfigReload);
    ignore_cancel();
    pqsignal(SIGTERM, SignalHandlerForShutdownRequest);
    BackgroundWorkerUnblockSignals();
    before_shmem_exit(on_exit, Datum(0));
    override_setting("synchronous_commit", "off");
    override_setting("default_transaction_isolation", "read committed");  // and nothing to wait for or to fail
    // Limits are for others, as they are to autovacuum.
    override_setting("statement_timeout", "0");
    override_setting("lock_timeout", "0");
    override_setting("idle_in_transaction_session_timeout", "0");
#if PG_VERSION_NUM >= 170000
    override_setting("transaction_timeout", "0");
#endif
}

void connect(Oid database) {
    BackgroundWorkerInitializeConnectionByOid(database, InvalidOid, BGWORKER_BYPASS_ALLOWCONN);
    note_worker_connected();
    RegisterXactCallback(on_transaction, nullptr);
}

// Look whether the database is still there, without connecting to it.
bool is_database(Oid database) {
    BackgroundWorkerInitializeConnectionByOid(InvalidOid, InvalidOid, 0);
    StartTransactionCommand();
    const bool is_there = SearchSysCacheExists1(DATABASEOID, ObjectIdGetDatum(database));
    CommitTransactionCommand();
    return is_there;
}

// The way out of a worker whose predecessors could not connect: once in a while, instead of trying again.
void leave_unless_database(Oid database) {
    if (is_database(database)) {
        proc_exit(kStartAgain);
    }
    ereport(LOG, (errmsg("database %u is gone, and so is what it has emitted and not sent", database)));
    abandon_queue();
    proc_exit(kDone);
}

void send_batch(const char* records, std::size_t size) {
    SetCurrentStatementStartTimestamp();
    StartTransactionCommand();
    pgstat_report_activity(STATE_RUNNING, "sending notifications");
    notify_records({records, size});
    batch_size = size;
    CommitTransactionCommand();
    pgstat_report_activity(STATE_IDLE, nullptr);
}

// What went wrong is logged and shown in socketio_stats. The records stay where they are. `context` holds nothing else.
void recover(MemoryContext context) {
    MemoryContextSwitchTo(context);
    HOLD_INTERRUPTS();
    ErrorData* error = CopyErrorData();
    EmitErrorReport();
    FlushErrorState();
    batch_size = 0;
    AbortCurrentTransaction();
    note_worker_error(error->detail == nullptr ? error->message : psprintf("%s: %s", error->message, error->detail));
    MemoryContextReset(context);
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

void wait(int events, long milliseconds) {
    pgstat_report_stat(false);
    WaitLatch(MyLatch, events | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, milliseconds, wait_event("SocketioDeliveryIdle"));
    ResetLatch(MyLatch);
}

void follow_interrupts() {
    CHECK_FOR_INTERRUPTS();
    if (ConfigReloadPending) {
        ConfigReloadPending = false;
        ProcessConfigFile(PGC_SIGHUP);
    }
}

enum class Turn { kIdle, kSentOne, kSentMany, kFailed };

bool is_one_record(const char* records, std::size_t size) {
    return reinterpret_cast<const DeliveryRecord*>(records)->size == size;
}

// Send what there is: not the few records that come meanwhile, which would be a transaction for each, over and over.
Turn take_turn(char* records) {
    Turn turn = Turn::kIdle;
    for (std::size_t size = kBatchBytes; size > kBatchBytes / 2;) {
        follow_interrupts();
        size = read_queue(records, kBatchBytes);
        if (size > 0) {
            if (!try_to_send(records, size)) {
                return Turn::kFailed;
            }
            date_sent_attachments({records, size});
            turn = is_one_record(records, size) ? Turn::kSentOne : Turn::kSentMany;
        }
    }
    return turn;
}

// Until there is nothing to do. The result is the exit code.
//
// Told to leave, it leaves behind what cannot be sent: the next worker, if there will be one, finds it in the queue.
int serve(char* records) {
    for (TimestampTz last_work = GetCurrentTimestamp();;) {
        const Turn turn = take_turn(records);
        if (ShutdownRequestPending && turn == Turn::kFailed) {
            return kStartAgain;
        }
        // What wakes the worker is not always work: so do commands that alter any database.
        const long idle = TimestampDifferenceMilliseconds(last_work, GetCurrentTimestamp());
        const bool may_leave = ShutdownRequestPending || (turn == Turn::kIdle && idle >= kPatience);
        if (may_leave && detach_idle_worker()) {
            return kDone;
        }
        switch (turn) {
            case Turn::kIdle:
                wait(WL_LATCH_SET, std::max(kPatience - idle, 1L));
                break;
            case Turn::kSentOne:
            case Turn::kSentMany:
                last_work = GetCurrentTimestamp();
                pg_usleep(turn == Turn::kSentOne ? kShortRest : kRest);
                break;
            case Turn::kFailed:
                wait(0, kAfterError);  // whatever is queued meanwhile
                move_notify_tail();    // nobody else may, if the queue was full
                break;
        }
    }
}

void run_worker(Oid database) {
    if (!attach_worker(database)) {
        proc_exit(kDone);
    }
    set_up();
    if (count_vain_starts() % kTries == kTries - 1) {
        leave_unless_database(database);
    }
    connect(database);
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
