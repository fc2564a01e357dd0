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
#include "backend/delivery_queue.h"
#include "backend/held_emits.h"
#include "backend/notify.h"
#include "backend/settings.h"
#include "backend/text.h"
#include "backend/writers.h"
#include "protocol/cluster_message.h"

namespace socketio {

// The payload of a notification, and a NUL byte behind it.
using NotificationBuffer = char[kMaxNotification];

// Write JSON with `write(NotificationWriter&)` into `payload`, and return its size: 0 if it holds binary or would have `limit`
// bytes or more.
template <class Write>
std::size_t write_notification(NotificationBuffer& payload, int limit, const Write& write) {
    BoundedSink sink(payload, limit - 1);
    NotificationWriter writer(sink, json_characters());
    write(writer);
    if (writer.stopped()) {
        return 0;
    }
    const std::size_t size = sink.bytes().size();
    payload[size] = '\0';
    return size;
}

// Write JSON so and queue it, unless it does not fit: then nothing is sent and the result is false.
template <class Write>
bool notify_json(const Channel& channel, int limit, const Write& write) {
    NotificationBuffer payload;
    const std::size_t size = write_notification(payload, limit, write);
    if (size > 0) {
        notify(channel, payload, size);
    }
    return size > 0;
}

// Send `message`, of about `expected_size` bytes, through the attachment table.
template <class Message>
void publish_attachment(const Channel& channel, const Message& message,
                        std::size_t expected_size = PayloadSink::kUsualSize) {
    PayloadSink sink(expected_size);
    AttachmentWriter writer(sink);
    write_attached_message(writer, message);
    message.release();  // the row takes as much memory again
    const char* id = insert_attachment(sink.bytea(), sink.size());
    if (has_delivery_queues()) {
        count_attachment(sink.size());
    }
    sink.release();
    const bool notified = notify_json(channel, kMaxNotification, [&](NotificationWriter& header) {
        write_attachment_header(header, Message::kType, message.nsp(), id);
    });
    if (!notified) {
        elog(ERROR, "id of a row in attachment table \"%s\" is too long", settings.attachment_table);
    }
}

// Send `message` as a notification, unless it holds binary or has `limit` bytes or more: then nothing is sent and the
// result is false.
template <class Message>
bool publish_notification(const Channel& channel, int limit, const Message& message, std::uint32_t seq) {
    return notify_json(channel, limit, [&](NotificationWriter& writer) { write_message(writer, message, seq); });
}

// Send `message` to the servers that listen on `channel`, when and if the current transaction commits.
template <class Message>
void publish(const Channel& channel, const Message& message) {
    require_primary();
    if (!publish_notification(channel, settings.payload_threshold, message, next_seq())) {
        publish_attachment(channel, message);
    }
}

}  // namespace socketio
