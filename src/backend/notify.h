// The last step of every emit: a notification, sent by the server when the transaction commits.

#pragma once

#include <cstdint>

#include "backend/channel.h"

namespace socketio {

// A notification's payload has fewer bytes than this (NOTIFY_PAYLOAD_MAX_LENGTH of PostgreSQL's async.c).
inline constexpr int kMaxNotification = BLCKSZ - NAMEDATALEN - 128;

// ERROR 25006 on a standby, where nothing can be emitted.
void require_primary();

// 1 for the first call in a transaction, 2 for the second, and so on.
std::uint32_t next_in_transaction();

// Queue a notification in the current (sub)transaction. `payload` is text in the encoding of the database, ends with
// a NUL byte and is copied.
void notify(const Channel& channel, const char* payload);

}  // namespace socketio
