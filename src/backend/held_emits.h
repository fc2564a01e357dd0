// What the current transaction has emitted and not yet sent: notifications for the worker, held until it commits.
//
// Savepoints are honoured as NOTIFY honours them: what was emitted since one goes with it when it is rolled back.

#pragma once

#include <cstddef>
#include <cstdint>

#include "backend/channel.h"

namespace socketio {

// Have the server call us at the ends of transactions. Once, when the library is loaded.
void watch_transactions();

// Whether the transaction holds any: then all that follow are held, too, lest they arrive first.
bool holds_notifications();

// Hold a notification, which is copied, for the worker; `payload` ends with a NUL byte behind `size` others.
void hold_notification(const Channel& channel, const char* payload, std::size_t size);

// Count a notification that went to NOTIFY directly.
void count_notification(std::size_t bytes);

// Count the attachment that the next notification announces.
void count_attachment(std::size_t bytes);

}  // namespace socketio
