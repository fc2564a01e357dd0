// A notification on its way to the worker: what a transaction holds and a queue carries, one behind another.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "backend/server.h"

namespace socketio {

// Behind it stand the channel and the payload, each with a NUL byte at its end; then, for an attachment whose row the worker has
// to date, the table and the id, with one at its end as well.
struct DeliveryRecord {
    std::uint32_t size;  // of all of it, aligned
    std::uint16_t payload_size;
    std::uint8_t channel_size;
    bool has_row;

    const char* channel() const { return reinterpret_cast<const char*>(this + 1); }
    const char* payload() const { return channel() + channel_size; }
    const char* row() const { return payload() + payload_size; }
    Oid table() const;
    const char* id() const { return row() + sizeof(Oid); }
};

static_assert(NAMEDATALEN <= UINT8_MAX && BLCKSZ <= UINT16_MAX, "the sizes of a channel and a payload fit");

inline const DeliveryRecord* record_at(std::string_view records) {
    return reinterpret_cast<const DeliveryRecord*>(records.data());
}

// Queue all of `records` with NOTIFY in the current transaction. Can be interrupted.
void notify_records(std::string_view records);

}  // namespace socketio
