// The INSERT into an attachment table, planned once and kept for the next attachment.

#pragma once

#include "backend/server.h"

extern "C" {
#include "datatype/timestamp.h"
}

namespace socketio {

// A session sends its attachments through one table, as a rule, so one plan is kept. A trigger on that table may itself
// emit through another one: a plan that was replaced meanwhile is freed when it has run.
struct PreparedInsert;

// The INSERT for `table`, whose parameters are the payload and the date, and whose one result column is the id. SPI is connected.
PreparedInsert* prepare_insert(Oid table);

// Whether its rows can be dated again: see attachment_dates.h.
bool can_be_dated_again(const PreparedInsert* insert);

// Execute `insert`, whatever comes of it, and return SPI's result code.
int execute_insert(PreparedInsert* insert, Datum payload, TimestampTz date);

}  // namespace socketio
