// What the SQL functions have in common: reading whom a message is for, and what is said.

#pragma once

#include <string_view>

#include "backend/channel.h"
#include "backend/server.h"
#include "protocol/cluster_message.h"

namespace socketio {

// Whom a message is for, and the channel on which the servers concerned listen.
struct Destination {
    Channel channel;
    Target target;
};

// The fields of the composite type socketio_target, in order.
enum TargetField { kNsp, kRooms, kExceptRooms, kVolatile, kCompress, kTargetFields };

struct TargetRow {
    Datum values[kTargetFields];
    bool nulls[kTargetFields];
};

// Take a socketio_target apart; an argument that is NULL is everyone in '/'.
// ERROR 42804 where the type was altered and no longer has its five columns.
TargetRow read_target_row(FunctionCallInfo fcinfo, int argument);

// The destination that a socketio_target argument describes. A field that is NULL stands for its default.
Destination read_target(FunctionCallInfo fcinfo, int argument);

// The destination given flat, as the first three arguments (nsp, rooms, except_rooms). ERROR 22004 for rooms that are
// NULL: where they were computed, a broadcast to everyone is the last thing meant.
Destination read_flat_target(FunctionCallInfo fcinfo);

// A namespace's name argument, normalised, in the encoding of the database.
std::string_view read_namespace(FunctionCallInfo fcinfo, int argument);

// The name of an event, as UTF-8. ERROR 22004 where it is NULL.
std::string_view read_event(FunctionCallInfo fcinfo, int argument);

// The same for an event that clients receive. ERROR 22023 for a name Socket.IO keeps for itself.
std::string_view read_client_event(FunctionCallInfo fcinfo, int argument);

// A text[] of rooms that must be given. `parameter` names it in errors.
Rooms read_required_rooms(FunctionCallInfo fcinfo, int argument, const char* parameter);

// A boolean argument; NULL counts as false.
inline bool read_flag(FunctionCallInfo fcinfo, int argument) {
    return !PG_ARGISNULL(argument) && PG_GETARG_BOOL(argument);
}

}  // namespace socketio
