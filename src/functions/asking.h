// What the functions that ask the cluster have in common: how long to wait, and the rows of their results.

#pragma once

#include <string_view>

#include "backend/cluster_request.h"
#include "backend/server.h"
#include "functions/arguments.h"

extern "C" {
#include "nodes/execnodes.h"
}

namespace socketio {

// For functions that take a socketio_target, and no timeout.
inline constexpr Conversation::Time kDefaultTimeout = std::chrono::seconds(5);

// An interval argument. ERROR 22004 where it is NULL, 22023 unless it is positive.
Conversation::Time read_timeout(FunctionCallInfo fcinfo, int argument);

// The id of a socket, or the name of a room, as UTF-8. ERROR 22004 where it is NULL.
std::string_view read_required_text(FunctionCallInfo fcinfo, int argument, const char* parameter);

// Begin the result set of a set-returning function.
ReturnSetInfo* begin_rows(FunctionCallInfo fcinfo);

void put_row(ReturnSetInfo* rows, const Datum* values, const bool* nulls);

// What a server said, as Datums in CurrentMemoryContext.
Datum text_datum(std::string_view utf8);
Datum jsonb_datum(std::string_view json);

// A field of a row, and whether it is null. A question tells of each whether it can be.
inline Datum text_field(const RowFields& row, int i, bool& is_null) {
    is_null = row.is_null(i);
    return is_null ? Datum(0) : text_datum(row[i]);
}
inline Datum jsonb_field(const RowFields& row, int i, bool& is_null) {
    is_null = row.is_null(i);
    return is_null ? Datum(0) : jsonb_datum(row[i]);
}

}  // namespace socketio
