// The INSERT into an attachment table, planned once and kept for the next attachment.

#pragma once

#include "backend/server.h"

namespace socketio {

// A session sends its attachments through one table, as a rule, so one plan is kept. A trigger on that table may itself
// emit through another one: a plan that was replaced meanwhile is freed when it has run.
struct PreparedInsert;

// The INSERT for `table`, whose one parameter is the payload and whose one result column is the id. SPI is connected.
PreparedInsert* prepare_insert(Oid table);

// Execute `insert`, whatever comes of it, and return SPI's result code.
int execute_insert(PreparedInsert* insert, Datum payload);

}  // namespace socketio
