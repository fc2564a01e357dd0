// A notification on its way to the worker: what a transaction holds and a queue carries, one behind another.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace socketio {

// Behind it stand the channel and the payload, each with a NUL byte at its end.
struct DeliveryRecord {
    std::uint32_t size;  // of all of it, aligned
    std::uint32_t channel_size;

    const char* channel() const { return reinterpret_cast<const char*>(this + 1); }
    const char* payload() const { return channel() + channel_size; }
};

// Queue all of `records` with NOTIFY in the current transaction. Can be interrupted.
void notify_records(std::string_view records);

}  // namespace socketio
