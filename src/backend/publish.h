// From a message to its delivery: encode, then NOTIFY or attachment.
//
//     message --JsonWriter--> fits a notification? --yes--> NOTIFY the text
//                                  | no: too long, or holds binary
//                                  +--MsgpackWriter--> row of the attachment table --> NOTIFY its id
//
// JSON is tried first, in a buffer of at most 8000 bytes, and given up at the first byte too many, so that a message
// of any size costs one full encoding. What was read till then is read again: an output function or a cast to json that
// users wrote may be called twice for one value.

#pragma once

#include <cstdint>

#include "backend/attachment_table.h"
#include "backend/channel.h"
#include "backend/notify.h"
#include "backend/settings.h"
#include "backend/text.h"
#include "backend/writers.h"
#include "protocol/cluster_message.h"

namespace socketio {

inline JsonCharacters notification_characters() {
    return is_utf8_database() ? JsonCharacters::kUtf8 : JsonCharacters::kAscii;
}

// Write JSON with `write(NotificationWriter&)` and queue it, unless it holds binary or has `limit` bytes or more: then
// nothing is sent and the result is false.
template <class Write>
bool notify_json(const Channel& channel, int limit, const Write& write) {
    char payload[kMaxNotification];
    BoundedSink sink(payload, limit - 1);
    NotificationWriter writer(sink, notification_characters());
    write(writer);
    if (writer.stopped()) {
        return false;
    }
    payload[sink.bytes().size()] = '\0';
    notify(channel, payload);
    return true;
}

template <class Message>
void publish_attachment(const Channel& channel, const Message& message) {
    PayloadSink sink;
    AttachmentWriter writer(sink);
    write_attached_message(writer, message);
    message.release();  // the row takes as much memory again
    const char* id = insert_attachment(sink.bytea(), sink.size());
    sink.release();
    const bool notified = notify_json(channel, kMaxNotification, [&](NotificationWriter& header) {
        write_attachment_header<Message::kType>(header, message.nsp(), id);
    });
    if (!notified) {
        elog(ERROR, "id of a row in attachment table \"%s\" is too long", settings.attachment_table);
    }
}

// Send `message` to the servers that listen on `channel`, when and if the current transaction commits.
template <class Message>
void publish(const Channel& channel, const Message& message) {
    require_primary();
    const std::uint32_t seq = next_in_transaction();
    const bool notified = notify_json(channel, settings.payload_threshold,
                                      [&](NotificationWriter& writer) { write_message(writer, message, seq); });
    if (!notified) {
        publish_attachment(channel, message);
    }
}

}  // namespace socketio
