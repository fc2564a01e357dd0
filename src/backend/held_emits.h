// What the current transaction has emitted and not yet sent: notifications for the worker, held until it commits.
//
// Savepoints are honoured as NOTIFY honours them: what was emitted since one goes with it when it is rolled back.

#pragma once

#include <cstddef>
#include <cstdint>

#include "backend/attachment_dates.h"
#include "backend/channel.h"

namespace socketio {

// Have the server call us at the ends of transactions. Once, when the library is loaded.
void watch_transactions();

// Whether the transaction holds any: then all that follow are held, too, lest they arrive first.
bool holds_notifications();

// Whether it is too late to hold any: the transaction commits.
bool is_commit_under_way();

// Hold a notification, which is copied, for the worker; `payload` ends with a NUL byte behind `size` others. `attachment` is what
// it announces, if anything.
void hold_notification(const Channel& channel, const char* payload, std::size_t size, const Attachment* attachment);

// Count a notification that went to NOTIFY directly.
void count_notification(std::size_t size, const Attachment* attachment);

}  // namespace socketio
