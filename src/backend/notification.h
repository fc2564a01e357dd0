// The payload of a notification: JSON, if it fits.

#pragma once

#include <cstddef>

#include "backend/channel.h"
#include "backend/notify.h"
#include "backend/writers.h"

namespace socketio {

// A payload, and a NUL byte behind it.
using NotificationBuffer = char[kMaxNotification];

// Whether a message can be a notification.
enum class Fit { kFits, kTooLong, kHoldsBinary };

struct NotificationText {
    Fit fit;
    std::size_t size;  // at kFits
};

// Write JSON with `write(NotificationWriter&)` into `payload`. It fits if it has fewer bytes than `limit`.
template <class Write>
NotificationText write_notification(NotificationBuffer& payload, int limit, const Write& write) {
    BoundedSink sink(payload, limit - 1);
    NotificationWriter writer(sink, json_characters());
    write(writer);
    if (writer.stopped()) {
        return {writer.holds_binary() ? Fit::kHoldsBinary : Fit::kTooLong, 0};
    }
    const std::size_t size = sink.bytes().size();
    payload[size] = '\0';
    return {Fit::kFits, size};
}

// Write JSON so and queue it, unless it does not fit: then nothing is sent.
template <class Write>
Fit notify_json(const Channel& channel, int limit, const Write& write) {
    NotificationBuffer payload;
    const NotificationText text = write_notification(payload, limit, write);
    if (text.fit == Fit::kFits) {
        notify(channel, payload, text.size);
    }
    return text.fit;
}

// How many bytes JSON takes, or more than any notification has.
template <class Write>
std::size_t notification_size(const Write& write) {
    NotificationBuffer payload;
    const NotificationText text = write_notification(payload, kMaxNotification, write);
    return text.fit == Fit::kFits ? text.size : kMaxNotification;
}

}  // namespace socketio
