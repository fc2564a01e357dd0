// Reads rooms out of a text[].

#pragma once

#include "backend/server.h"
#include "protocol/rooms.h"

namespace socketio {

// The distinct elements of `array` (a text[] Datum of any dimension), in order and as UTF-8, in CurrentMemoryContext.
// `parameter` names the array in errors. ERROR 22004 for an element that is NULL.
Rooms read_rooms(Datum array, const char* parameter);

}  // namespace socketio
