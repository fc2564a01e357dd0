// See settings.h.

#include "backend/settings.h"

#include "backend/attachment_table.h"
#include "backend/channel.h"
#include "backend/notify.h"
#include "backend/server.h"

extern "C" {
#include "utils/guc.h"
}

namespace socketio {

Settings settings;

namespace {

constexpr int kDefaultBatchBytes = 1024 * 1024;
constexpr int kMaxBatchBytes = 512 * 1024 * 1024;  // what PostgreSQL stores in one value is twice that

bool check_channel_prefix(char** value, void**, GucSource) {
    if (strlen(*value) <= kMaxChannelPrefix) {
        return true;
    }
    GUC_check_errdetail("The prefix, \"#\" and the namespace may take %d bytes together.", kMaxChannelName);
    return false;
}

bool check_attachment_table(char** value, void**, GucSource) {
    if (is_table_name(*value)) {
        return true;
    }
    GUC_check_errdetail("The value must be a table's name, which may be qualified with a schema.");
    return false;
}

}  // namespace

void define_settings() {
    DefineCustomStringVariable(
        "socketio_emitter.channel_prefix", "Prefix of the notification channels, the adapter's option channelPrefix.",
        nullptr, &settings.channel_prefix, "socket.io", PGC_USERSET, 0, check_channel_prefix, nullptr, nullptr);
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
    MarkGUCPrefixReserved("socketio_emitter");
}

}  // namespace socketio
