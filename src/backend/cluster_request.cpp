// See cluster_request.h.

#include "backend/cluster_request.h"

#include <algorithm>
#include <chrono>
#include <cstring>

#include "backend/request_progress.h"
#include "backend/request_segment.h"
#include "backend/request_worker.h"
#include "backend/settings.h"
#include "backend/wait_event.h"

extern "C" {
#include "access/xlog.h"
#include "libpq/pqformat.h"
#include "libpq/pqmq.h"
#include "miscadmin.h"
#include "postmaster/bgworker.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/proc.h"
#include "utils/guc.h"
#include "utils/memutils.h"
}

namespace socketio {

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr Conversation::Time kPatience = 500ms;  // with connections that listen and stay silent
constexpr Clock::duration kSlotWait = 5s;        // for a background worker, while none becomes free
constexpr Clock::duration kSlotLook = 5ms;
// Behind the timeout, for the worker to say so: while it waits for something, and while it is at work on a busy machine.
constexpr Clock::duration kGrace = 1s;
constexpr Clock::duration kLongestGrace = 1min;
constexpr Clock::duration kProgressLook = 200ms;

void require_primary_to_ask() {
    if (RecoveryInProgress()) {
        ereport(ERROR, (errcode(ERRCODE_READ_ONLY_SQL_TRANSACTION), errmsg("cannot ask the cluster during recovery"),
                        errdetail("This server is a standby, and LISTEN and NOTIFY work on a primary only."),
                        errhint("Ask through a connection to the primary server.")));
    }
}

void append_setting(StringInfo settings_text, const char* name, const char* value) {
    appendBinaryStringInfo(settings_text, name, static_cast<int>(std::strlen(name) + 1));
    appendBinaryStringInfo(settings_text, value, static_cast<int>(std::strlen(value) + 1));
}

// Code of the attachment table's owner may run in the worker, and emit.
void append_settings(StringInfo settings_text) {
    constexpr const char* kShared[] = {"search_path",
                                       "socketio_emitter.protocol",
                                       "socketio_emitter.attachment_table",
                                       "socketio_emitter.payload_threshold",
                                       "socketio_emitter.max_batch_bytes",
                                       "socketio_emitter.enabled"};
    for (const char* name : kShared) {
        append_setting(settings_text, name, GetConfigOption(name, false, false));
    }
    if (settings.channel_prefix != nullptr) {
        append_setting(settings_text, "socketio_emitter.channel_prefix", settings.channel_prefix);
    }
}

RequestHeader make_header(const Request& request) {
    RequestHeader header = {};
    header.database = MyDatabaseId;
    header.session_role = GetAuthenticatedUserId();
    GetUserIdAndSecContext(&header.role, &header.security_context);
    header.question = request.question;
    header.has_prefix = settings.channel_prefix != nullptr;
    header.request_id = request.id;
    // Who asks for the servers themselves says how long they may take.
    const bool asks_for_servers = request.question == Question::kServers;
    header.limits = {request.timeout, asks_for_servers ? request.timeout : std::min(request.timeout, kPatience)};
    header.channel = request.channel;
    return header;
}

// The segment, with all but the queue in it.
dsm_segment* create_segment(const Request& request, shm_toc*& toc) {
    StringInfoData settings_text;
    initStringInfo(&settings_text);
    append_settings(&settings_text);
    RequestHeader header = make_header(request);
    header.nsp_size = request.target.nsp.size();
    header.socket_size = request.socket.size();
    header.settings_size = settings_text.len;
    header.messages_size = request.messages.len;

    shm_toc_estimator estimator;
    shm_toc_initialize_estimator(&estimator);
    for (const std::size_t size : {sizeof header, header.nsp_size, header.socket_size, header.settings_size,
                                   header.messages_size, kRequestQueueSize, sizeof(RequestVersion)}) {
        shm_toc_estimate_chunk(&estimator, size);
    }
    shm_toc_estimate_keys(&estimator, kRequestKeys);
    const std::size_t size = shm_toc_estimate(&estimator);
    dsm_segment* segment = dsm_create(size, 0);
    toc = shm_toc_create(kRequestMagic, dsm_segment_address(segment), size);
    const auto put = [&](RequestKey key, const void* bytes, std::size_t length) {
        void* place = shm_toc_allocate(toc, length);
        if (length > 0) {
            std::memcpy(place, bytes, length);
        }
        shm_toc_insert(toc, key, place);
    };
    put(kRequestHeader, &header, sizeof header);
    put(kRequestNamespace, request.target.nsp.data(), header.nsp_size);
    put(kRequestSocket, request.socket.data(), header.socket_size);
    put(kRequestSettings, settings_text.data, settings_text.len);
    put(kRequestMessages, request.messages.data, request.messages.len);
    put(kRequestVersion, &request_version(), sizeof(RequestVersion));
    pfree(settings_text.data);
    return segment;
}

shm_mq_handle* create_queue(dsm_segment* segment, shm_toc* toc) {
    shm_mq* queue = shm_mq_create(shm_toc_allocate(toc, kRequestQueueSize), kRequestQueueSize);
    shm_toc_insert(toc, kRequestQueue, queue);
    shm_mq_set_receiver(queue, MyProc);
    return shm_mq_attach(queue, segment, nullptr);
}

void wait(Clock::duration time) {
    const long milliseconds = std::max<long>(1, std::chrono::duration_cast<std::chrono::milliseconds>(time).count());
    WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, milliseconds,
              wait_event("SocketioClusterRequest"));
    ResetLatch(MyLatch);
    CHECK_FOR_INTERRUPTS();
}

[[noreturn]] void report_no_worker() {
    ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_RESOURCES), errmsg("no background worker is free to ask the cluster"),
                    errdetail("All %d of max_worker_processes are in use.", max_worker_processes),
                    errhint("Raise max_worker_processes and restart the server, or try again later.")));
    pg_unreachable();
}

BackgroundWorker describe_worker(dsm_segment* segment) {
    BackgroundWorker worker = {};
    worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
    worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
    worker.bgw_restart_time = BGW_NEVER_RESTART;
    worker.bgw_main_arg = UInt32GetDatum(dsm_segment_handle(segment));
    worker.bgw_notify_pid = MyProcPid;
    strlcpy(worker.bgw_library_name, "socketio_emitter", sizeof worker.bgw_library_name);
    strlcpy(worker.bgw_function_name, kRequestWorkerFunction, sizeof worker.bgw_function_name);
    strlcpy(worker.bgw_type, kRequestWorkerType, sizeof worker.bgw_type);
    snprintf(worker.bgw_name, sizeof worker.bgw_name, "%s for PID %d", kRequestWorkerType, MyProcPid);
    return worker;
}

// Workers of other requests are done in a moment, as a rule, so a free one is worth waiting for: as long as they come and go.
class Turnover {
  public:
    bool has_ended() {
        const Clock::time_point now = Clock::now();
        if (now >= next_look_) {
            next_look_ = now + kProgressLook;
            const TimestampTz latest = latest_request_worker_start();
            give_up_ = latest == latest_ ? give_up_ : now + kSlotWait;
            latest_ = latest;
        }
        return now >= give_up_;
    }

  private:
    Clock::time_point give_up_ = Clock::now() + kSlotWait;
    Clock::time_point next_look_ = {};
    TimestampTz latest_ = 0;
};

BackgroundWorkerHandle* start_worker(dsm_segment* segment) {
    BackgroundWorker worker = describe_worker(segment);
    // It outlives what an ERROR frees first: the detaching below needs it.
    const MemoryContext context = MemoryContextSwitchTo(TopMemoryContext);
    BackgroundWorkerHandle* handle = nullptr;
    Turnover turnover;
    while (!RegisterDynamicBackgroundWorker(&worker, &handle)) {
        if (max_worker_processes == 0 || turnover.has_ended()) {
            report_no_worker();
        }
        wait(kSlotLook);
    }
    MemoryContextSwitchTo(context);
    return handle;
}

// Called as the segment goes away under a request that has not ended: by an ERROR, or with the session.
void end_worker(dsm_segment*, Datum handle) {
    auto* worker = reinterpret_cast<BackgroundWorkerHandle*>(DatumGetPointer(handle));
    TerminateBackgroundWorker(worker);
    pfree(worker);
}

[[noreturn]] void report_lost_worker() {
    ereport(ERROR, (errcode(ERRCODE_CONNECTION_FAILURE), errmsg("the background worker that asked the cluster is gone"),
                    errdetail("It ended before it had all answers."),
                    errhint("The server's log may say why: it was terminated, or could not be started. If the library "
                            "has been replaced since this session began, reconnect.")));
    pg_unreachable();
}

void pass_on_error(StringInfo message) {
    ErrorData error;
    pq_parse_errornotice(message, &error);
    error.elevel = std::min(error.elevel, ERROR);  // what is fatal to the worker is not to us
    ThrowErrorData(&error);
}

void pass_on_row(StringInfo message, TakeRow take_row, void* result) {
    const int count = static_cast<int>(pq_getmsgint(message, 4));
    auto* fields = static_cast<std::string_view*>(palloc(sizeof(std::string_view) * count));
    for (int i = 0; i < count; ++i) {
        const int size = static_cast<int>(pq_getmsgint(message, 4));
        fields[i] = size < 0 ? std::string_view() : std::string_view(pq_getmsgbytes(message, size), size);
    }
    take_row({count, fields}, result);
}

// How a request ended, if it has.
enum class End { kNotYet, kOutcome, kHeldUp };

struct Receiver {
    TakeRow take_row;
    void* result;
    MemoryContext row_context;
    Outcome outcome;  // at kOutcome
};

void receive_row(StringInfo message, const Receiver& receiver) {
    const MemoryContext context = MemoryContextSwitchTo(receiver.row_context);
    pass_on_row(message, receiver.take_row, receiver.result);
    MemoryContextSwitchTo(context);
    MemoryContextReset(receiver.row_context);
}

End receive(StringInfo message, Receiver& receiver) {
    switch (pq_getmsgbyte(message)) {
        case kRowMessage:
            receive_row(message, receiver);
            return End::kNotYet;
        case kOutcomeMessage:
            pq_copymsgbytes(message, reinterpret_cast<char*>(&receiver.outcome), sizeof receiver.outcome);
            return End::kOutcome;
        case kErrorMessage:
        case kNoticeMessage:
            pass_on_error(message);
            return End::kNotYet;
        default:
            elog(ERROR, "unexpected message from the background worker");
    }
}

// A worker that waits beyond the timeout is held up, by a lock on the attachment table for example.
void report_held_up() {
    ereport(WARNING, (errmsg("timeout reached: answers are missing"),
                      errdetail("The background worker that asked the cluster was held up.")));
}

End receive_all(shm_mq_handle* queue, BackgroundWorkerHandle* worker, Conversation::Time timeout, Receiver& receiver) {
    const Clock::time_point last = Clock::now() + timeout + kLongestGrace;
    for (Clock::time_point give_up = Clock::now() + timeout + kGrace;;) {
        std::size_t size;
        void* bytes;
        switch (shm_mq_receive(queue, &size, &bytes, true)) {
            case SHM_MQ_SUCCESS: {
                StringInfoData message = {static_cast<char*>(bytes), static_cast<int>(size), static_cast<int>(size), 0};
                const End end = receive(&message, receiver);
                if (end != End::kNotYet) {
                    return end;
                }
                give_up = std::max(give_up, Clock::now() + kGrace);
                CHECK_FOR_INTERRUPTS();
                break;
            }
            case SHM_MQ_WOULD_BLOCK: {
                const Clock::time_point now = Clock::now();
                if (now < give_up) {
                    wait(give_up - now);
                } else if (now < last && is_at_work(worker)) {
                    wait(kProgressLook);
                    // What it was at may have been the sending: only then does the time of the answers begin.
                    give_up = Clock::now() + (is_at_work(worker) ? 0s : timeout + kGrace);
                } else {
                    return End::kHeldUp;
                }
                break;
            }
            case SHM_MQ_DETACHED:
                report_lost_worker();
        }
    }
}

void report_missing_answers(const Request& request, const Outcome& outcome) {
    if (outcome.timed_out && outcome.servers == 0) {
        ereport(WARNING, (errmsg("timeout reached before a server was heard")));
    } else if (outcome.timed_out) {
        ereport(WARNING, (errmsg("timeout reached: %d of %d servers answered", outcome.answered, outcome.servers),
                          request.question == Question::kClientAcks
                              ? errdetail("%ld of %ld clients acknowledged.", outcome.acknowledged, outcome.clients)
                              : 0));
    }
    if (outcome.silent > 0) {
        ereport(NOTICE, (errmsg_plural("%d connection that listens on \"%s\" was not heard from",
                                       "%d connections that listen on \"%s\" were not heard from", outcome.silent,
                                       outcome.silent, request.channel.name),
                         errdetail("If it is that of a Socket.IO server with this namespace, the server was too busy "
                                   "to answer, and what it knows is missing.")));
    }
}

}  // namespace

void add_message(Request& request, Moment moment, int kind, std::string_view bytes) {
    const RequestMessage header = {bytes.size(), moment, kind};
    appendBinaryStringInfo(&request.messages, reinterpret_cast<const char*>(&header), sizeof header);
    appendBinaryStringInfo(&request.messages, bytes.data(), static_cast<int>(bytes.size()));
    do {  // at least the NUL byte behind a notification
        appendStringInfoChar(&request.messages, '\0');
    } while (request.messages.len % MAXIMUM_ALIGNOF != 0);
}

Ending make_request(Request& request, TakeRow take_row, void* result) {
    require_primary_to_ask();
    request.id = make_random_id();
    initStringInfo(&request.messages);
    dialect().ask(request);
    shm_toc* toc;
    dsm_segment* segment = create_segment(request, toc);
    pfree(request.messages.data);
    shm_mq_handle* queue = create_queue(segment, toc);
    BackgroundWorkerHandle* worker = start_worker(segment);
    on_dsm_detach(segment, end_worker, PointerGetDatum(worker));
    shm_mq_set_handle(queue, worker);
    Receiver receiver = {take_row, result, nullptr, {}};
    receiver.row_context = AllocSetContextCreate(CurrentMemoryContext, "socketio_emitter row", ALLOCSET_DEFAULT_SIZES);
    const End end = receive_all(queue, worker, request.timeout, receiver);
    if (end == End::kOutcome) {
        cancel_on_dsm_detach(segment, end_worker, PointerGetDatum(worker));  // it ends by itself
        pfree(worker);
    }
    dsm_detach(segment);
    MemoryContextDelete(receiver.row_context);
    if (end == End::kHeldUp) {
        report_held_up();
    }
    report_missing_answers(request, receiver.outcome);
    if (end == End::kHeldUp || receiver.outcome.unconfirmed) {
        return Ending::kHeldUp;
    }
    return receiver.outcome.is_complete() ? Ending::kComplete : Ending::kIncomplete;
}

}  // namespace socketio
