// What the SQL functions have in common: reading whom a message is for, and what is said.

#pragma once

#include <string_view>

#include "backend/channel.h"
#include "backend/rooms_reader.h"
#include "backend/server.h"
#include "protocol/target.h"

extern "C" {
#include "access/tupdesc.h"
}

namespace socketio {

// Whom a message is for. Filled in place: the target's rooms may point into it.
struct Destination {
    Destination() = default;
    Destination(const Destination&) = delete;
    Destination& operator=(const Destination&) = delete;

    Target target;
    RoomScratch rooms;
    RoomScratch except;
};

// The fields of the composite type socketio_target, in order.
enum TargetField { kNsp, kRooms, kExceptRooms, kVolatile, kCompress, kTargetFields };

struct TargetRow {
    Datum values[kTargetFields];
    bool nulls[kTargetFields];
};

inline constexpr TargetRow kEveryone = {{}, {true, true, true, true, true}};

// ERROR 42804 unless a row described so is a socketio_target as CREATE EXTENSION made the type.
void require_target_type(TupleDesc descriptor);

// Take a socketio_target apart; an argument that is NULL is everyone in '/'.
TargetRow read_target_row(FunctionCallInfo fcinfo, int argument);

// The destination that a socketio_target argument describes. A field that is NULL stands for its default.
void read_target(FunctionCallInfo fcinfo, int argument, Destination& destination);

// The destination given flat, as the first three arguments (nsp, rooms, except_rooms). ERROR 22004 for rooms that are
// NULL: where they were computed, a broadcast to everyone is the last thing meant.
void read_flat_target(FunctionCallInfo fcinfo, Destination& destination);

// The destination of a namespace's name alone, given as an argument that may be NULL.
void read_namespace_target(FunctionCallInfo fcinfo, int argument, Destination& destination);

// A namespace's name argument, normalised, in the encoding of the database.
std::string_view read_namespace(FunctionCallInfo fcinfo, int argument);

// The name of an event, as UTF-8. ERROR 22004 where it is NULL.
std::string_view read_event(FunctionCallInfo fcinfo, int argument);

// The same for an event that clients receive. ERROR 22023 for a name Socket.IO keeps for itself.
std::string_view read_client_event(FunctionCallInfo fcinfo, int argument);

// A text[] of rooms that must be given. `parameter` names it in errors.
Rooms read_required_rooms(FunctionCallInfo fcinfo, int argument, const char* parameter, RoomScratch& scratch);

// A boolean argument; NULL counts as false.
inline bool read_flag(FunctionCallInfo fcinfo, int argument) {
    return !PG_ARGISNULL(argument) && PG_GETARG_BOOL(argument);
}

}  // namespace socketio
