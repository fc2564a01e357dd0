// Reads rooms out of a text[].

#pragma once

#include <array>
#include <string_view>

#include "backend/server.h"
#include "protocol/rooms.h"

namespace socketio {

// Where the names of a few rooms are kept without an allocation.
using RoomScratch = std::array<std::string_view, 4>;

// The distinct elements of `array` (a text[] Datum of any dimension), in order and as UTF-8. They live in the array, in
// `scratch` and in CurrentMemoryContext. `parameter` names the array in errors. ERROR 22004 for an element that is NULL.
Rooms read_rooms(Datum array, const char* parameter, RoomScratch& scratch);

}  // namespace socketio
