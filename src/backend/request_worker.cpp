// See request_worker.h.
//
// One worker, one request: it attaches to the segment of the session that asks (request_segment.h), connects, listens on the
// channel and sends the messages in one transaction, and then takes in what is said there until the conversation is over.
// What it allocates goes with it.
//
// A session without a client has nobody to pass notifications and errors to. So this process puts functions of its own where
// the server sends messages of its protocol: notifications stay here, errors go to the session that asks.

#include "backend/request_worker.h"

#include <algorithm>
#include <chrono>
#include <cstring>

#include "backend/attachment_table.h"
#include "backend/dialect.h"
#include "backend/guard.h"
#include "backend/library_version.h"
#include "backend/request_segment.h"
#include "backend/server_output.h"
#include "backend/settings.h"
#include "backend/signals.h"
#include "backend/text.h"
#include "backend/wait_event.h"

extern "C" {
#include "access/xact.h"
#include "commands/async.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/proc.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
}

namespace socketio {

namespace {

using Clock = std::chrono::steady_clock;

// The session is connected: whether it might connect once more is not the question.
#ifdef BGWORKER_BYPASS_ROLELOGINCHECK
constexpr std::uint32_t kConnectionFlags = BGWORKER_BYPASS_ALLOWCONN | BGWORKER_BYPASS_ROLELOGINCHECK;
#else
constexpr std::uint32_t kConnectionFlags = BGWORKER_BYPASS_ALLOWCONN;
#endif

constexpr int kPatienceByStartUp = 20;  // it takes 2 to 5 ms on an idle machine, seldom 15

constexpr int kInboxLimit = 256 * 1024 * 1024;

// The segment as the worker sees it. Until the versions have been found equal there is a queue in it, and perhaps a version.
struct Segment {
    const RequestVersion* version;  // null where the session's library is of 0.1.0
    const RequestHeader* header;
    const Dialect* dialect;
    shm_toc* toc;
    const char* nsp;
    const char* socket;
    const char* settings;
    const char* messages;
    shm_mq_handle* queue;
};

Segment segment;
StringInfoData inbox;           // payloads of notifications, each behind its size
StringInfoData row;             // the message under construction
ErrorData* attachment_error;    // the first one
bool passes_warnings = false;   // others than its own are of no interest to the session
MemoryContext message_context;  // for the time of one message: any role may send as many as it likes

// Told to end, it may be waiting for a lock, which a cancellation ends as well.
void on_terminate(SIGNAL_ARGS) {
    const int saved_errno = errno;
    ShutdownRequestPending = true;
    InterruptPending = true;
    QueryCancelPending = true;
    SetLatch(MyLatch);
    errno = saved_errno;
}

// False where the session has gone meanwhile.
bool attach(dsm_handle handle) {
    CurrentResourceOwner = ResourceOwnerCreate(nullptr, kRequestWorkerType);
    dsm_segment* shared = dsm_attach(handle);
    if (shared == nullptr) {
        return false;
    }
    dsm_pin_mapping(shared);  // beyond the transactions
    segment.toc = shm_toc_attach(kRequestMagic, dsm_segment_address(shared));
    if (segment.toc != nullptr) {
        segment.version = static_cast<RequestVersion*>(shm_toc_lookup(segment.toc, kRequestVersion, false));
    } else {
        segment.toc = shm_toc_attach(kUnversionedMagic, dsm_segment_address(shared));
    }
    if (segment.toc == nullptr) {
        elog(ERROR, "the request's shared memory is not what it should be");
    }
    auto* queue = static_cast<shm_mq*>(shm_toc_lookup(segment.toc, kRequestQueue, false));
    shm_mq_set_sender(queue, MyProc);
    segment.queue = shm_mq_attach(queue, shared, nullptr);
    return true;
}

void require_same_library() {
    if (segment.version != nullptr && *segment.version == request_version()) {
        return;
    }
    const char* loaded = segment.version != nullptr ? segment.version->library : "0.1.0";
    constexpr int kLength = sizeof RequestVersion::library;
    ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                    errmsg("socketio_emitter has been replaced since this session began"),
                    std::strncmp(loaded, kLibraryVersion, kLength) == 0
                        ? errdetail("The session has loaded another build of version %s.", kLibraryVersion)
                        : errdetail("The session has loaded version %.*s, and now %s is installed.", kLength, loaded,
                                    kLibraryVersion),
                    errhint("Reconnect. Only what asks the cluster needs that.")));
}

void read_segment() {
    require_same_library();
    segment.header = static_cast<RequestHeader*>(shm_toc_lookup(segment.toc, kRequestHeader, false));
    segment.nsp = static_cast<char*>(shm_toc_lookup(segment.toc, kRequestNamespace, false));
    segment.socket = static_cast<char*>(shm_toc_lookup(segment.toc, kRequestSocket, false));
    segment.settings = static_cast<char*>(shm_toc_lookup(segment.toc, kRequestSettings, false));
    segment.messages = static_cast<char*>(shm_toc_lookup(segment.toc, kRequestMessages, false));
}

// A session that no longer receives ends the worker by a signal, so what becomes of a message is of no interest.
void send(char type, const char* bytes, std::size_t size, bool flush) {
    shm_mq_iovec parts[] = {{&type, 1}, {bytes, size}};
    shm_mq_sendv(segment.queue, parts, lengthof(parts), false, flush);
}

// What a flood of them leaves no room for is not heard.
void keep_notification(const char* message) {
    if (inbox.len >= kInboxLimit) {
        return;
    }
    const char* channel = message + sizeof(std::int32_t);  // behind the sender's PID
    const char* payload = channel + std::strlen(channel) + 1;
    const auto size = static_cast<std::int32_t>(std::strlen(payload));
    appendBinaryStringInfo(&inbox, reinterpret_cast<const char*>(&size), sizeof size);
    appendBinaryStringInfo(&inbox, payload, size);
}

int put_message(char type, const char* bytes, std::size_t size) {
    constexpr char kNotification = 'A';
    if (type == kNotification) {
        keep_notification(bytes);
    } else if (type == kErrorMessage || (type == kNoticeMessage && passes_warnings)) {
        send(type, bytes, size, true);
    }
    return 0;
}

void put_message_noblock(char type, const char* bytes, std::size_t size) { put_message(type, bytes, size); }

void redirect_output() {
    static const PQcommMethods methods = {[] {},       [] { return 0; },   [] { return 0; }, [] { return false; },
                                          put_message, put_message_noblock};
    PqCommMethods = &methods;
    whereToSendOutput = DestRemote;
    FrontendProtocol = PG_PROTOCOL_LATEST;
}

void override_setting(const char* name, const char* value) { SetConfigOption(name, value, PGC_SUSET, PGC_S_OVERRIDE); }

void take_over_settings() {
    const char* end = segment.settings + segment.header->settings_size;
    for (const char* name = segment.settings; name < end;) {
        const char* value = name + std::strlen(name) + 1;
        SetConfigOption(name, value, PGC_USERSET, PGC_S_SESSION);
        name = value + std::strlen(value) + 1;
    }
    override_setting("socketio_emitter.delivery", "notify");
    if (!segment.header->has_prefix) {
        settings.channel_prefix = nullptr;  // whatever the role or the database has been given since the session began
    }
    segment.dialect = &dialect();
}

// From which level on messages are logged; from PostgreSQL 19 on each type of process has its own.
int& logged_level() {
#if PG_VERSION_NUM >= 190000
    return log_min_messages[MyBackendType];
#else
    return log_min_messages;
#endif
}

// As the session did, so that pg_stat_activity shows whose it is; with the rights its current role has.
void connect() {
    const RequestHeader& header = *segment.header;
    // The session has had the warnings about its role's settings at its login.
    const int logged = logged_level();
    logged_level() = FATAL;
    BackgroundWorkerInitializeConnectionByOid(header.database, header.session_role, kConnectionFlags);
    logged_level() = logged_level() == FATAL ? logged : logged_level();
    SetClientEncoding(GetDatabaseEncoding());
    // What was set for the role or the database is not meant for this.
    override_setting("synchronous_commit", "off");
    override_setting("default_transaction_read_only", "off");
    override_setting("default_transaction_isolation", "read committed");
    override_setting("statement_timeout", "0");
    override_setting("lock_timeout", "0");
    override_setting("idle_in_transaction_session_timeout", "0");
#if PG_VERSION_NUM >= 170000
    override_setting("transaction_timeout", "0");
#endif
    take_over_settings();
}

// A transaction with the rights of the current role of the session.
void begin_transaction() {
    StartTransactionCommand();
    SetUserIdAndSecContext(segment.header->role, segment.header->security_context);
    PushActiveSnapshot(GetTransactionSnapshot());
}

// The role stays until behind the commit, for deferred triggers of an application's attachment table run there.
void end_transaction() {
    PopActiveSnapshot();
    CommitTransactionCommand();
    SetUserIdAndSecContext(segment.header->session_role, 0);
}

void send_messages(Moment moment) {
    const RequestHeader& header = *segment.header;
    const char* end = segment.messages + header.messages_size;
    for (const char* next = segment.messages; next < end;) {
        const auto* message = reinterpret_cast<const RequestMessage*>(next);
        const char* bytes = next + sizeof *message;
        if (message->moment == moment) {
            segment.dialect->send(header.channel, {segment.nsp, header.nsp_size}, message->kind,
                                  {bytes, message->size});
        }
        next = bytes + MAXALIGN(message->size + 1);
    }
}

void send_actions() {
    begin_transaction();
    send_messages(Moment::kWhenFound);
    end_transaction();
}

// On a busy machine servers take as long to be heard as this process has taken to get here, and more if many ask at once.
ConversationLimits adapt_to_load(ConversationLimits limits) {
    const std::chrono::microseconds start_up(GetCurrentTimestamp() - MyStartTimestamp);
    const auto patience = std::chrono::duration_cast<Conversation::Time>(kPatienceByStartUp * start_up);
    limits.patience = std::max(limits.patience, std::min(patience, limits.timeout));
    limits.quiet = std::max(limits.quiet, std::min(patience / 2, limits.timeout));
    return limits;
}

Conversation* begin_conversation() {
    const RequestHeader& header = *segment.header;
    const Inquiry inquiry = {header.question,
                             {segment.nsp, header.nsp_size},
                             {segment.socket, header.socket_size},
                             header.request_id.view(),
                             adapt_to_load(header.limits)};
    return segment.dialect->converse(inquiry, header.channel);
}

// What is sent leaves with the commit, by which time the worker listens. `begin` is just before that.
Conversation* send_request(Clock::time_point& begin) {
    begin_transaction();
    Conversation* conversation = begin_conversation();
    Async_Listen(segment.header->channel.name);
    send_messages(Moment::kAtOnce);
    begin = Clock::now();
    end_transaction();
    return conversation;
}

Conversation::Time since(Clock::time_point begin) {
    return std::chrono::duration_cast<Conversation::Time>(Clock::now() - begin);
}

void send_row(const Row& fields, bool flush) {
    resetStringInfo(&row);
    pq_sendint32(&row, static_cast<std::uint32_t>(fields.size()));
    for (const std::optional<std::string>& field : fields) {
        const int size = field ? static_cast<int>(field->size()) : -1;
        pq_sendint32(&row, static_cast<std::uint32_t>(size));
        appendBinaryStringInfo(&row, field ? field->data() : "", std::max(size, 0));
    }
    send(kRowMessage, row.data, row.len, flush);
}

// Not as they come: each time the session woke up, it would take the processor from the servers that are still to answer.
void send_rows(Conversation& conversation) {
    while (const Row* fields = conversation.next_row()) {
        send_row(*fields, !conversation.has_row());
    }
}

// Why an attachment could not be read. Whose answer it was is unknown, so it matters only if one is missing in the end.
void keep_error(MemoryContext context) {
    MemoryContextSwitchTo(TopMemoryContext);
    if (ShutdownRequestPending) {
        PG_RE_THROW();
    }
    if (attachment_error == nullptr) {
        attachment_error = CopyErrorData();
    }
    FlushErrorState();
    AbortCurrentTransaction();
    begin_transaction();
    MemoryContextSwitchTo(context);
}

// False where that fails.
bool try_to_read_attachment(const char* id, std::string_view& payload) {
    const MemoryContext context = CurrentMemoryContext;
    volatile bool is_read = true;
    PG_TRY();
    { payload = read_attachment(id); }
    PG_CATCH();
    {
        keep_error(context);
        is_read = false;
    }
    PG_END_TRY();
    return is_read;
}

// It may take long, if somebody has locked the table.
void hear_attachment(Conversation& conversation, std::string_view id, Clock::time_point begin) {
    send_rows(conversation);
    const std::string_view text = from_utf8_lossily(id);
    std::string_view payload;
    if (!try_to_read_attachment(pnstrdup(text.data(), text.size()), payload)) {
        conversation.miss_attachment();
    } else if (!payload.empty()) {
        conversation.hear_attachment(payload, since(begin));
    }
}

void hear_message(Conversation& conversation, Clock::time_point begin) {
    MemoryContextSwitchTo(message_context);
    std::int32_t size;
    pq_copymsgbytes(&inbox, reinterpret_cast<char*>(&size), sizeof size);
    const std::string_view payload(pq_getmsgbytes(&inbox, size), size);
    const std::string_view attachment_id = conversation.hear(to_utf8_lossily(payload), since(begin));
    if (!attachment_id.empty()) {
        hear_attachment(conversation, attachment_id, begin);
    }
    MemoryContextSwitchTo(TopTransactionContext);
    MemoryContextReset(message_context);
}

bool is_time_up(Clock::time_point begin) { return since(begin) >= segment.header->limits.timeout; }

// How long it has been quiet is no reason to stop here: it has not been, this process may only have had no processor.
bool is_over_anyway(const Conversation& conversation) { return conversation.is_over(Conversation::Time(0)); }

void hear_inbox(Conversation& conversation, Clock::time_point begin) {
    if (inbox.len == 0) {
        return;
    }
    begin_transaction();
    while (inbox.cursor < inbox.len && !is_over_anyway(conversation) && !is_time_up(begin)) {
        CHECK_FOR_INTERRUPTS();
        hear_message(conversation, begin);
    }
    end_transaction();
    resetStringInfo(&inbox);
}

void wait(Conversation::Time time) {
    if (notifyInterruptPending || ShutdownRequestPending) {
        return;  // sending a row may have waited, and taken the signal for its own
    }
    time = std::max(time, Conversation::Time(0));
    const long milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(time).count() + 1;
    WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, milliseconds,
              wait_event("SocketioClusterAnswers"));
    ResetLatch(MyLatch);
}

void follow_interrupts() {
    if (ShutdownRequestPending) {
        proc_exit(0);
    }
    CHECK_FOR_INTERRUPTS();
    if (notifyInterruptPending) {
        ProcessNotifyInterrupt(false);
    }
}

// Rows that came count for more than what is missing.
void report_unreadable(const Outcome& outcome) {
    if (outcome.answered == 0 || (outcome.clients > 0 && outcome.acknowledged == 0)) {
        ReThrowError(attachment_error);
    }
    passes_warnings = true;
    ereport(WARNING, (errcode(attachment_error->sqlerrcode),
                      errmsg("an answer could not be read: %s", attachment_error->message),
                      attachment_error->detail != nullptr ? errdetail("%s", attachment_error->detail) : 0,
                      attachment_error->hint != nullptr ? errhint("%s", attachment_error->hint) : 0));
}

// Take in what has come, and do what it asks for. Returns the time until which all that was sent has been heard: whether it is over
// must not be asked of a later one.
Conversation::Time catch_up(Conversation& conversation, bool& has_acted, Clock::time_point begin) {
    const Conversation::Time now = since(begin);
    follow_interrupts();
    hear_inbox(conversation, begin);
    if (conversation.has_found() && !has_acted) {
        send_actions();
        has_acted = true;
    }
    return now;
}

void converse(Conversation& conversation, Clock::time_point begin) {
    bool has_acted = false;
    Conversation::Time now = catch_up(conversation, has_acted, begin);
    while (!conversation.is_over(now)) {
        wait(conversation.next_look(now) - since(begin));
        now = catch_up(conversation, has_acted, begin);
    }
    send_rows(conversation);
    const Outcome outcome = conversation.outcome(now);
    if (outcome.unreadable > 0) {
        report_unreadable(outcome);
    }
    send(kOutcomeMessage, reinterpret_cast<const char*>(&outcome), sizeof outcome, true);
}

void make_buffers() {
    const MemoryContext context = MemoryContextSwitchTo(TopMemoryContext);
    initStringInfo(&inbox);
    initStringInfo(&row);
    message_context = AllocSetContextCreate(TopMemoryContext, "socketio_emitter message", ALLOCSET_DEFAULT_SIZES);
    MemoryContextSwitchTo(context);
}

void ask(dsm_handle handle) {
    pqsignal(SIGTERM, on_terminate);
    ignore_cancel();  // who wants to cancel the request cancels the session's query
    BackgroundWorkerUnblockSignals();
    if (!attach(handle)) {
        proc_exit(0);
    }
    make_buffers();
    redirect_output();
    read_segment();
    connect();
    Clock::time_point begin;
    Conversation* conversation = send_request(begin);
    converse(*conversation, begin);
}

// What it fails with is the session's to report; being told to end is no error, whatever was under way.
void run_worker(dsm_handle handle) {
    PG_TRY();
    {
        run_guarded([&] { ask(handle); });
    }
    PG_CATCH();
    {
        HOLD_INTERRUPTS();
        if (!ShutdownRequestPending) {
            EmitErrorReport();
        }
    }
    PG_END_TRY();
    proc_exit(0);
}

}  // namespace

bool is_request_worker() {
    return MyBgworkerEntry != nullptr && std::strcmp(MyBgworkerEntry->bgw_type, kRequestWorkerType) == 0;
}

}  // namespace socketio

extern "C" {

__attribute__((visibility("default"))) void socketio_request_worker(Datum segment) {
    socketio::run_worker(DatumGetUInt32(segment));
}
}
