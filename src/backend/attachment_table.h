// The attachment table: where a message goes that is too large or too binary for a notification.
//
// Servers read the row when they get the notification that names its id, and delete rows older than half a minute.
// The table is either the extension's own, made by CREATE EXTENSION, or one the application made as the adapter's
// README says, which is used as it is.

#pragma once

#include <cstddef>
#include <string_view>

#include "backend/attachment_dates.h"
#include "backend/server.h"

extern "C" {
#include "utils/rel.h"
}

namespace socketio {

inline constexpr char kDefaultAttachmentTable[] = "socket_io_attachments";

// Whether `name` is an SQL table name, with or without a schema. Looks nothing up.
bool is_table_name(const char* name);

// Insert a message of `size` bytes and return its row, whose id is text in CurrentMemoryContext.
//
// The table is found by socketio_emitter.attachment_table and the search_path, then in the extension's schema; by
// within emit_for_watch() as it says. If it belongs to the extension, callers need no rights on it; otherwise those an INSERT takes.
// ERROR 42P01, 42809, 42703, 42804 where the table is missing or misshapen, 42501 without privileges on it, 25006 in a
// read-only transaction.
Attachment insert_attachment(Datum payload, std::size_t size, Announcement announcement);

// The message in the row that prints its id so, in CurrentMemoryContext; empty where there is none. The table is found
// as above, and callers need the rights a SELECT takes, if any. The same errors, but for the last.
std::string_view read_attachment(const char* id);

// Call `emit()` for a trigger. A writer knows nothing of servers, and may have any search_path: a table without a schema to its
// name is looked for in the extension's schema, then in "public", and nowhere else. emit() throws no exception.
void find_for_watches(bool on);
bool is_found_for_watches();

template <class Emit>
void emit_for_watch(const Emit& emit) {
    const bool before = is_found_for_watches();
    find_for_watches(true);
    PG_TRY();
    { emit(); }
    PG_FINALLY();
    { find_for_watches(before); }
    PG_END_TRY();
}

// Whether large changes of rows go into `relation`, as this session has it set.
bool is_attachment_table(Relation relation);

// For CREATE EXTENSION alone: make the table in the extension's schema, unless there is one.
void create_attachment_table();

}  // namespace socketio
