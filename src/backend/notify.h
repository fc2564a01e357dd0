// The last step of every emit: a notification, sent when the transaction commits, by itself or by a worker.

#pragma once

#include <cstddef>
#include <cstdint>

#include "backend/attachment_dates.h"
#include "backend/channel.h"

namespace socketio {

// A notification's payload has fewer bytes than this (NOTIFY_PAYLOAD_MAX_LENGTH of PostgreSQL's async.c).
inline constexpr int kMaxNotification = BLCKSZ - NAMEDATALEN - 128;

// ERROR 25006 on a standby, where nothing can be emitted.
void require_primary();

// The largest that the next may be, for messages that are measured beforehand.
inline constexpr std::uint32_t kLargestSeq = UINT32_MAX;

// A number that no other message has with which it could share a transaction that notifies: 1 for the first call in a
// transaction, 2 for the second, and so on; where a worker may notify, a number of the server's.
std::uint32_t next_seq();

// How the next notification goes to the servers.
Announcement next_announcement();

// Queue a notification in the current (sub)transaction. `payload` is text in the encoding of the database, ends with
// a NUL byte behind `size` others, and is copied. `attachment` is what it announces, if anything.
void notify(const Channel& channel, const char* payload, std::size_t size, const Attachment* attachment = nullptr);

}  // namespace socketio
