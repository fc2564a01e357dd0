// See settings.h.

#include "backend/settings.h"

#include "backend/attachment_table.h"
#include "backend/channel.h"
#include "backend/delivery_queue.h"
#include "backend/dialect.h"
#include "backend/notify.h"
#include "backend/request_worker.h"
#include "backend/server.h"

extern "C" {
#include "miscadmin.h"
#include "utils/guc.h"
#include "utils/memutils.h"
}

namespace socketio {

Settings settings;

namespace {

constexpr int kDefaultBatchBytes = 1024 * 1024;
constexpr int kDefaultQueueSize = 8 * 1024;
constexpr int kMinQueueSize = 64;
constexpr int kMaxQueueSize = 1024 * 1024;
constexpr int kDefaultDatabases = 8;
constexpr int kMaxDatabases = 1000;
constexpr int kMaxBatchBytes = 512 * 1024 * 1024;  // what PostgreSQL stores in one value is twice that

bool check_channel_prefix(char** value, void**, GucSource) {
    if (*value == nullptr || strlen(*value) <= kMaxChannelPrefix) {
        return true;
    }
    GUC_check_errdetail("The prefix, \"#\" and the namespace may take %d bytes together.", kMaxChannelName);
    return false;
}

// What is in force, be it set or the protocol's default.
const char* show_channel_prefix() { return dialect().prefix().data(); }

bool check_attachment_table(char** value, void**, GucSource) {
    if (is_table_name(*value)) {
        return true;
    }
    GUC_check_errdetail("The value must be a table's name, which may be qualified with a schema.");
    return false;
}

bool check_delivery(int* value, void**, GucSource) {
    if (*value == kDeliverByNotify || has_delivery_queues() || process_shared_preload_libraries_in_progress ||
        is_request_worker()) {  // which leaves the complaint to the session that asks, and notifies anyway
        return true;
    }
    GUC_check_errdetail("The worker needs shared memory, which the server hands out as it starts.");
    GUC_check_errhint("Add socketio_emitter to shared_preload_libraries and restart the server.");
    return false;
}

constexpr config_enum_entry kDeliveries[] = {
    {"notify", kDeliverByNotify, false},
    {"worker", kDeliverByWorker, false},
    {nullptr, 0, false},
};

// The protocols by name; the numbers are those of the dialects.
const config_enum_entry* protocol_entries() {
    static config_enum_entry* entries = [] {
        const int count = count_dialects();
        auto* made = static_cast<config_enum_entry*>(MemoryContextAllocZero(
            TopMemoryContext, (count + 1) * sizeof(config_enum_entry)));  // the last one is empty
        for (int i = 0; i < count; ++i) {
            made[i] = {dialect_number(i).name, i, false};
        }
        return made;
    }();
    return entries;
}

// What shared memory there is depends on them.
void define_server_settings() {
    DefineCustomIntVariable("socketio_emitter.queue_size",
                            "Shared memory for what each database has emitted and the worker not yet sent.", nullptr,
                            &settings.queue_size, kDefaultQueueSize, kMinQueueSize, kMaxQueueSize, PGC_POSTMASTER,
                            GUC_UNIT_KB, nullptr, nullptr, nullptr);
    DefineCustomIntVariable("socketio_emitter.max_databases", "How many databases can have such a queue.", nullptr,
                            &settings.max_databases, kDefaultDatabases, 1, kMaxDatabases, PGC_POSTMASTER, 0, nullptr,
                            nullptr, nullptr);
}

}  // namespace

void define_settings() {
    DefineCustomEnumVariable("socketio_emitter.protocol", "Which adapter the Socket.IO servers run.", nullptr,
                             &settings.protocol, 0, protocol_entries(), PGC_USERSET, 0, nullptr, nullptr, nullptr);
    DefineCustomStringVariable("socketio_emitter.channel_prefix",
                               "Prefix of the notification channels, the adapter's option channelPrefix.",
                               "Each protocol has a default of its own.", &settings.channel_prefix, nullptr,
                               PGC_USERSET, 0, check_channel_prefix, nullptr, show_channel_prefix);
    DefineCustomStringVariable("socketio_emitter.attachment_table",
                               "Table for messages that do not fit a notification, the adapter's option tableName.",
                               nullptr, &settings.attachment_table, kDefaultAttachmentTable, PGC_USERSET, 0,
                               check_attachment_table, nullptr, nullptr);
    DefineCustomIntVariable("socketio_emitter.payload_threshold",
                            "Length from which a message travels through the attachment table.", nullptr,
                            &settings.payload_threshold, kMaxNotification, 1, kMaxNotification, PGC_USERSET,
                            GUC_UNIT_BYTE, nullptr, nullptr, nullptr);
    DefineCustomIntVariable("socketio_emitter.max_batch_bytes",
                            "Length of a message up to which it takes in rows of a statement.", nullptr,
                            &settings.max_batch_bytes, kDefaultBatchBytes, 1, kMaxBatchBytes, PGC_USERSET,
                            GUC_UNIT_BYTE, nullptr, nullptr, nullptr);
    DefineCustomBoolVariable("socketio_emitter.enabled",
                             "Whether emits do anything; off makes each a no-op, for bulk loads.", nullptr,
                             &settings.enabled, true, PGC_USERSET, 0, nullptr, nullptr, nullptr);
    DefineCustomEnumVariable(
        "socketio_emitter.delivery", "Whether the transaction that emits notifies, or a background worker after it.",
        nullptr, &settings.delivery, kDeliverByNotify, kDeliveries, PGC_USERSET, 0, check_delivery, nullptr, nullptr);
    if (process_shared_preload_libraries_in_progress) {
        define_server_settings();
    }
    MarkGUCPrefixReserved("socketio_emitter");
}

}  // namespace socketio
